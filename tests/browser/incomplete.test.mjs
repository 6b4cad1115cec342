// The first command where npm cannot install: the page is served from its sources, without
// charts, and both the build and the page say how to add them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './gateway.mjs';
import { assertAccessible, complaints, openPage, useWorld } from './world.mjs';

const source = resolve(process.env.SLUICE_CLIENT, '../..');
let folder;
/** npm's settings: a registry, and nothing kept from before. */
let registryAt;

useWorld({ width: 1440 });

before(() => {
	folder = mkdtempSync(join(tmpdir(), 'sluice-incomplete-'));
	registryAt = (url) => ({ npm_config_registry: url, npm_config_cache: join(folder, 'cache') });
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a command; what it says is in `said` of the result. */
function run(command, args, env) {
	const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', command, command, ...args],
		{ stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
	child.said = '';
	child.stdout.on('data', (bytes) => child.said += bytes);
	child.closed = once(child, 'close').then(([status]) => status);
	return child;
}

/** A folder of the page made by scripts/assemble-web alone, and what it said was missing. */
async function assemble(env) {
	const www = mkdtempSync(join(folder, 'www-'));
	const child = run(join(source, 'scripts/assemble-web'), [join(source, 'web'), join(www, 'tools'), join(www, 'www')], env);
	assert.equal(await child.closed, 0, child.said);
	for (const path of ['index.html', 'client/sluice.js', 'demo/page.js', 'demo/vendor/uplot/uPlot.esm.js'])
		assert.equal(readFileSync(join(www, 'www', path), 'utf8'), readFileSync(join(source, 'web', path), 'utf8'));
	const style = readFileSync(join(www, 'www/demo/page.css'), 'utf8');
	assert.ok(style.includes('.wire-list') && !/^@import/m.test(style), 'the style sheets are in one file');
	return readFileSync(join(www, 'www.incomplete'), 'utf8');
}

/** The source as a clone has it. */
function copySource(to) {
	const made = /^(build.*|\.git|autom4te\.cache|node_modules|config\.status|Makefile|assembled)$/;
	cpSync(source, to, { recursive: true, filter: (path) => path === source || !made.test(basename(path)) });
}

test('scripts/demo works with a registry that refuses, and says how to add what is missing', async () => {
	const copy = join(folder, 'source');
	copySource(copy);
	const demo = run(join(copy, 'scripts/demo'), ['--listen', '127.0.0.1:0', '--drain', '1'],
		registryAt('http://127.0.0.1:9/'));
	try {
		const [, url] = await until('the address', () => /^listening (http:\S+)$/m.exec(demo.said) ??
			assert.equal(demo.exitCode, null, demo.said), 600000);
		const [, command] = /no charts.*ECONNREFUSED[^]*\n {2}(make .*)\ndemo: starting/.exec(demo.said);
		const page = await openPage();
		await page.goto(url);
		await until('messages in every lane', async () => (await page.$$eval('.lane .messages', (all) =>
			all.filter(({ textContent }) => Number(textContent) > 2).length)) === 5);
		assert.match(await page.innerText('#incomplete'), /no charts.*not minified.*make -C build www/s);
		assert.deepEqual(await page.$$eval('.lane .over-time', (all) => all.map((chart) => chart.innerText)),
			new Array(5).fill('No chart: uPlot is missing'));
		await assertAccessible(page, ['#incomplete', '#lanes']);
		assert.equal(await (await fetch(new URL('client/sluice.js', url))).text(),
			readFileSync(join(source, 'web/client/sluice.js'), 'utf8'));

		const again = run('/bin/sh', ['-c', command]);
		assert.equal(await again.closed, 0, again.said);
		demo.kill('SIGHUP');
		await until('charts', async () => {
			await page.reload();
			return (await page.$$('.lane canvas')).length > 10 && await page.isHidden('#incomplete');
		});
		assert.deepEqual(complaints, []);
	} finally {
		demo.kill();
		await demo.closed;
	}
});

test('where npm is not installed, the sources are served', async () => {
	const path = join(folder, 'bin');
	mkdirSync(path);
	for (const name of readdirSync('/usr/bin'))
		if (!/^(npm|npx|node)/.test(name))
			symlinkSync(join('/usr/bin', name), join(path, name));
	assert.match(await assemble({ PATH: path }), /no charts.*npm is not installed\./);
});

test('a registry that is silent is waited for no longer than was said', async () => {
	const server = createServer(() => {}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	try {
		const url = `http://127.0.0.1:${server.address().port}/`;
		assert.match(await assemble({ ...registryAt(url), NPM_SECONDS: '3' }),
			/no charts.*npm's registry did not answer within 3 s\./);
	} finally {
		server.close();
	}
});
