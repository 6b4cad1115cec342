// The verdict in a real browser: on the page, and behind sluice-obstacle.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { names, until } from './gateway.mjs';
import { complaints, context, gateway, openPage, useWorld } from './world.mjs';

let page, obstacle;

useWorld();

beforeEach(async () => {
	page = await openPage();
});

afterEach(async () => {
	if (obstacle)
		await stopObstacle();
});

/** The page comes through it, so that what it diagnoses is that path; its origin is rewritten
 * to one that the gateway knows by the Host that the browser sends. */
async function startObstacle(...faults) {
	const { port } = new URL(gateway.url);
	obstacle = spawn(resolve(dirname(process.env.SLUICE), 'sluice-obstacle'), ['--listen', '0', '--to', `127.0.0.1:${port}`,
		...faults.flatMap((fault) => ['--fault', fault])], { stdio: ['ignore', 'pipe', 'inherit'] });
	for await (const line of createInterface({ input: obstacle.stdout }))
		return `http://127.0.0.1:${/:(\d+)$/.exec(line)[1]}/`;
}

async function stopObstacle() {
	const gone = once(obstacle, 'exit');
	obstacle.kill();
	await gone;
	obstacle = undefined;
}

async function run() {
	await until('the page to listen', async () => {
		await page.click('#diagnose-run');
		return page.$eval('#diagnose-verdict', ({ textContent }) => textContent);
	});
	await until('a verdict', () => page.$eval('#diagnose-run', ({ disabled }) => !disabled));
	return page.$eval('#diagnose-verdict', ({ textContent }) => textContent);
}

const states = () => page.$$eval('#diagnose-transports li', (rows) => rows.map((row) => row.dataset.state));

test('nothing in the way: all five work, the evidence stands below, and the browser has nothing to complain about', async () => {
	await page.goto(gateway.url);
	assert.ok(!(await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name)))
		.some((name) => /diagnose\.js$/.test(new URL(name).pathname) && name.includes('/client/')), 'loaded when asked for');
	await page.evaluate(() => document.getElementById('diagnose-through').checked = false);
	assert.match(await run(), /^Nothing is in the way of any transport\./);
	assert.deepEqual(await states(), names.map(() => 'works'));
	await page.click('#diagnose summary');
	const seen = await page.$eval('#diagnose-seen', ({ innerText }) => innerText);
	assert.match(seen, /WebSocket\s+handshake after \d+ ms, open after/);
	assert.match(seen, /the gateway got HTTP\/1\.1 with Host: 127\.0\.0\.1/);
	assert.deepEqual(complaints, []);
});

test('the verdict can be copied, as a text that says where to and why', async () => {
	await context.grantPermissions(['clipboard-read', 'clipboard-write']);
	await page.goto(gateway.url);
	assert.ok(await page.$eval('#diagnose-copy', ({ disabled }) => disabled), 'nothing to copy yet');
	const words = await run();
	await page.click('#diagnose-copy');
	await until('it to be copied', async () => await page.$eval('#diagnose-copy', ({ textContent }) => textContent) === 'Copied');
	const text = await page.evaluate(() => navigator.clipboard.readText());
	assert.ok(text.startsWith('The way to http://127.0.0.1') && text.includes(words) && text.includes('What was seen:'), text);
});

test('without a clipboard the text is there to be taken', async () => {
	await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
	await page.goto(gateway.url);
	const words = await run();
	await page.click('#diagnose-copy');
	assert.ok((await page.inputValue('#diagnose-text')).includes(words));
	assert.ok(await page.evaluate(() => document.activeElement.selectionEnd - document.activeElement.selectionStart > 100));
});

// Same-origin requests of a page carry no Origin but WebSocket and POST, which the gateway
// refuses from an origin that it does not know: the obstacle takes it away.
for (const [faults, words, wanted] of [
	[['strip-upgrade'], /removes the Upgrade header \(it answered in .* and the gateway saw an ordinary request\): WebSocket cannot work here/, 'dead works works works works'],
	[['half-up'], /nothing of what you send \(the gateway saw the upgrade and no frame\)/, 'dead works works works works'],
	[['refuse=403@transport=websocket'], /refuses the upgrade|blocked, with an upgrade or without/, 'dead works works works works'],
	[['buffer-type=text/event-stream'], /Server-Sent Events cannot work here/, 'works dead works works works'],
])
	test(`behind ${faults.join(' and ')}`, async () => {
		const url = await startObstacle('drop-header=Origin', ...faults);
		await page.goto(url);
		await page.evaluate(async (base) => {
			const { diagnose } = await import(`${base}client/diagnose.js`);
			window.found = await diagnose(base);
		}, url);
		const { verdict, transports } = await page.evaluate(() => window.found);
		assert.match(verdict, words);
		assert.equal(names.map((name) => transports[name].state).join(' '), wanted, verdict);
	});
