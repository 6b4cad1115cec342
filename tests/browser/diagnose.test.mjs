// The verdict in a real browser: on the page, and behind sluice-obstacle.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { names, until } from './gateway.mjs';
import { complaints, context, gateway, openPage, useWorld } from './world.mjs';

let page, obstacle, site;

useWorld();

beforeEach(async () => {
	page = await openPage();
});

afterEach(async () => {
	if (obstacle)
		await stopObstacle();
	site?.closeAllConnections();
	site?.close();
	site = undefined;
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

/** From the page as it is, with the client that it came with. */
function diagnose(url, options) {
	return page.evaluate(async ([target, wanted]) => {
		const { diagnose: run } = await import('/client/diagnose.js');
		return run(target, wanted);
	}, [url, options]);
}

const states = () => page.$$eval('#diagnose-transports li', (rows) => rows.map((row) => row.dataset.state));

test('nothing in the way: all five work, the evidence stands below, and the browser has nothing to complain about', async () => {
	await page.goto(gateway.url);
	assert.ok(!(await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name)))
		.some((name) => /diagnose\.js$/.test(new URL(name).pathname) && name.includes('/client/')), 'loaded when asked for');
	await page.evaluate(() => document.getElementById('diagnose-through').checked = false);
	assert.match(await run(), /^All transports work\./);
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
	assert.ok(text.startsWith('The path to http://127.0.0.1') && text.includes(words) && text.includes('Evidence:'), text);
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
	[['strip-upgrade'], /WebSocket cannot work here: .*removes the Upgrade header \(the answer took .*, and the gateway saw an ordinary request\)/, 'dead works works works works'],
	[['half-up'], /no data to the gateway \(which saw the upgrade and no frame\)/, 'dead works works works works'],
	[['refuse=403@transport=websocket'], /refuses the upgrade|blocks .* with an upgrade or without/, 'dead works works works works'],
	[['buffer-type=text/event-stream'], /Server-Sent Events cannot work here/, 'works dead works works works'],
	[['cache-replay=1'], /a cache on the path gives old answers to polls .*; the client polls by POST instead/, 'works works works degraded degraded'],
])
	test(`behind ${faults.join(' and ')}`, async () => {
		const url = await startObstacle('drop-header=Origin', ...faults);
		await page.goto(url);
		const { verdict, transports } = await diagnose(url);
		assert.match(verdict, words);
		assert.equal(names.map((name) => transports[name].state).join(' '), wanted, verdict);
	});

test('behind a proxy whose origin the gateway does not know: its own words, and no proxy is blamed', async () => {
	const url = await startObstacle();
	await page.goto(url);
	const { verdict, transports } = await diagnose(url);
	const { origin } = new URL(url);
	assert.ok(verdict.startsWith('WebSocket, Server-Sent Events and HTTP streaming cannot work here: the gateway does not allow pages of ' +
		`${origin}; start it with --public-origin ${origin} (or --allow-origin ${origin}).`), verdict);
	assert.doesNotMatch(verdict, /proxy/);
	assert.equal(names.map((name) => transports[name].state).join(' '), 'dead dead dead degraded degraded');
});

/** A site of somebody else, with the client's modules. */
async function startSite() {
	site = http.createServer(({ url }, response) => {
		const { pathname } = new URL(url, 'http://site');
		const isModule = pathname.endsWith('.js');
		response.writeHead(200, { 'Content-Type': isModule ? 'text/javascript' : 'text/html' });
		response.end(isModule ? readFileSync(resolve(process.env.SLUICE_WEB, `.${pathname}`)) : '<!doctype html><title>A site</title>');
	}).listen(0, '127.0.0.1');
	await once(site, 'listening');
	return `http://127.0.0.1:${site.address().port}`;
}

for (const [what, options] of [['', {}], [', which sends a token', { token: 'secret' }]])
	test(`a page of another site${what} is told that the gateway does not allow it`, async () => {
		const origin = await startSite();
		await page.goto(origin);
		const { verdict, transports } = await diagnose(gateway.url, options);
		assert.ok(verdict.startsWith('WebSocket, Server-Sent Events, HTTP streaming, long-polling and short polling cannot work here: ' +
			`the gateway does not allow pages of ${origin}; start it with --public-origin ${origin} (or --allow-origin ${origin}). No transport works here`), verdict);
		assert.ok(names.every((name) => transports[name].state === 'dead'));
	});

test('somebody else, whose answers a page may not read, is not taken for nobody', async () => {
	const other = await startSite();
	await page.goto(other);
	const { verdict } = await diagnose(other.replace('127.0.0.1', 'localhost'));
	assert.match(verdict, /^The gateway cannot be reached: a server answers at this address, but this page may not read the answer/);
});
