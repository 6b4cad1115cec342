// The demo page in a real browser, against a real gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { names, until } from './gateway.mjs';
import { assertAccessible, complaints, context, gateway, openPage, useWorld } from './world.mjs';

let page;

useWorld({ width: 1440 });

/** Opens the page; all that the browser complains about is written down. */
async function open(prepare) {
	const opened = await openPage(() => true);
	opened.on('requestfailed', (request) => {
		const { errorText } = request.failure();
		if (errorText !== 'net::ERR_ABORTED') // what the client itself ends
			complaints.push(`${request.url()}: ${errorText}`);
	});
	opened.on('response', (response) => {
		if (response.status() >= 400)
			complaints.push(`${response.url()}: ${response.status()}`);
	});
	await prepare?.(opened);
	await opened.goto(gateway.url);
	return opened;
}

/** The texts of all lanes' elements of that kind, without separators of thousands. */
async function read(selector) {
	const texts = await page.$$eval(`.lane ${selector}`, (all) => all.map(({ textContent }) => textContent));
	assert.equal(texts.length, names.length, selector);
	return texts.map((text) => text.replace(/(\d),(?=\d)/g, '$1'));
}

async function states(from = page) {
	const all = await from.$$eval('.lane', (lanes) => lanes.map((lane) => lane.dataset.state));
	assert.equal(all.length, names.length);
	return all;
}

function allAre(state, from = page) {
	return until(`every lane is ${state}`, async () => (await states(from)).every((one) => one === state));
}

async function watch(channel) {
	await page.selectOption('#channel', '');
	await page.fill('#channel-name', channel);
	await page.click('#watch button');
	// What is seen changes with the next frame: until then it is the channel before.
	await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
	await allAre('open');
}

async function publishNumbers(channel, first, last) {
	for (let number = first; number <= last; number++)
		await gateway.publish(channel, `message ${number}`);
}

/** How many messages each lane has counted. */
const counts = async () => (await read('.messages')).map(Number);

/** From now on, with no more coming, every lane has had these: not one more, in order, once. */
async function assertReceived(before, first, last) {
	const wanted = before.map((count) => count + last - first + 1);
	await until('all messages on every lane', async () =>
		(await counts()).every((count, i) => count >= wanted[i]));
	assert.deepEqual(await counts(), wanted);
	const rows = await page.$$eval('.lane ol', (lists) => lists.map((list) =>
		[...list.children].filter((row) => row.dataset.id).map((row) => row.lastChild.textContent)));
	const latest = Array.from({ length: Math.min(6, last - first + 1) }, (_, i) => `message ${last - i}`);
	for (const row of rows)
		assert.deepEqual(row.slice(0, latest.length).filter((text) => text.startsWith('message')), latest.slice(0, row.length));
}

