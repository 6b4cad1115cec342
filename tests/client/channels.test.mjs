// Names of channels, and what the client does with a gateway that refuses what it asks for.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { Gateway, Obstacle, listen, load, until } from './setup.mjs';

const { Sluice, isChannel, isEvent } = await load('sluice.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const ways = [...names.map((name) => [name, { transports: [name] }]),
	['sse by an EventSource', { transports: ['sse'], EventSource }], ['all', {}]];
let gateway, narrow, obstacle, changing, folder;
const open = [];
let count = 0;

before(async () => {
	gateway = await new Gateway().start();
	narrow = await new Gateway().start('--max-channels', '2');
	folder = mkdtempSync(join(tmpdir(), 'sluice-channels-'));
	writeConfig(64);
	changing = await new Gateway().start('--config', join(folder, 'sluice.json'), '--shards', '1'); // one: a reload is in force at once
	obstacle = await new Obstacle().start(gateway.port);
});

afterEach(() => {
	open.splice(0).forEach((sluice) => sluice.close());
	obstacle.faults = [];
});

after(async () => {
	await obstacle?.stop();
	await changing?.stop();
	await narrow?.stop();
	await gateway?.stop();
	rmSync(folder, { recursive: true });
});

const writeConfig = (channels) => writeFileSync(join(folder, 'sluice.json'), JSON.stringify({ 'max-channels': channels }));

/** While it runs, so that clients know another limit. */
async function allow(channels) {
	writeConfig(channels);
	changing.signal('SIGHUP');
	await until('the limit', async () => (await (await fetch(`${changing.url}poll?channels=a`)).json()).limits.channels === channels);
}

/** A client that asks for one channel more than `changing` allows by now. Each answer to a poll
 * tells the limit: one that has heard of it in the meantime throws, and another tries. */
async function subscribeTooMany(options, channels, more) {
	for (;;) {
		await allow(64);
		const sluice = connect({ ...options, pollInterval: 500, channels }, changing.url);
		await sluice.opened;
		await until('the cursor', () => sluice.cursor);
		await allow(2);
		try {
			sluice.subscribe(more);
			return sluice;
		} catch (error) {
			assert.ok(error instanceof RangeError, error);
			sluice.close();
		}
	}
}

function connect(options, url = gateway.url) {
	const sluice = listen(url, { pollInterval: 50, ...options });
	open.push(sluice);
	return sluice;
}

const create = (url, options) => new Sluice(url, { WebSocket, storage: null, ...options });
const many = (number, prefix = 'c') => Array.from({ length: number }, (_, i) => `${prefix}.${i}`);
const words = ({ log }) => log.states.map(({ state, why }) => `${state}: ${why}`).join('\n');

test('the rule is the gateway\'s: it takes what isChannel() takes, and nothing else', async () => {
	const good = ['a', 'A.b', 'x'.repeat(255), '-', ':', '_', '0', 'a:b-c_d.e', '9.9.9', '.', '.a', 'a.', 'a..b', 'a b', ' ',
		'a+b', 'a,b', 'a/b', 'é', 'é'.repeat(127), 'a%2eb', '😀', '😀'.repeat(63), '"}', '\\', 'a~', '\u2028', '\u00a0', '\uffff'];
	const bad = ['', 'x'.repeat(256), 'é'.repeat(128), '😀'.repeat(64), 'a\n', '\u0000', '\u007f', '\u0080', 'a\u009f', '*', 'a.*', '~',
		'~a'];
	for (const [list, isGood] of [[good, true], [bad, false]])
		for (const name of list) {
			assert.equal(isChannel(name), isGood, name);
			const { status } = await fetch(`${gateway.url}publish?channel=${encodeURIComponent(name)}`, { method: 'POST', body: '1',
				headers: { 'Content-Type': 'application/json' } });
			assert.equal(status === 200, isGood, name);
		}
	for (const other of [undefined, null, 5, ['a'], { toString: () => 'a' }, '\ud800', 'a\udc00b']) {
		assert.equal(isChannel(other), false);
		assert.equal(isEvent(other), false);
	}
	for (const [name, isGood] of [['x'.repeat(128), true], ['said "it", *', true], ['~', true], ['x'.repeat(129), false], ['', false], ['\n', false]]) {
		assert.equal(isEvent(name), isGood, name);
		const { status } = await fetch(`${gateway.url}publish?channel=a&event=${encodeURIComponent(name)}`, { method: 'POST', body: '1',
			headers: { 'Content-Type': 'application/json' } });
		assert.equal(status === 200, isGood, name);
	}
});

