// What is shipped: small, typed, and complete.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import typescript from 'typescript';
import { clientFolder, load } from './setup.mjs';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const run = promisify(execFile);

function files(extension, folder = clientFolder) {
	return readdirSync(folder, { withFileTypes: true }).flatMap(({ name }) => {
		const path = join(folder, name);
		return name.includes('.') ? name.endsWith(extension) ? [path] : [] : files(extension, path);
	}).sort();
}

test('all modules without their comments are below 12 KB, gzipped', () => {
	const code = files('.js').map((path) => typescript.transpileModule(readFileSync(path, 'utf8'),
		{ compilerOptions: { target: 'ES2022', module: 'ES2022', removeComments: true } }).outputText);
	const { length } = gzipSync(code.join('').replace(/^\s+/gm, ''), { level: 9 });
	console.log(`${length} bytes`);
	assert.ok(length > 4000 && length < 12000, `${length} bytes`);
});

test('tsc --checkJs --strict finds nothing, and the .d.ts are those that it makes', async () => {
	const made = mkdtempSync(join(tmpdir(), 'sluice-types-'));
	try {
		const config = JSON.parse(readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'));
		config.compilerOptions.outDir = made;
		config.compilerOptions.rootDir = clientFolder;
		config.files = [join(clientFolder, 'sluice.js')];
		writeFileSync(join(made, 'tsconfig.json'), JSON.stringify(config));
		await run(process.execPath, [tsc, '-p', made]).catch(({ stdout }) => assert.fail(stdout));
		const names = (folder) => files('.d.ts', folder).map((path) => relative(folder, path));
		assert.deepEqual(names(clientFolder), names(made), 'run `npm run types` in tests/client');
		for (const name of names(made))
			assert.equal(readFileSync(join(clientFolder, name), 'utf8'), readFileSync(join(made, name), 'utf8'),
				`${name} is old: run \`npm run types\` in tests/client`);
	} finally {
		rmSync(made, { recursive: true });
	}
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
