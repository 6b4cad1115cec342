// The panels of the demo page in a real browser: the wire, try it, break it.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { names, until } from './gateway.mjs';
import { assertAccessible, complaints, gateway, openPage, pullPlug, useWorld } from './world.mjs';

let page;

useWorld({ options: ['--obstacle', 'none'] }); // with one: obstacle.test.mjs

beforeEach(async () => {
	page = await openWindow();
});

async function openWindow() {
	const opened = await openPage();
	await opened.goto(gateway.url);
	return opened;
}

const show = (id, window = page) => window.evaluate((section) => document.getElementById(section).scrollIntoView(), id);
const read = (selector) => page.$eval(selector, (element) => element.textContent);
const readAll = (selector, window = page) => window.$$eval(selector, (all) => all.map((element) => element.textContent));

/** Chooses the first line of the wire that has these words, and returns its detail. */
async function choose(words) {
	await until(`a line with ${words}`, () => page.evaluate((wanted) => {
		const row = [...document.querySelectorAll('#wire-list li')].find(({ textContent }) => wanted.test(textContent));
		row?.click();
		return Boolean(row);
	}, words));
	return read('#wire-detail');
}

async function selectLane(name) {
	await page.check(`input[name="wire-lane"][value="${name}"]`, { force: true });
	await page.click('#wire-anew');
}

test('the wire: websocket shows its upgrade, the 101 with the proof, and frames with messages that the lane received', async () => {
	await page.addInitScript(() => {
		window.got = new Set();
		const { WebSocket } = window;
		window.WebSocket = class extends WebSocket {
			constructor(...given) {
				super(...given);
				this.addEventListener('message', ({ data }) => window.got.add(JSON.parse(data).id));
			}
		};
	});
	await page.reload();
	await show('wire');
	await selectLane('websocket');
	const request = await choose(/GET \/ws/);
	assert.match(request, /GET \/ws\?\S* HTTP\/1\.1.*Sec-WebSocket-Key/s);
	const response = await choose(/101 Switching/);
	assert.match(response, /HTTP\/1\.1 101 Switching Protocols/);
	await until('the proof', async () => (await read('#wire-detail .accept')).includes('the same as the gateway sent'));
	const frame = await choose(/text · message/);
	for (const field of ['FIN', 'RSV1', 'opcode', 'MASK', 'length', 'RFC 6455, 5.2'])
		assert.ok(frame.includes(field), field);
	const message = JSON.parse(await read('#wire-detail .payload'));
	await until(`the lane received ${message.id}, which was sent`, () => page.evaluate((id) => window.got.has(id), message.id));
	assert.match(await choose(/text · ping/), /masking key.*"type": "ping"/s);
	await page.check('#wire-hex');
	assert.match(await read('#wire-detail .dump'), /^0000 {2}81 /);
	assert.deepEqual(complaints, []);
});

for (const [name, carried, words] of [
	['sse', /chunk · message/, [/RFC 9112, 7\.1/, /WHATWG HTML/, /id/, /data/, /0x[0-9a-f]+ = \d+ bytes/]],
	['stream', /chunk · message/, [/RFC 9112, 7\.1/, /0x[0-9a-f]+ = \d+ bytes/]],
	['longpoll', /body · [1-9]\d* message/, [/"messages"/, /"cursor"/]],
	['poll', /body · [1-9]\d* messages/, [/"messages"/, /"cursor"/]],
])
	test(`the wire: ${name} shows heads as they were sent, and what came with them`, async () => {
		await show('wire');
		await selectLane(name);
		const path = { longpoll: 'poll' }[name] ?? name;
		assert.match(await choose(new RegExp(`GET /${path}`)), new RegExp(`GET /${path}\\?\\S*channels=demo\\.ticker\\S* HTTP/1\\.1.*Host`, 's'));
		assert.match(await choose(/200 OK/), /HTTP\/1\.1 200 OK.*Content-Type.*Sluice/s);
		const detail = await choose(carried);
		for (const word of words)
			assert.match(detail, word);
		assert.match(detail, /"channel": "demo\.ticker"/);
		assert.deepEqual(complaints, []);
	});