test('illegal names and too many channels throw, and change nothing', async () => {
	const sluice = connect({ channels: ['first'] });
	for (const name of ['no\nname', 'a*b', '', '~a', 5, ['a']])
		assert.throws(() => sluice.subscribe('second', name), TypeError, String(name));
	assert.throws(() => sluice.subscribe(...many(64)), RangeError);
	assert.deepEqual(sluice.channels, ['first']);
	sluice.subscribe(...many(63));
	assert.throws(() => sluice.subscribe('more'), RangeError);
	sluice.subscribe('first', 'c.1');
	await sluice.opened;
	assert.equal(sluice.channels.length, 64);
	sluice.unsubscribe('first');
	sluice.subscribe('more');
	for (const channels of [['a*b'], ['no\tname'], [''], 'chat', [undefined]])
		assert.throws(() => create(gateway.url, { channels }), TypeError, String(channels));
	assert.throws(() => create(gateway.url, { channels: many(65) }), RangeError);
	create(gateway.url, { channels: [...many(64), ...many(64)] }).close();
	for (const channel of ['no\tname', 'a*b', undefined])
		await assert.rejects(sluice.publish(channel, 1), TypeError);
	assert.deepEqual(sluice.log.errors, []);
});

test('what is taken back before the first request was never subscribed to', async () => {
	const sluice = connect({ channels: ['a', 'b'] });
	sluice.unsubscribe('a');
	await sluice.opened;
	assert.deepEqual(sluice.channels, ['b']);
});

test('options that the gateway would refuse with every request throw', () => {
	for (const since of ['yesterday', '12', 'abcdefgh-1', -1])
		assert.throws(() => create(gateway.url, { since }), TypeError, String(since));
	for (const since of [undefined, null, '', '0', 0, '9f3a1c07-4182'])
		create(gateway.url, { since }).close();
	assert.equal(create(gateway.url, { since: 0 }).cursor, '0');
	for (const heartbeat of [3, 61, 4.5, NaN, '10', null])
		assert.throws(() => create(gateway.url, { heartbeat }), RangeError, String(heartbeat));
	for (const hold of [0, 56, -1, NaN])
		assert.throws(() => create(gateway.url, { hold }), RangeError, String(hold));
});

test('ws: and wss: are http: and https:, another scheme throws', async () => {
	const sluice = connect({ channels: ['scheme'], transports: ['longpoll'] }, gateway.url.replace('http', 'ws'));
	await sluice.opened;
	await sluice.publish('scheme', 1);
	await until('the message', () => sluice.log.messages.length);
	const asked = [];
	const secure = create('wss://push.example', { channels: ['a'], transports: ['poll'], fetch: async (url) => asked.push(url) });
	await until('the request', () => asked.length);
	secure.close();
	assert.match(asked[0], /^https:\/\/push\.example\/poll\?/);
	for (const url of ['ftp://push.example/', 'file:///tmp/page.html', 'push.example:80'])
		assert.throws(() => create(url, {}), TypeError, url);
});

