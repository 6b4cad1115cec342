// What is shipped: small, typed, and complete.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';
import { clientFolder, load } from './setup.mjs';
import { list, makeTypes } from './types.mjs';

const files = (extension) => list(clientFolder, extension);

test('all modules, minified and in one, are below 11 KB, gzipped', async () => {
	const code = await Promise.all(files('.js').map(async (path) =>
		(await minify(readFileSync(path, 'utf8'), { module: true, compress: true, mangle: true })).code));
	const { length } = gzipSync(code.join(''), { level: 9 });
	console.log(`${length} bytes`);
	assert.ok(length > 4000 && length < 11000, `${length} bytes`);
});

test('tsc --checkJs --strict finds nothing, and the .d.ts are those that it makes', async () => {
	const made = await makeTypes(clientFolder);
	const here = new Map(files('.d.ts').map((path) => [relative(clientFolder, path), readFileSync(path, 'utf8')]));
	assert.deepEqual(here, made, 'run `npm run types` in tests/client');
});

test('every .js has its .d.ts, and the package names files that exist', () => {
	const stem = (path) => relative(clientFolder, path).replace(/(\.d)?\.[jt]s$/, '');
	assert.deepEqual(files('.js').map(stem), files('.d.ts').map(stem));
	const { exports, types, main, dependencies } = JSON.parse(readFileSync(join(clientFolder, 'package.json'), 'utf8'));
	for (const path of [types, main, exports['.'].types, exports['.'].default])
		assert.ok(readFileSync(join(clientFolder, path), 'utf8'), path);
	assert.equal(dependencies, undefined);
});

test('the modules say their names, in the order of the gateway', async () => {
	const { transports } = await load('transports/index.js');
	assert.deepEqual(transports.map(({ name }) => name), ['websocket', 'sse', 'stream', 'longpoll', 'poll']);
	for (const { name } of transports)
		assert.equal((await load(`transports/${name}.js`)).name, name);
});
