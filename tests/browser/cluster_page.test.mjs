// The page of scripts/demo --cluster in a real browser: three NATS servers, two gateways, and buttons that kill.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { names, until } from './gateway.mjs';
import { assertAccessible } from './world.mjs';

const { SLUICE, SLUICE_WEB } = process.env;
const SUPERVISOR = join(dirname(SLUICE), 'sluice-cluster');

/** Why it cannot run here; tests that must run where all is installed fail then. */
function findMissing() {
	const told = spawnSync(SLUICE, ['--backend=nats', '--shards=0'], { encoding: 'utf8' });
	if (!`${told.stdout}${told.stderr}`.includes('--shards'))
		return 'the gateway was built without libnats';
	return existsSync(SUPERVISOR) ? false : 'sluice-cluster is not built';
}

const skip = process.env.SLUICE_REQUIRE_TOOLS ? false : findMissing();
const complaints = [];
let supervisor, browser, urls, page;

before(async () => {
	if (skip)
		return;
	browser = await launch();
	supervisor = spawn(SUPERVISOR, ['--port', '0', '--', '--web', SLUICE_WEB, '--limits', 'off'],
		{ stdio: ['ignore', 'pipe', 'inherit'] });
	urls = [];
	for await (const line of createInterface({ input: supervisor.stdout })) {
		urls.push(line.replace('listening ', ''));
		if (urls.length === 2)
			break;
	}
	urls.sort(); // gateway a has the lower port
	await untilWhole();
	page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
	page.on('pageerror', (error) => complaints.push(String(error)));
	await page.goto(urls[0]);
	await until('every lane to receive', async () => (await numbers()).every((number) => number > 3));
});

after(async () => {
	await browser?.close();
	if (!supervisor)
		return;
	const gone = once(supervisor, 'exit');
	supervisor.kill('SIGINT');
	assert.deepEqual(await gone, [0, null]);
});

afterEach(() => assert.deepEqual(complaints.splice(0), []));

/** All run, and one leads. */
const untilWhole = () => until('all to be ready, with a leader', async () => {
	const { nodes } = await ask();
	return nodes.every(({ state }) => state === 'ready') && nodes.some(({ leads }) => leads);
});

/** Of either gateway: one may be dead. */
async function ask() {
	for (const url of urls) {
		const response = await fetch(`${url}demo/api/cluster`).catch(() => null);
		if (response?.ok)
			return response.json();
	}
	return { nodes: [{ state: 'down' }] };
}

const post = (what, name, headers = {}) => fetch(`${urls[1]}demo/api/${what}?name=${name}`, { method: 'POST', headers });
const read = (selector) => page.$eval(selector, (element) => element.textContent);
const readAll = (selector) => page.$$eval(selector, (all) => all.map((element) => element.textContent));
const toNumber = (text) => Number(text.replaceAll(',', ''));
const numbers = async () => {
	const texts = (await page.$$('#cluster-lanes tr')).length ? await readAll('#cluster-lanes .cluster-number') : [];
	return texts.length === names.length ? texts.map(toNumber) : [0];
};
const gateways = () => page.$$eval('#cluster-lanes input:checked', (all) => all.map(({ value }) => value));
const press = (name) => page.click(`#cluster button[aria-label$=" ${name}"]`);

/** All that was published so far reaches each lane, once and in order. */
async function assertDelivered() {
	const published = toNumber(await read('#cluster-published'));
	await until('all that was published', async () => (await numbers()).every((number) => number >= published));
	await until('all of them on all lanes', async () => toNumber(await read('#cluster-received')) >=
		published * names.length);
	assert.match(await read('#cluster-verdict'), /^0 lost, 0 duplicated, 0 out of order$/);
}

async function untilPublished(more) {
	const before = toNumber(await read('#cluster-published'));
	await until('further publishes', async () => toNumber(await read('#cluster-published')) >= before + more);
}

test('lanes are moved from one gateway to the other while they run, and lose nothing', { skip }, async () => {
	const before = await gateways();
	assert.deepEqual([...new Set(before)].sort(), ['a', 'b'], 'both gateways serve');
	await page.click('#cluster-swap');
	const swapped = before.map((name) => name === 'a' ? 'b' : 'a').join();
	await until('all to have moved', async () => (await gateways()).join() === swapped);
	await untilPublished(10);
	await page.click('label:has(#cluster-websocket-a)');
	await page.click('label:has(#cluster-websocket-b)');
	assert.match((await readAll('#cluster-events li'))[0], /websocket: a → b – resumes at [0-9a-f]{8}-\d+/);
	await untilPublished(10);
	await assertDelivered();
	assert.ok(toNumber(await read('#cluster-moves')) >= 6);
});

test('the gateway that served the page is killed: all goes on at the other one, and it comes back', { skip }, async () => {
	await press('a');
	await until('no lane at a', async () => (await gateways()).every((name) => name === 'b'));
	await until('its death to be told', async () => (await readAll('#cluster-events b')).includes('Gateway a was killed'));
	assert.equal(await page.isDisabled('#cluster button[aria-label="Kill b"]'), true, 'the last gateway stays');
	await untilPublished(10);
	await assertDelivered();
	await press('a');
	await until('it to be ready', async () => (await readAll('#cluster-events b')).includes('Gateway a is ready'));
	await page.click('#cluster-swap');
	await untilPublished(10);
	await assertDelivered();
});

test('the leader and another server are killed: lanes are told, and nothing is lost', { skip }, async () => {
	const leader = await page.$eval('.cluster-nats[data-leads] button', (button) => button.getAttribute('aria-label').slice(-2));
	const killed = [leader, leader === 'n1' ? 'n2' : 'n1'];
	for (const name of killed)
		await press(name);
	await until('lanes that are told', async () =>
		(await readAll('#cluster-events b')).some((words) => words.endsWith('reports the bus as unreachable')));
	await until('a publish that waits', async () => /has waited/.test(await read('#cluster-waiting')));
	for (const name of killed)
		await press(name);
	await until('the bus to be back', async () =>
		(await readAll('#cluster-events b')).some((words) => words.endsWith('reports the bus as reachable again')));
	await untilPublished(10);
	await assertDelivered();
});

test('pages of other origins kill nothing', { skip }, async () => {
	const { status } = await post('kill', 'n1', { Origin: 'http://evil.example' });
	assert.equal(status, 403);
	assert.equal((await post('kill', 'n9')).status, 404);
	assert.ok((await ask()).nodes.every(({ wanted }) => wanted));
});

test('axe finds nothing wrong, and a phone shows all of it', { skip }, async () => {
	for (const colorScheme of ['light', 'dark']) {
		await page.emulateMedia({ colorScheme });
		await assertAccessible(page, ['#cluster']);
	}
	await page.setViewportSize({ width: 360, height: 780 });
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	assert.equal(await page.isVisible('#cluster-verdict'), true);
});