for (const [title, options] of ways) {
	test(`${title}: names with commas, blanks, quotes and emoji, and names of events, go both ways`, async () => {
		const channels = ['plain', 'a, "b"', ' c+d ', '\\"}', '🚀&since=0#%', `${'é'.repeat(120)}`].map((name) => `${name}${++count}`);
		const events = ['said', 'say "it", 🚀', ' + '];
		const sluice = connect({ ...options, channels: channels.slice(0, 5) });
		await sluice.opened;
		sluice.subscribe(channels[5]);
		await until('the channels', async () => {
			await gateway.publish(channels[5], 'is it there?');
			return sluice.log.messages.length > 0;
		});
		for (const [at, channel] of channels.entries())
			await sluice.publish(channel, at % 2 ? at : new Uint8Array([at]), { event: events[at % 3] });
		await sluice.publish(channels[0], 'last');
		await until('the last', () => sluice.data().includes('last'));
		const told = sluice.log.messages.filter(({ data }) => data !== 'is it there?');
		assert.deepEqual(told.map(({ channel, event, args }) => [channel, event, args]),
			[...channels.map((channel, at) => [channel, events[at % 3], '']), [channels[0], '', '']]);
		sluice.unsubscribe(channels[1], channels[2]);
		await until('fewer channels', () => sluice.channels.length === 4);
		await sluice.publish(channels[3], 'after');
		await until('what comes after', () => sluice.data().includes('after'));
		assert.deepEqual(sluice.log.errors.map(({ code, message }) => `${code}: ${message}`), []);
	});

	test(`${title}: more channels than the gateway allows: an error with its code, no word of an unreachable server; fewer: open`, async () => {
		const channels = many(3, `narrow.${++count}`);
		const sluice = connect({ ...options, channels }, narrow.url);
		const { message } = await until('the error', () => sluice.log.errors.find(({ code }) => code === 'too_many_channels'));
		assert.match(message, /channels/);
		const { why, wait } = await until('waiting', () => sluice.log.states.find(({ state }) => state === 'waiting'));
		assert.equal(why, message);
		assert.ok(wait >= 60000, `${wait}`);
		assert.equal(typeof await sluice.publish(channels[0], 'meanwhile'), 'string');
		sluice.unsubscribe(channels[2]);
		await until('it to open, long before the wait is over', () => sluice.state === 'open');
		await narrow.publish(channels[0], 1);
		await until('the message', () => sluice.data().includes(1));
		assert.doesNotMatch(words(sluice), /cannot be reached/);
	});

	test(`${title}: a channel too many beside others is given up, the others live on and miss nothing`, async () => {
		const [first, second, third] = many(3, `narrow.${++count}`);
		const sluice = await subscribeTooMany(options, [first, second], third);
		await changing.publish(first, 1);
		await changing.publish(second, 2);
		const { message } = await until('the error', () => sluice.log.errors.find(({ code }) => code === 'too_many_channels'));
		assert.match(message, new RegExp(third));
		assert.deepEqual(sluice.channels, [first, second]);
		await changing.publish(first, 3);
		await until('the messages', () => sluice.log.messages.length === 3);
		assert.deepEqual(sluice.data(), [1, 2, 3]);
		await until('the limit that it knows now', () => sluice.state === 'open');
		assert.throws(() => sluice.subscribe(third), RangeError);
		assert.doesNotMatch(words(sluice), /cannot be reached/);
	});

	for (const [what, code, url, more] of [
		['a wrong base path', 'not_found', () => `${gateway.url}elsewhere/`, {}],
		['an origin that it does not allow', 'bad_origin', () => obstacle.url, {}],
		['a parameter that it cannot read', 'bad_query', () => gateway.url, { params: { demo: '\u0001' } }]])
		test(`${title}: ${what}: ${code}, no word of an unreachable server`, async () => {
			obstacle.faults = [[/./, 'foreign']];
			const sluice = connect({ ...options, ...more, channels: ['refused'] }, url());
			const { message } = await until('the error', () => sluice.log.errors.find((error) => error.code === code));
			const { why, wait } = await until('waiting', () => sluice.log.states.find(({ state }) => state === 'waiting'));
			assert.equal(why, message);
			assert.ok(wait >= 60000, `${wait}`);
			assert.doesNotMatch(words(sluice), /cannot be reached/);
		});
}

test('websocket alone, and an origin that is not allowed, which a GET does not say: bad_origin', async () => {
	obstacle.faults = [[/ \/ws/, '403'], [/^POST/, 'foreign']];
	const sluice = connect({ channels: ['a'], transports: ['websocket'] }, obstacle.url);
	const { message } = await until('the error', () => sluice.log.errors.find(({ code }) => code === 'bad_origin'));
	const { why } = await until('waiting', () => sluice.log.states.find(({ state }) => state === 'waiting'));
	assert.equal(why, message);
});

test('websocket alone, and upgrades are stripped: the gateway is not called unreachable', async () => {
	obstacle.faults = [[/ \/ws/, '403']];
	const sluice = connect({ channels: ['a'], transports: ['websocket'] }, obstacle.url);
	const { why } = await until('waiting', () => sluice.log.states.find(({ state }) => state === 'waiting'));
	assert.match(why, /the gateway answers, but no transport in the list works/);
});

test('websocket alone, and nobody answers: the gateway cannot be reached', async () => {
	obstacle.faults = [[/./, 'reset']];
	const sluice = connect({ channels: ['a'], transports: ['websocket'] }, obstacle.url);
	const { why } = await until('waiting', () => sluice.log.states.find(({ state }) => state === 'waiting'));
	assert.equal(why, 'the gateway cannot be reached');
});
