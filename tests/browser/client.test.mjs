// The client in a real browser: its own WebSocket, EventSource, locks and storage.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';

const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
let browser, gateway, context;

before(async () => {
	gateway = await new Gateway().start();
	browser = await launch();
});

afterEach(() => context.close());

after(async () => {
	await browser?.close();
	await gateway?.stop();
});

/** A page of the gateway's origin with nothing on it but a Sluice. */
async function openTab(options) {
	const page = await context.newPage();
	await page.goto(`${gateway.url}healthz`);
	await page.evaluate(async (given) => {
		const { Sluice } = await import('/client/sluice.js');
		window.sluice = new Sluice('/', given);
		window.data = [];
		window.moves = [];
		window.sluice.addEventListener('message', (event) => window.data.push(event.data));
		window.sluice.addEventListener('transport', ({ from, to, why }) => window.moves.push({ from, to, why }));
		await new Promise((resolve) => window.sluice.addEventListener('open', resolve, { once: true }));
	}, options);
	return page;
}

const read = (page, name) => page.evaluate((wanted) => window[wanted], name);
const publish = (channel, number) => gateway.publish(channel, String(number), 'application/json');

for (const name of names)
	test(`${name}: listens and publishes`, async () => {
		context = await browser.newContext();
		const page = await openTab({ channels: [`client.${name}`], transports: [name] });
		const id = await page.evaluate((channel) => window.sluice.publish(channel, { text: 'hi' }), `client.${name}`);
		await until('the message', async () => (await read(page, 'data')).length === 1);
		assert.deepEqual(await read(page, 'data'), [{ text: 'hi' }]);
		assert.match(id, /^[0-9a-f]{8}-\d+$/);
		assert.equal((await read(page, 'moves'))[0].to, name);
	});

test('what worked is remembered in localStorage', async () => {
	context = await browser.newContext();
	const page = await openTab({ channels: ['client.memory'] });
	const items = await page.evaluate(() => JSON.stringify(localStorage));
	assert.match(items, /sluice .*websocket/);
});

test('ten tabs with share use one connection and survive the leader\'s closing', async () => {
	context = await browser.newContext();
	const pages = [];
	for (let i = 0; i < 10; i++)
		pages.push(await openTab({ channels: ['client.share'], share: true, transports: ['sse'] }));
	const count = async () => (await gateway.getStats()).transports.sse.connections;
	await until('one connection', async () => await count() === 1);
	for (let number = 1; number <= 5; number++)
		await publish('client.share', number);
	await until('five in each', async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === 5));
	await pages.shift().close();
	for (let number = 6; number <= 10; number++)
		await publish('client.share', number);
	await until('ten in each', async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }) => length === 10));
	for (const page of pages)
		assert.deepEqual(await read(page, 'data'), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	await until('one connection again', async () => await count() === 1);
});

test('coming back to the page checks the connection, which stays', async () => {
	context = await browser.newContext();
	for (const name of names) {
		const page = await openTab({ channels: ['client.wake'], transports: [name] });
		await page.evaluate(() => window.dispatchEvent(new Event('online')));
		await page.waitForTimeout(2500);
		assert.equal((await read(page, 'moves')).length, 1, name);
		await publish('client.wake', 1);
		await until('a message', async () => (await read(page, 'data')).length === 1);
		await page.close();
	}
});
