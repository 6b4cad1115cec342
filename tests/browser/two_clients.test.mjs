// One chat in two clients: Sluice's own and socket.io-client, unmodified, on the demo page in a real browser.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Gateway, until } from './gateway.mjs';
import { assertAccessible, complaints, context, gateway, openPage, useWorld } from './world.mjs';

const SIDES = ['native', 'socketio'];
let page;

useWorld({ options: ['--obstacle', 'none'] });

beforeEach(async () => {
	page = await openPage();
	await page.goto(gateway.url);
	await page.evaluate(() => document.getElementById('clients').scrollIntoView());
});

const read = (selector) => page.$eval(selector, (element) => element.textContent);
const readAll = (selector) => page.$$eval(selector, (all) => all.map((element) => element.textContent));
const lines = (side) => readAll(`#clients-${side}-lines li`);
const way = async (side) => (await readAll(`#clients-${side}-way .number`)).join('');
const share = async (side, part) => Number((await read(`#clients-${side} dd.part-${part}`)).replaceAll(',', ''));

async function untilOpen() {
	await until('Sluice’s client', async () => /websocket after \d+ ms$/.test(await way('native')));
	await until('socket.io-client', async () => /^polling after \d+ ms, then websocket after \d+ ms$/.test(await way('socketio')));
}

async function say(side, words) {
	await page.fill(`#clients-${side}-text`, words);
	await page.press(`#clients-${side}-text`, 'Enter');
}

test('what either says, and what a backend publishes, both hear; the change from polling to websocket is shown', async () => {
	await untilOpen();
	assert.equal(await read('#clients-socketio-way .badge'), 'websocket');
	await say('native', 'from the one');
	await say('socketio', 'from the other');
	for (const side of SIDES)
		await until(`both lines, and a backend's, at ${side}`, async () => {
			const all = (await lines(side)).join('\n');
			return all.includes('Sluice’s client from the one') && all.includes('socket.io-client from the other') &&
				/^backend It is \d/m.test(all);
		});
	assert.deepEqual(complaints, []);
});

test('bytes a message are those of the sockets, for both', async () => {
	await untilOpen();
	for (const side of SIDES)
		await until(`bytes of ${side}`, async () => /^\d+ B$/.test(await read(`#clients-${side} .total`)));
	for (const side of SIDES) {
		assert.ok(await share(side, 'payload') > 20);
		assert.ok(await share(side, 'framing') > 0);
	}
	// Over a WebSocket the event is little more than its payload; over polling each message has two heads.
	assert.ok(await share('socketio', 'framing') < await share('native', 'framing'));
	await page.selectOption('#clients-socketio-over', 'polling');
	await until('polling', async () => /^polling after \d+ ms$/.test(await way('socketio')));
	await until('heads', async () => await share('socketio', 'heads') > 100);
	assert.deepEqual(complaints, []);
});

test('each transport that can be chosen carries the chat', async () => {
	await untilOpen();
	for (const name of ['websocket', 'polling']) {
		await page.selectOption('#clients-socketio-over', name);
		await until(name, async () => (await way('socketio')).startsWith(`${name} after`));
		await until('a message', async () => (await lines('socketio')).length > 0);
	}
	for (const name of ['sse', 'longpoll']) {
		await page.selectOption('#clients-native-over', name);
		await until(name, async () => (await way('native')).startsWith(`${name} after`));
		await until('a message', async () => (await lines('native')).length > 0);
	}
	assert.deepEqual(complaints, []);
});

test('markup stays text, and who leaves the panel leaves the chat', async () => {
	await untilOpen();
	const text = '<img src=x onerror="window.hacked=1"><b>bold</b>';
	await say('socketio', text);
	await until('the line', async () => (await lines('native')).some((line) => line.endsWith(text)));
	assert.equal(await page.evaluate(() => window.hacked ?? document.querySelector('.clients .chat-said img, .clients .chat-said b')), null);
	await page.evaluate(() => document.getElementById('lanes').scrollIntoView());
	for (const side of SIDES)
		await until(`${side} to rest`, async () => /^paused/.test(await way(side)));
	assert.deepEqual(complaints, []);
});

for (const width of [1280, 390])
	for (const colorScheme of ['light', 'dark'])
		test(`axe finds nothing in it, and nothing is wider than the window: ${width} pixels, ${colorScheme}`, async () => {
			await page.setViewportSize({ width, height: 900 });
			await page.emulateMedia({ colorScheme });
			await page.evaluate(() => document.getElementById('clients').scrollIntoView());
			await untilOpen();
			await until('bytes', async () => /^\d+ B$/.test(await read('#clients-socketio .total')));
			await assertAccessible(page, ['#clients']);
			assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
			assert.deepEqual(complaints, []);
		});

test('the keyboard alone is enough', async () => {
	await untilOpen();
	await page.focus('#clients-backend');
	await page.keyboard.press('Space');
	const wanted = ['PRE', 'SELECT', 'OL', 'INPUT', 'BUTTON'];
	for (const name of [...wanted, ...wanted]) {
		await page.keyboard.press('Tab');
		assert.equal(await page.evaluate(() => document.activeElement.tagName), name);
	}
	await page.focus('#clients-socketio-text');
	await page.keyboard.type('typed');
	await page.keyboard.press('Enter');
	await until('it', async () => (await lines('native')).includes('socket.io-client typed'));
	assert.deepEqual(complaints, []);
});

test('a gateway that serves no Socket.IO is told so, and asked no more', async () => {
	const other = await new Gateway('--obstacle', 'none', '--no-engine-io').start();
	try {
		const visitor = await context.newPage();
		await visitor.goto(other.url);
		await visitor.evaluate(() => document.getElementById('clients').scrollIntoView());
		await until('the words', async () => /does not serve Socket\.IO clients/.test(await visitor.textContent('#clients-socketio-way')));
		await until('its own client', async () => /websocket after/.test(await visitor.textContent('#clients-native-way')));
	} finally {
		await other.stop();
	}
});
