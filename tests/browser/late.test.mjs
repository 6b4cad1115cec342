// What the page makes of messages that the client recovered late. The client is one of the
// test's own, which says what the test wants it to.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { until } from './gateway.mjs';
import { complaints, gateway, openPage, useWorld } from './world.mjs';

const CLIENT = `
export { isChannel } from "./channels.js";
export class Sluice extends EventTarget {
	state = 'open';
	cursor = '00000001-1';
	constructor(url, { channels = [], transports } = {}) {
		super();
		Object.assign(this, { channels, transport: transports?.[0] ?? 'websocket' });
		(globalThis.lateClients ??= []).push(this);
		queueMicrotask(() => this.tell('open', { transport: this.transport }));
	}
	tell(type, fields) {
		this.dispatchEvent(Object.assign(new Event(type), fields));
	}
	async publish() {
		return '00000001-1';
	}
	close() {
		this.state = 'closed';
	}
}`;

let page;

useWorld({ options: ['--obstacle', 'none'] });

beforeEach(async () => {
	page = await openPage();
	await page.route('**/client/sluice.js', (route) => route.fulfill({ contentType: 'text/javascript', body: CLIENT }));
	await page.goto(gateway.url);
});

afterEach(() => assert.deepEqual(complaints, []));

const read = (selector) => page.$eval(selector, (element) => element.textContent);

/** The newest client of a channel says something, once there is one.
 * @param {string} channel @param {...[string, object]} events type and fields */
async function tell(channel, ...events) {
	const isThere = (begin) => globalThis.lateClients?.some(({ channels, state }) => state === 'open' && channels[0]?.startsWith(begin));
	await until(`a client of ${channel}`, () => page.evaluate(isThere, channel));
	await page.evaluate(([begin, said]) => {
		const client = globalThis.lateClients.findLast(({ channels, state }) => state === 'open' && channels[0]?.startsWith(begin));
		const time = (Date.now() + 1000) * 1000;
		said.forEach(([type, fields]) => client.tell(type, { channel: client.channels[0], time, late: false, ...fields }));
	}, [channel, events]);
}

const show = (id) => page.evaluate((section) => document.getElementById(section).scrollIntoView(), id);
const number = (n, late = false) => ['message', { id: `00000001-${n}`, data: { number: n }, late }];

test('break it counts what was recovered late, and neither as lost nor as out of order', async () => {
	await show('break');
	await tell('demo.break.', ['transport', { from: null, to: 'websocket', why: 'first' }],
		...[1, 2, 4, 5, 7].map((n) => number(n)));
	await until('five', async () => await read('#break-received') === '5');
	assert.equal(await read('#break-verdict'), '0 lost, 0 duplicated, 0 out of order');
	await tell('demo.break.', ['error', { transport: 'websocket', code: 'path_loses', message: '2 of 7 did not arrive' }],
		['transport', { from: 'websocket', to: 'sse', why: 'websocket loses messages' }], number(3, true), number(6, true), number(8));
	await until('all', async () => await read('#break-received') === '8');
	assert.equal(await read('#break-recovered'), '2');
	assert.equal(await read('#break-verdict'), '0 lost, 0 duplicated, 0 out of order');
	assert.equal(await page.getAttribute('#break-verdict', 'data-clean'), 'true');
	assert.match(await read('#break-events'), /websocket failed – 2 of 7 did not arrive\. Recovered late: 2\./);
	assert.equal(await read('#break-ladder [data-transport="websocket"] .state'), 'failed');
});

test('break it says of one that was recovered without a word before that it was', async () => {
	await show('break');
	await tell('demo.break.', number(1), number(3), number(2, true));
	await until('it', async () => /Missing messages arrived\. Recovered late: 1\./.test(await read('#break-events')));
});

test('a message out of order that was not recovered is one', async () => {
	await show('break');
	await tell('demo.break.', number(1), number(3), number(2));
	await until('it', async () => await read('#break-verdict') === '0 lost, 0 duplicated, 1 out of order');
	assert.equal(await page.getAttribute('#break-verdict', 'data-clean'), 'false');
});

test('a lane marks a late message, and counts them', async () => {
	await tell('demo.', ['message', { id: '00000001-1', data: { symbol: 'A', price: 1, change: 0 } }],
		['message', { id: '00000001-0', data: { symbol: 'B', price: 2, change: 0 }, late: true }]);
	await until('the mark', () => page.evaluate(() => [...document.querySelectorAll('.lane li')].some(({ textContent }) => textContent.includes('late: '))));
	await until('the count', () => page.evaluate(() => [...document.querySelectorAll('.lane .state')].some(({ textContent }) => textContent.endsWith(', 1 recovered late'))));
});

test('the chat says of a line that it was recovered late', async () => {
	await show('chat');
	await tell('demo.chat.lobby', ['message', { data: { name: 'a', text: 'in time' } }], ['message', { data: { name: 'b', text: 'not' }, late: true }]);
	await until('both', async () => (await page.$$('#chat-lines li')).length === 2);
	assert.doesNotMatch(await read('#chat-lines li'), /late/);
	assert.match(await read('#chat-lines li:last-child'), /recovered late/);
});

test('a word that was recovered late stands in its place in the sentence', async () => {
	await show('tokens');
	const word = (sentence, n, text, late = false) => ['message', { data: { sentence, word: n, text }, late }];
	await tell('demo.tokens', word(3, 0, 'One '), word(3, 2, 'three'), word(4, 0, 'Next '), word(3, 1, 'two ', true), word(9, 1, 'gone', true),
		word(4, 1, 'one'));
	await until('the words', () => page.evaluate(() => ['left', 'right'].some((side) =>
		document.getElementById(`tokens-${side}-text`).textContent === 'One two three Next one ')));
});