test('the wire: pause holds the list, the keyboard walks it, clear empties it', async () => {
	await show('wire');
	await until('lines', async () => (await page.$$('#wire-list li')).length > 10);
	await page.click('#wire-pause');
	const count = (await page.$$('#wire-list li')).length;
	await until('lines that wait', async () => /paused, [1-9]/.test(await read('#wire-note')));
	assert.equal((await page.$$('#wire-list li')).length, count);
	await page.focus('#wire-list');
	await page.keyboard.press('Home');
	await page.keyboard.press('ArrowDown');
	assert.equal(await page.$eval('#wire-list', (list) => list.children[1].getAttribute('aria-selected')), 'true');
	assert.equal(await page.$eval('#wire-list', (list) => list.getAttribute('aria-activedescendant') === list.children[1].id), true);
	await page.click('#wire-clear');
	assert.equal((await page.$$('#wire-list li')).length, 0);
	await page.click('#wire-pause');
	await until('lines again', async () => (await page.$$('#wire-list li')).length > 0);
});

test('the chat crosses two windows, markup stays text, and who comes late reads the history', async () => {
	const text = '<img src=x onerror="window.hacked=1"> & <b>bold</b>';
	const say = async (window, words) => {
		await window.fill('#chat-text', words);
		await window.press('#chat-text', 'Enter');
	};
	const lines = (window) => readAll('#chat-lines .chat-said', window);
	await show('chat');
	const other = await openWindow();
	await show('chat', other);
	for (const window of [page, other])
		await until('the chat', async () => /^In lobby/.test(await window.textContent('#chat-state')));
	await say(page, text);
	await until('it in the other window', async () => (await lines(other)).includes(text));
	await say(other, 'answer');
	await until('the answer in the first window', async () => (await lines(page)).includes('answer'));
	assert.match(await page.textContent('#chat-lines li:last-child'), /websocket.*ms old/);
	assert.equal(await page.evaluate(() => window.hacked ?? document.querySelector('.chat-said img, .chat-said b')), null);
	const late = await openWindow();
	await show('chat', late);
	await until('the history', async () => (await lines(late)).length === 2);
	assert.deepEqual(await lines(late), [text, 'answer']);
	assert.match((await readAll('#chat-lines .badge', late))[0], /history/);
	assert.deepEqual(complaints, []);
});

for (const name of names)
	test(`the chat over ${name}`, async () => {
		await show('chat');
		await until('the chat', async () => /^In lobby/.test(await read('#chat-state')));
		await page.selectOption('#chat-transport', name);
		await until('the chat', async () => (await read('#chat-state')) === `In lobby, over ${name}.`);
		await page.fill('#chat-text', 'hello');
		await page.press('#chat-text', 'Enter');
		await until('the line', async () => (await readAll('#chat-lines .badge')).includes(name));
		assert.deepEqual(complaints, []);
	});

test('the token stream arrives on both sides', async () => {
	await show('tokens');
	for (const side of ['left', 'right'])
		await until(`words on the ${side}`, async () => (await read(`#tokens-${side}-text`)).split(' ').length > 4 &&
			/old on arrival/.test(await read(`#tokens-${side}-figures`)));
	await page.selectOption('#tokens-right', 'websocket');
	await until('words over websocket', async () => (await read('#tokens-right-text')).split(' ').length > 4);
	assert.deepEqual(complaints, []);
});

test('the load fills its figures over all five, follows its sliders, and stops', async () => {
	await show('load');
	await page.click('#load-run');
	await until('figures', async () => (await readAll('#load-rows td')).every((cell) => cell !== '–') &&
		(await readAll('#load-rows .size')).every((cell) => /256 B \+/.test(cell)));
	await page.fill('#load-size', '12');
	await until('larger ones', async () => (await readAll('#load-rows .size')).every((cell) => /4\.1 kB \+/.test(cell)));
	await page.click('#load-run');
	await until('it to say that it has stopped', async () => await read('#load-state') === 'Stopped.');
	assert.equal(await read('#load-run'), 'Start');
	let before;
	await until('no more of them', async () => { // those on the way may come yet
		const messages = String(await readAll('#load-rows .messages'));
		await page.waitForTimeout(500);
		return messages === before || !(before = messages);
	});
	assert.deepEqual(complaints, []);
});

