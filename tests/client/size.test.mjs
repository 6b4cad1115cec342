// What is shipped: small, typed, and complete.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { clientFolder, load, sourceFolder } from './setup.mjs';
import { list, makeTypes } from './types.mjs';

const served = (extension) => list(clientFolder, extension);
/** Bytes. 2.4 KB of them are what tokens need: when to renew, tickets, and who shares. 64 are what the
 * state of the backend needs: it follows the link in use, and all tabs hear it. The last 256 are what names of any
 * bytes need, with commas and blanks in a query, and names of events. */
const MOST = 19 * 1024 + 64 + 256;
const files = (extension) => list(sourceFolder, extension);

/** Loaded only when somebody asks for a diagnosis: no part of the client proper. */
const onDemand = ['ask.js', 'diagnose.js', 'diagnose_socket.js', 'diagnose_stream.js',
	'evidence.js', 'explain.js', 'explain_socket.js', 'verdict.js'];

test('all modules of the client proper as they are served are below 19.3 KB, gzipped in one', () => {
	const proper = served('.js').filter((path) => !onDemand.includes(relative(clientFolder, path)));
	assert.equal(proper.length, served('.js').length - onDemand.length);
	const code = proper.map((path) => readFileSync(path, 'utf8')).join('');
	const { length } = gzipSync(code, { level: 9 });
	console.log(`${length} bytes`);
	assert.ok(length > 4000 && length < MOST, `${length} bytes`);
});

test('the client proper loads nothing of what is loaded on demand', () => {
	for (const path of served('.js').filter((path) => !onDemand.includes(relative(clientFolder, path))))
		for (const name of onDemand)
			assert.ok(!readFileSync(path, 'utf8').includes(name), `${path} names ${name}`);
});

test('every module is served as a file of its own, its types beside it', () => {
	for (const extension of ['.js', '.d.ts'])
		assert.deepEqual(served(extension).map((path) => relative(clientFolder, path)),
			files(extension).map((path) => relative(sourceFolder, path)));
});

test('tsc --checkJs --strict finds nothing, and the .d.ts are those that it makes', async () => {
	const made = await makeTypes(sourceFolder);
	const here = new Map(files('.d.ts').map((path) => [relative(sourceFolder, path), readFileSync(path, 'utf8')]));
	assert.deepEqual(here, made, 'run `npm run types` in tests/client');
});

test('every .js has its .d.ts, and the package names files that exist', () => {
	const stem = (path) => relative(sourceFolder, path).replace(/(\.d)?\.[jt]s$/, '');
	assert.deepEqual(files('.js').map(stem), files('.d.ts').map(stem));
	const { exports, types, main, dependencies } = JSON.parse(readFileSync(join(sourceFolder, 'package.json'), 'utf8'));
	for (const path of [types, main, exports['.'].types, exports['.'].default,
		exports['./diagnose.js'].types, exports['./diagnose.js'].default])
		assert.ok(readFileSync(join(sourceFolder, path), 'utf8'), path);
	assert.equal(dependencies, undefined);
});

test('the modules say their names, in the order of the gateway', async () => {
	const { transports } = await load('transports/index.js');
	assert.deepEqual(transports.map(({ name }) => name), ['websocket', 'sse', 'stream', 'longpoll', 'poll']);
	for (const { name } of transports)
		assert.equal((await load(`transports/${name}.js`)).name, name);
	const others = ['index', 'polled', 'request'];
	assert.deepEqual(list(join(clientFolder, 'transports'), '.js').map((path) => basename(path, '.js'))
		.filter((name) => !others.includes(name)), transports.map(({ name }) => name).sort());
});
