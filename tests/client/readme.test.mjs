// The README of the npm package: its examples run as they stand, but for names and the address.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Gateway, sourceFolder, until } from './setup.mjs';

const readme = readFileSync(resolve(sourceFolder, 'README.md'), 'utf8');
const [publishing, diagnosing] = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

let gateway;

before(async () => {
	gateway = await new Gateway().start();
});

after(() => gateway?.stop());

/** Runs an example until it has printed what it should. */
async function run(code, ...words) {
	const path = (name) => pathToFileURL(resolve(sourceFolder, name)).href;
	const text = code.replace("'sluice-client'", `'${path('sluice.js')}'`).replace("'sluice-client/diagnose.js'", `'${path('diagnose.js')}'`)
		.replace('http://127.0.0.1:8080/', gateway.url);
	const child = spawn(process.execPath, ['--input-type=module', '-e', text], { env: { ...process.env, NODE_NO_WARNINGS: '1' } });
	let out = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (data) => { out += data; });
	try {
		await until(`${words}`, () => words.every((word) => word.test(out))).catch(({ message }) => assert.fail(`${message}: ${out}`));
	} finally {
		child.kill();
	}
}

test('a message is published and received', () =>
	run(publishing, /^now over \w+: /m, /^published as [0-9a-f]{8}-\d+$/m, /^chat \{ text: 'hello' \} [0-9a-f]{8}-\d+$/m));

test('the path is diagnosed', () => run(diagnosing, /^The path to http/m, /works/, /^Evidence:$/m));
