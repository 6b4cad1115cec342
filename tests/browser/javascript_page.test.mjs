// The programs of doc/javascript.md, as they stand but for ports and paths: in Chromium, on a page of the gateway's
// origin, and in Node. A program that imports no Sluice continues the page's first one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { DocPage, openPage, place, start, untilSaid, useGateway } from './doc_page.mjs';
import { until } from './gateway.mjs';

const doc = new DocPage('javascript.md');
const first = doc.find(/transport', from, to, why/);
const world = useGateway();

const publish = (data) => world.gateway.publish('chat', JSON.stringify(data), 'application/json');
const count = (page, text) => page.evaluate((wanted) => window.said.filter((line) => line === wanted).length, text);

/** A tab that runs these programs as one module. @param {...string} programs */
async function open(...programs) {
	const page = await openPage(world.context, world.gateway.url);
	await start(page, place(programs.join('\n'), world.gateway.url));
	return page;
}

test('the first program listens and publishes, and says which transport it uses', async () => {
	const page = await open(first);
	await untilSaid(page, /^transport null websocket /);
	await untilSaid(page, /^chat {"text":"hi"}$/);
	await publish(7);
	await untilSaid(page, /^chat 7$/);
	assert.deepEqual(await page.evaluate(() => window.said.filter((line) => /failed/.test(line))), []);
});

test('publish resolves with an id, and rejects with a code', async () => {
	const program = doc.find(/instanceof PublishError/);
	await untilSaid(await open(first, program), /^published [0-9a-f]{8}-\d+$/);
	await untilSaid(await open(first, 'sluice.close();', program), /^failed not_sent$/);
});

test('after a reload it receives what it missed, and nothing twice', async () => {
	const program = place(doc.find(/sessionStorage\.cursor = /), world.gateway.url);
	const page = await openPage(world.context, world.gateway.url);
	await start(page, program);
	await until('a first message', async () => {
		await publish('before');
		return count(page, 'received before');
	});
	const last = await publish('last before');
	await untilSaid(page, /^received last before$/);
	assert.equal(await page.evaluate(() => sessionStorage.cursor), last);
	await page.goto('about:blank');
	await publish('missed');
	await page.goto(`${world.gateway.url}healthz`);
	await start(page, program);
	await untilSaid(page, /^received missed$/);
	assert.deepEqual(await page.evaluate(() => window.said), ['received missed']);
});

test('a gap names its channel', async () => {
	const old = first.replace("since: '0'", "since: '11111111-9'").replace(/^await .*$/m, ''); // the listener comes in time
	await untilSaid(await open(old, doc.find(/addEventListener\('gap'/)), /^gap chat 11111111-9 [0-9a-f]{8}-\d+$/);
});

test('two tabs share one connection', async () => {
	const program = doc.find(/share: true/);
	const pages = [await open(program), await open(program)];
	for (const page of pages)
		await until('a message', async () => {
			await publish('for all');
			return count(page, 'shared for all');
		});
	await until('one connection', async () =>
		(await world.gateway.getStats()).transports.websocket.connections === 1);
});

test('in Node, with the package as it is installed', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-javascript-'));
	try {
		mkdirSync(join(folder, 'node_modules'));
		symlinkSync(resolve(process.env.SLUICE_WEB, 'client'), join(folder, 'node_modules/sluice-client'));
		symlinkSync(resolve('node_modules/ws'), join(folder, 'node_modules/ws'));
		writeFileSync(join(folder, 'listen.mjs'), place(doc.find(/from 'sluice-client'/), world.gateway.url));
		await publish('for Node');
		const child = spawn(process.execPath, ['listen.mjs'],
			{ cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], timeout: 60000, killSignal: 'SIGKILL' });
		for await (const line of createInterface({ input: child.stdout }))
			if (line === 'chat for Node')
				child.kill();
		assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGTERM');
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test('diagnose writes a verdict', async () =>
	untilSaid(await open(doc.find(/writeReport/)), /websocket/i));

test('each program of the page is one of these', () => assert.deepEqual(doc.unused, []));