const used = () => page.$eval('#break-ladder', (list) => list.querySelector('[data-state="in use"]')?.dataset.transport);
const press = (name) => page.click(`#break-ladder li[data-transport="${name}"] button`);
const count = async (id) => Number((await read(`#break-${id}`)).replaceAll(',', ''));

async function assertDelivered() {
	const published = await count('published');
	await until('all that was published', async () => await count('received') >= published);
	assert.match(await read('#break-verdict'), /^0 lost, 0 duplicated, 0 out of order$/);
}

test('blocking websocket, then sse, then stream moves the client down, unblocking brings it up, and nothing is lost', async () => {
	await show('break');
	for (const [i, name] of ['websocket', 'sse', 'stream', 'longpoll'].entries()) {
		await until(`${name} in use`, async () => await used() === name);
		const before = await count('received');
		await until(`messages over ${name}`, async () => await count('received') > before + 10);
		if (i < 3)
			await press(name);
	}
	assert.match(await read('#break-why'), /^stream → longpoll: .*403/s);
	await assertDelivered();
	for (const name of ['stream', 'sse', 'websocket']) {
		await press(name);
		await until(`${name} in use again`, async () => await used() === name);
	}
	await assertDelivered();
	const events = (await readAll('#break-events b')).reverse();
	const moves = events.filter((words) => /^(Begins|Down|Back)/.test(words));
	const isTold = (pattern) => assert.ok(moves.some((words) => pattern.test(words)), `${pattern}: ${moves}`);
	assert.equal(moves[0], 'Begins on websocket');
	// On a slow machine it may pass one of them on its way, and come back to it.
	['sse', 'stream', 'longpoll'].forEach((name) => isTold(new RegExp(`^Down from \\S+ to ${name}$|^Back from \\S+ to ${name}$`)));
	isTold(/^Down from websocket to /);
	isTold(/^Down from stream to longpoll$/);
	['stream', 'sse', 'websocket'].forEach((name) => isTold(new RegExp(`^Back from \\S+ to ${name}$`)));
	assert.ok((await page.$$('#break-strip .is-use')).length >= 4);
});

test('with the plug pulled nothing works, and what was published meanwhile arrives afterwards', async () => {
	await show('break');
	await until('websocket in use', async () => await used() === 'websocket');
	await pullPlug(page);
	await until('something in use', used);
	await assertDelivered();
});

test('the panels fit a phone, and hold no connection until they are seen', async () => {
	await page.setViewportSize({ width: 360, height: 780 });
	await page.reload();
	await until('the lane', () => page.isVisible('#lane-websocket[data-state="open"]'));
	await page.waitForTimeout(1000);
	const { websocket } = (await gateway.getStats()).transports;
	assert.equal(websocket.connections, 1, 'that of the lane');
	for (const id of ['wire', 'try', 'break']) {
		await show(id);
		await page.waitForTimeout(500);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), id);
	}
});

for (const colorScheme of ['light', 'dark'])
	test(`axe finds nothing wrong in panels that are used, in ${colorScheme}`, async () => {
		await page.emulateMedia({ colorScheme });
		await show('wire');
		await choose(/101 Switching/);
		await show('chat');
		await until('the chat', async () => /^In lobby/.test(await read('#chat-state')));
		await page.fill('#chat-text', 'hello');
		await page.press('#chat-text', 'Enter');
		await page.click('#load-run');
		await show('break');
		await until('websocket in use', async () => await used() === 'websocket');
		await press('websocket');
		await until('sse in use', async () => await used() === 'sse');
		await assertAccessible(page, ['#wire', '#try', '#break']);
	});
