// Tokens in real browsers: renewed in mid-stream on every transport, shared by tabs, refused.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launch } from './browser.mjs';
import { openFirefox } from './firefox.mjs';
import { Gateway, names, until } from './gateway.mjs';

const { Door, LEEWAY, createBackend, mint, numbers } = await import(
	pathToFileURL(resolve(process.env.SLUICE_CLIENT ?? '', '../../tests/client/door.mjs')).href);
const SOON = 5 - LEEWAY; // such a token counts for 5 s more
const AWAY_MS = 8000; // longer than a browser waits by itself before it comes back
const MISSING = 'sluice_principals_total{result="missing"}';

const door = new Door();
let browser, gateway, context;

before(async () => {
	gateway = await new Gateway(...door.options).start();
	door.open(gateway);
	browser = await launch();
});

afterEach(() => context?.close());

after(async () => {
	await browser?.close();
	await door.stop();
});

/** A page of the gateway's origin with nothing on it but a Sluice, whose tokens `backend` makes; said:
 * all that its network and console showed. */
async function openTab(backend, options) {
	const page = await context.newPage();
	page.said = [];
	page.requests = 0;
	page.on('request', (request) => page.requests++ && page.said.push(request.url()));
	page.on('websocket', (socket) => page.said.push(socket.url()));
	page.on('console', (message) => page.said.push(message.text()));
	await page.exposeFunction('getToken', backend);
	await page.goto(`${gateway.url}healthz`);
	await page.evaluate(async (given) => {
		const { Sluice } = await import('/client/sluice.js');
		window.told = [];
		window.data = [];
		window.sluice = new Sluice('/', { ...given, token: () => window.getToken() });
		for (const type of ['open', 'transport', 'gap', 'state', 'error'])
			window.sluice.addEventListener(type, ({ code, message, state, why, from, to }) =>
				window.told.push({ type, code, message, state, why, from, to }));
		window.sluice.addEventListener('message', (event) => window.data.push(event.data));
	}, options);
	return page;
}

const read = (page, name) => page.evaluate((wanted) => window[wanted], name);
const isState = (page, state) => page.evaluate((wanted) => window.sluice.state === wanted, state);
const reach = (pages, state) => Promise.all(pages.map((page) => until(state, () => isState(page, state))));

/** Nothing of a token is in what a page said, told or stored. */
async function checkSilence(page, tokens) {
	const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
	const text = [...page.said, stored, JSON.stringify(await read(page, 'told'))].join('\n');
	for (const token of tokens)
		for (const part of token.split('.').slice(1))
			assert.ok(!text.includes(part), text);
}

/** All that came, from the first on, is all that was sent. */
async function checkAll(page, sent) {
	await until('the last', async () => (await read(page, 'data')).at(-1) === sent);
	const data = await read(page, 'data');
	assert.deepEqual(data, numbers(sent, data[0]));
	assert.ok(!(await read(page, 'told')).some(({ type }) => type === 'gap'));
}

for (const [what, lives] of [['a token expires in mid-stream', [SOON, 3600]], ['tokens of few seconds are renewed beside the old link', [5]]])
	test(`${what}: each transport alone and all together go on, and lose nothing`, async () => {
		context = await browser.newContext();
		const backends = [];
		const pages = [];
		for (const transports of [...names.map((name) => [name]), names]) {
			backends.push(createBackend(...lives));
			pages.push(await openTab(backends.at(-1), { channels: ['token.feed'], transports, hold: 2, pollInterval: 100,
				...transports === names && { storage: null, timings: { race: 20000 } } })); // what the others remember is not for it
		}
		await reach(pages, 'open');
		const stop = door.feed('token.feed');
		await until('new tokens', () => backends.every(({ asked }) => asked >= 2));
		const before = await Promise.all(pages.map(async (page) => (await read(page, 'data')).length));
		await until('more', async () => (await Promise.all(pages.map((page) => read(page, 'data')))).every(({ length }, i) => length > before[i] + 20));
		const sent = await stop();
		for (const [i, page] of pages.entries()) {
			await checkAll(page, sent);
			await checkSilence(page, backends[i].tokens);
			const told = await read(page, 'told');
			assert.equal(await page.evaluate(() => window.sluice.transport), names[i % names.length], JSON.stringify(told));
			assert.ok(!told.some(({ code }) => code === 'blocked'), JSON.stringify(told));
			if (lives.length === 1)
				assert.deepEqual(told.filter(({ type }) => type === 'state').map(({ state }) => state), ['connecting', 'open'], JSON.stringify(told));
		}
	});