async function setHidden(hidden) {
	await page.evaluate((value) => {
		Object.defineProperty(document, 'hidden', { value, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	}, hidden);
}

test('every lane receives, its figures rise, and the browser has nothing to complain about', async () => {
	page = await open();
	assert.deepEqual(await page.$$eval('.lane h3', (all) => all.map((h3) => h3.textContent)), names);
	await until('messages', async () => (await counts()).every((count) => count > 10));
	await until('requests and connections', async () => [...await read('.requests'), ...await read('.connections')]
		.every((count) => Number(count) >= 1));
	await until('latencies', async () => [...await read('.p50'), ...await read('.p99')].every((text) => /^[\d.]+ m?s$/.test(text)));
	await until('bytes', async () => (await read('.total')).every((text) => /^\d+ B$/.test(text)));
	await until('a summary of who spoke', async () => (await read('.said')).every((text) => /gateway [1-9]\d*×$/.test(text)));
	const before = await counts();
	await until('more of them', async () => (await counts()).every((count, i) => count > before[i]));
	await until('heads paid once on a socket, and with every long-poll', async () => {
		const [websocket, , , longpoll] = (await read('dd.part-heads')).map(Number);
		return websocket < 1 && longpoll > 100;
	});
	for (const feed of ['demo.clock', 'demo.tokens']) {
		await page.selectOption('#channel', feed);
		await allAre('open');
		const then = await counts();
		await until(`messages of ${feed}`, async () => (await counts()).every((count, i) => count > then[i]));
	}
	assert.deepEqual(complaints, []);
});

test('each lane has an origin of its own but websocket', async () => {
	const asked = new Map();
	page = await open((opened) => opened.on('request', (request) => {
		const { origin, searchParams } = new URL(request.url());
		const [, name] = /^lane-(\w+)-/.exec(searchParams.get('demo')) ?? [];
		if (name)
			asked.set(name, origin);
	}));
	await allAre('open');
	assert.equal(new Set([...asked.values(), new URL(gateway.url).origin]).size, 5);
});

test('a lane whose origin cannot be reached goes to the page\'s own', async () => {
	let origin;
	page = await open(async (opened) => {
		const { origins } = await (await fetch(`${gateway.url}demo/api/origins`)).json();
		[origin] = origins; // of sse
		await opened.route(`${origin}/**`, (route) => route.abort('connectionrefused'));
	});
	await allAre('open');
	await until('messages', async () => (await counts()).every((count) => count > 3));
});

test('a text that is published from the page shows on every lane', async () => {
	page = await open();
	await watch('test.form');
	await page.fill('#text', 'Grüße <b>&amp; "more"</b>');
	await page.press('#text', 'Enter');
	await until('the text', async () => (await page.$$eval('.lane ol', (lists) => lists.map((list) => list.textContent)))
		.every((text) => text.includes('Grüße <b>&amp; "more"</b>')));
	assert.match(await page.textContent('#outcome'), /^[0-9a-f]{8}-\d+$/);
	assert.deepEqual(complaints, []);
});

test('lanes that were stopped go on at their cursors, one by one or all at once', async () => {
	page = await open();
	await watch('test.stop');
	const before = await counts();
	await publishNumbers('test.stop', 1, 5);
	await assertReceived(before, 1, 5);
	await page.click('#lane-stream .toggle');
	await until('stream stopped', async () => (await states())[2] === 'stopped');
	await page.click('#all');
	await allAre('stopped');
	await publishNumbers('test.stop', 6, 20);
	await page.click('#all');
	await assertReceived(before, 1, 20);
	assert.deepEqual(complaints, []);
});

test('a hidden page holds no connections, and goes on at its cursors', async () => {
	page = await open();
	await watch('test.hidden');
	const before = await counts();
	await publishNumbers('test.hidden', 1, 5);
	await assertReceived(before, 1, 5);
	await page.click('#lane-sse .toggle'); // stopped by hand, so not to be started by coming back
	await setHidden(true);
	await until('no connection', async () => {
		const { transports } = await gateway.getStats();
		return names.slice(0, 3).every((name) => transports[name].connections === 0);
	});
	await publishNumbers('test.hidden', 6, 10);
	await setHidden(false);
	await until('all but one are open', async () =>
		(await states()).filter((state) => state === 'open').length === 4);
	assert.equal((await states())[1], 'stopped');
	await page.click('#lane-sse .toggle');
	await assertReceived(before, 1, 10);
	assert.deepEqual(complaints, []);
});

test('lanes rest while another window is in front, say so, and lose nothing', async () => {
	page = await open();
	await watch('test.windows');
	const before = await counts();
	await publishNumbers('test.windows', 1, 3);
	await assertReceived(before, 1, 3);
	const other = await open();
	await allAre('open', other);
	await allAre('resting');
	assert.match(await page.textContent('#rests'), /another window/i);
	await publishNumbers('test.windows', 4, 9);
	await page.evaluate(() => window.dispatchEvent(new Event('focus')));
	await allAre('resting', other);
	await assertReceived(before, 1, 9);
	assert.equal(await page.textContent('#rests'), '');
	await page.evaluate(() => window.dispatchEvent(new Event('blur')));
	await page.close();
	await allAre('open', other); // the one that is left
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
	test(`lanes come back after the gateway got ${signal}, nothing lost, nothing doubled`, async () => {
		page = await open();
		await watch('test.restart');
		const before = await counts();
		await publishNumbers('test.restart', 1, 20);
		await assertReceived(before, 1, 20);
		await gateway.stop(signal);
		await until('no lane is open', async () => !(await states()).includes('open'));
		await gateway.start();
		await publishNumbers('test.restart', 21, 40);
		await allAre('open');
		await publishNumbers('test.restart', 41, 45);
		await assertReceived(before, 1, 45);
		// The new gateway cannot know whether the old one had more: it says so.
		assert.deepEqual(await read('.state'), names.map(() => 'open, 1 gap'));
	});
}

test('leaving the page ends its connections', async () => {
	page = await open();
	await allAre('open');
	await page.goto('about:blank');
	await until('no connection', async () => {
		const { transports } = await gateway.getStats();
		return names.slice(0, 3).every((name) => transports[name].connections === 0);
	});
});

test('the table fills', async () => {
	page = await open();
	await until('every figure', () => page.$$eval('#comparison td.measured',
		(cells) => cells.length === 24 && cells.every((cell) => /^\d/.test(cell.textContent))));
	const requests = await page.$$eval('#comparison td.requests', (cells) => cells.map((cell) => Number(cell.textContent)));
	assert.equal(requests[0], 1, 'a plain request brings one message');
	assert.ok(requests[1] < 0.1, 'a socket needs none');
	assert.deepEqual(complaints, []);
});

test('choosing a lane, by mouse or by key, marks it alone', async () => {
	page = await open();
	await allAre('open');
	const pressed = () => page.$$eval('.pick', (all) => all.filter((pick) =>
		pick.getAttribute('aria-pressed') === 'true').map((pick) => pick.textContent));
	assert.deepEqual(await pressed(), ['websocket']);
	await page.click('#lane-longpoll .how');
	assert.deepEqual(await pressed(), ['longpoll']);
	await page.focus('#lane-sse .pick');
	await page.keyboard.press('Enter');
	assert.deepEqual(await pressed(), ['sse']);
	assert.deepEqual(await states(), names.map(() => 'open'), 'and stops nothing');
});

for (const width of [360, 1024, 1440])
	test(`at ${width} px the page does not scroll sideways, and nothing jumps`, async () => {
		await context.addInitScript(() => {
			window.shift = 0;
			new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) =>
				window.shift += hadRecentInput ? 0 : value)).observe({ type: 'layout-shift', buffered: true });
		});
		page = await open((opened) => opened.setViewportSize({ width, height: 800 }));
		await until('figures', async () => (await read('.total')).every((text) => /^\d+ B$/.test(text)));
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
		assert.ok(await page.evaluate(() => window.shift) < 0.05);
		const cells = await page.$$eval('#comparison td', (all) => all.map((cell) => cell.getBoundingClientRect())
			.filter((box) => box.width < 60 || box.height > 160).length);
		assert.equal(cells, 0, 'cells of the table that are squeezed');
	});

test('the keyboard reaches every control', async () => {
	page = await open();
	await allAre('open');
	const reached = new Set();
	await page.evaluate(() => document.activeElement.blur());
	for (let i = 0; i < 30; i++) {
		await page.keyboard.press('Tab');
		reached.add(await page.evaluate(() => document.activeElement.getAttribute('aria-label') ??
			(document.activeElement.id || document.activeElement.textContent)));
	}
	for (const control of ['channel', 'all', 'text', ...names, ...names.map((name) => `Stop ${name}`)])
		assert.ok(reached.has(control), control);
});

for (const colorScheme of ['light', 'dark'])
	test(`axe finds nothing wrong in ${colorScheme}`, async () => {
		page = await open((opened) => opened.emulateMedia({ colorScheme }));
		await until('messages', async () => (await counts()).every((count) => count > 3));
		await assertAccessible(page);
	});
