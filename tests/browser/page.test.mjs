// The demo page in a real browser, against a real gateway.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';

const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
let browser, gateway, page, complaints;

before(async () => {
	browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
	gateway = await new Gateway().start();
	page = await browser.newPage();
	complaints = [];
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type()))
			complaints.push(message.text());
	});
	page.on('pageerror', (error) => complaints.push(String(error)));
	await page.goto(gateway.url);
	// The lists on the page are short: what passes through them is written down here.
	await page.evaluate(() => {
		window.seen = {};
		for (const lane of document.querySelectorAll('article')) {
			const rows = window.seen[lane.id.slice('lane-'.length)] = [];
			new MutationObserver((records) => {
				for (const { addedNodes } of records)
					for (const row of addedNodes)
						if (row.dataset.id)
							rows.push({ id: row.dataset.id, text: row.lastChild.textContent });
			}).observe(lane.querySelector('ol'), { childList: true });
		}
	});
});

afterEach(async () => {
	await page.close();
	await gateway.stop();
});

async function watch(channel) {
	await page.selectOption('#channel', '');
	await page.fill('#name', channel);
	await page.click('#watch button');
	await page.evaluate(() => Object.values(window.seen).forEach((rows) => rows.length = 0));
	await allAre('open');
}

function allAre(state) {
	return until(`every lane is ${state}`, () => page.$$eval('article',
		(lanes, wanted) => lanes.every((lane) => lane.dataset.state === wanted), state));
}

/** What each lane has shown, once every one has shown `count` messages. */
async function seen(count) {
	await until(`${count} messages on every lane`, () => page.evaluate((wanted) =>
		Object.values(window.seen).every((rows) => rows.length >= wanted), count));
	return page.evaluate(() => window.seen);
}

async function publishNumbers(channel, first, last) {
	for (let number = first; number <= last; number++)
		await gateway.publish(channel, `message ${number}`);
}

function assertNumbers(rows, first, last, lane) {
	const wanted = Array.from({ length: last - first + 1 }, (_, i) => `message ${first + i}`);
	assert.deepEqual(rows.map(({ text }) => text), wanted, `${lane}: all of them, in order, once`);
	assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length, `${lane}: ids differ`);
}

test('every lane receives the demo feed, and the console stays empty', async () => {
	assert.deepEqual(await page.$$eval('h2', (all) => all.map((h2) => h2.textContent)), names);
	const rows = await seen(10);
	for (const name of names) {
		const numbers = rows[name].map(({ id }) => Number(id.split('-')[1]));
		assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b), name);
	}
	for (const feed of ['demo.clock', 'demo.tokens']) {
		await page.selectOption('#channel', feed);
		await allAre('open');
		await until(`messages of ${feed}`, () => page.$$eval('.count',
			(counts) => counts.every((count) => count.textContent !== '0')));
	}
	assert.deepEqual(complaints, []);
});

test('a text that is published from the page shows on every lane', async () => {
	await watch('test.form');
	await page.fill('#text', 'Grüße <b>&amp; "more"</b>');
	await page.press('#text', 'Enter');
	const rows = await seen(1);
	const id = await until('the id', () => page.textContent('#outcome'));
	for (const name of names)
		assert.deepEqual(rows[name], [{ id, text: 'Grüße <b>&amp; "more"</b>' }], name);
	assert.deepEqual(await page.$$eval('.bytes', (all) => all.map((bytes) => bytes.textContent)),
		names.map(() => '27 B'));
	assert.deepEqual(complaints, []);
});

test('a lane that was stopped goes on at its cursor', async () => {
	await watch('test.stop');
	await publishNumbers('test.stop', 1, 5);
	await seen(5);
	await page.click('#all');
	await allAre('stopped');
	await publishNumbers('test.stop', 6, 20);
	await page.click('#all');
	const rows = await seen(20);
	for (const name of names)
		assertNumbers(rows[name], 1, 20, name);
	assert.deepEqual(complaints, []);
});

test('a hidden page holds no connections, and goes on at its cursors', async () => {
	const setHidden = (hidden) => page.evaluate((value) => {
		Object.defineProperty(document, 'hidden', { value, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	}, hidden);
	await watch('test.hidden');
	await publishNumbers('test.hidden', 1, 5);
	await seen(5);
	await page.click('#lane-sse button'); // stopped by hand, so not to be started by coming back
	await setHidden(true);
	await allAre('stopped');
	await publishNumbers('test.hidden', 6, 10);
	await setHidden(false);
	await until('all but one are open', () => page.$$eval('[data-state="open"]', (lanes) => lanes.length === 4));
	await page.click('#lane-sse button');
	const rows = await seen(10);
	for (const name of names)
		assertNumbers(rows[name], 1, 10, name);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
	test(`lanes come back after the gateway got ${signal}, nothing lost, nothing doubled`, async () => {
		await watch('test.restart');
		await publishNumbers('test.restart', 1, 20);
		await seen(20);
		await gateway.stop(signal);
		await allAre('lost');
		await gateway.start();
		await publishNumbers('test.restart', 21, 40);
		await allAre('open');
		await publishNumbers('test.restart', 41, 45);
		const rows = await seen(45);
		for (const name of names)
			assertNumbers(rows[name], 1, 45, name);
		// The new gateway cannot know whether the old one had more: it says so.
		assert.deepEqual(await page.$$eval('.gaps', (all) => all.map((gaps) => gaps.textContent)),
			names.map(() => '1'));
	});
}

test('leaving the page ends its connections', async () => {
	await allAre('open');
	await page.goto('about:blank');
	await until('no connection', async () => {
		const { transports } = await gateway.getStats();
		return names.slice(0, 3).every((name) => transports[name].connections === 0);
	});
});

test('the page fits a phone, and the keyboard reaches every control', async () => {
	await page.setViewportSize({ width: 390, height: 844 });
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	const reached = new Set();
	await page.evaluate(() => document.activeElement.blur());
	for (let i = 0; i < 20; i++) {
		await page.keyboard.press('Tab');
		reached.add(await page.evaluate(() => document.activeElement.getAttribute('aria-label') ??
			document.activeElement.id));
	}
	for (const control of ['channel', 'all', 'text', ...names.map((name) => `Stop ${name}`)])
		assert.ok(reached.has(control), control);
});