test('tabs that share one connection: its token expires in mid-stream, the leader closes; all get all', async () => {
	context = await browser.newContext();
	const backends = [];
	const pages = [];
	for (let i = 0; i < 4; i++) {
		backends.push(createBackend(SOON + 3, 3600));
		pages.push(await openTab(backends.at(-1), { channels: ['token.share'], share: true }));
	}
	await reach(pages, 'open');
	const stop = door.feed('token.share');
	await until('a new token', () => backends.some(({ asked }) => asked > 1));
	await until('some', async () => (await read(pages[3], 'data')).length > 50);
	await pages.shift().close();
	const { length } = await read(pages[2], 'data');
	await until('more', async () => (await read(pages[2], 'data')).length > length + 50);
	const sent = await stop();
	for (const page of pages) {
		await checkAll(page, sent);
		await checkSilence(page, backends.flatMap(({ tokens }) => tokens));
		assert.deepEqual(await page.evaluate(async () => (await navigator.locks.query()).held.map(({ name }) => name.replace(/ [a-z0-9]{8,14} /, ' X '))),
			[`sluice 2 ${gateway.url} X `]);
	}
});

test('a wrong token: the code, the state closed, and few requests; nothing is remembered or blamed', async () => {
	context = await browser.newContext();
	for (const transports of [...names.map((name) => [name]), names]) {
		const backend = createBackend(() => mint(3600, {}, 'a key of somebody else'));
		const page = await openTab(backend, { channels: ['token.wrong'], transports });
		await until('the end', () => isState(page, 'closed'));
		const { requests } = page;
		await page.waitForTimeout(1000);
		assert.equal(page.requests, requests, `${transports}`);
		assert.equal(backend.asked, 2);
		const told = await read(page, 'told');
		assert.deepEqual(told.filter(({ code }) => code === 'unauthorized').length, 1, JSON.stringify(told));
		assert.ok(!told.some(({ type, code }) => code === 'blocked' || type === 'transport'), JSON.stringify(told));
		assert.equal(await page.evaluate(() => localStorage.length), 0);
		await checkSilence(page, backend.tokens);
		await page.close();
	}
});

test('a first token that has expired: websocket all the same, by a new one', async () => {
	context = await browser.newContext();
	const backend = createBackend(-LEEWAY - 60, 3600);
	const page = await openTab(backend, { channels: ['token.first'], timings: { race: 20000 } }); // a busy machine is late
	await reach([page], 'open');
	const told = await read(page, 'told');
	assert.deepEqual(told.filter(({ type }) => type === 'transport').map(({ to }) => to), ['websocket'], JSON.stringify(told));
	assert.match(await page.evaluate(() => JSON.stringify({ ...localStorage })), /websocket/);
	assert.equal(backend.asked, 2);
});

/** In the page: an EventSource as others write it. */
const openPlain = async (address) => {
	window.byes = [];
	const source = new EventSource(address);
	source.addEventListener('bye', ({ data }) => window.byes.push(JSON.parse(data)));
	await new Promise((done) => source.addEventListener('bye', done, { once: true }));
};

for (const [name, open] of [['Chromium', async () => {
	context = await browser.newContext();
	return { page: await context.newPage(), close: () => {} };
}], ['Firefox', () => openFirefox()]])
	test(`${name}: a native EventSource without leave hears why, and stays away`, async () => {
		const { page, close } = await open();
		try {
			await page.goto(`${gateway.url}healthz`);
			const missing = await door.count(MISSING) || 0;
			await page.evaluate(openPlain, '/sse?channels=token.plain');
			const [bye] = await read(page, 'byes');
			assert.deepEqual([bye.reason, bye.retry > 2 ** 30], ['unauthorized', true]);
			await new Promise((done) => setTimeout(done, AWAY_MS));
			assert.equal((await read(page, 'byes')).length, 1);
			assert.equal(await door.count(MISSING), missing + 1);
		} finally {
			await close();
		}
	});
