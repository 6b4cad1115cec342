// Tokens against a real gateway: expired, revoked and wrong ones, on every transport.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import { Gateway, Obstacle, listen, until } from './setup.mjs';
import { LEEWAY, Door, createBackend, mint, numbers } from './door.mjs';

const SOON = 4 - LEEWAY; // such a token counts for 4 s more
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
/** Each alone, sse by a native EventSource too, and all together. */
const ways = [...names.map((name) => ({ what: name, transports: [name] })),
	{ what: 'sse by EventSource', transports: ['sse'], EventSource }, { what: 'all', transports: names, EventSource, timings: { race: 20000 } }]; // a busy machine is late

const door = new Door();
const open = [];
const together = { concurrency: true }; // most of the time they wait
let gateway;
let count = 0;

before(async () => {
	gateway = await new Gateway().start(...door.options);
	door.open(gateway);
});

after(async () => {
	open.forEach((what) => what.stop?.() ?? what.close());
	await door.stop();
});

async function connect(options, url) {
	const channel = `tokens.${++count}`;
	const obstacle = await new Obstacle().start(gateway.port);
	obstacle.faults = options.faults ?? [];
	const sluice = listen(url ?? obstacle.url, { channels: [channel], hold: 2, pollInterval: 100, ...options });
	open.push(sluice, obstacle);
	return { sluice, channel, obstacle };
}

const show = ({ log }) => JSON.stringify([log.states.map(({ state, why }) => [state, why]),
	log.errors.map(({ code, message }) => [code, message])]);

/** All that came, from the first on, is all that was sent. */
function checkAll({ sluice, sent }) {
	const [first] = sluice.data();
	assert.deepEqual(sluice.data(), numbers(sent, first), show(sluice));
	assert.deepEqual(sluice.log.gaps, []);
}

/** Nothing of a token is in what a client told. */
function checkSilence({ log }, obstacle, tokens) {
	const told = JSON.stringify(Object.values(log).flat().map((event) => ({ ...event }))) +
		obstacle.requests.join();
	for (const token of tokens)
		for (const part of token.split('.').slice(1))
			assert.ok(!told.includes(part), told);
}

describe('a token that expires in mid-stream is renewed, and nothing is lost', together, () => {
	for (const { what, ...options } of ways)
		test(what, async () => {
			const backend = createBackend(SOON, 3600);
			const { sluice, channel, obstacle } = await connect({ ...options, token: backend });
			await sluice.opened;
			const stop = door.feed(channel);
			await until('the end of the token', () => backend.asked === 2);
			const { length } = sluice.data();
			assert.ok(length > 10);
			await until('more', () => sluice.data().length > length + 20);
			const sent = await stop();
			await until('the last', () => sluice.data().at(-1) === sent);
			checkAll({ sluice, sent });
			assert.equal(backend.asked, 2);
			assert.equal(sluice.transport, options.transports[0]);
			assert.ok(sluice.log.errors.every(({ code }) => code === 'lost'), show(sluice));
			checkSilence(sluice, obstacle, backend.tokens);
		});

	test('sse, where websocket is blocked: it stays', async () => {
		const backend = createBackend(SOON, 3600);
		const { sluice, channel } = await connect({ token: backend, EventSource, faults: [[/ \/ws/, '403']],
			transports: ['websocket', 'sse'] });
		await sluice.opened;
		const stop = door.feed(channel);
		await until('the end of the token', () => backend.asked === 2);
		const { length } = sluice.data();
		await until('more', () => sluice.data().length > length + 20);
		const sent = await stop();
		await until('the last', () => sluice.data().at(-1) === sent);
		checkAll({ sluice, sent });
		assert.equal(sluice.transport, 'sse');
	});
});

describe('a token of few seconds is renewed before its end, beside the old link', together, () => {
	for (const { what, ...options } of ways)
		test(what, async () => {
			const ended = await door.count('sluice_streams_expired_total');
			const backend = createBackend(4);
			const { sluice, channel } = await connect({ ...options, token: backend });
			await sluice.opened;
			const stop = door.feed(channel);
			await until('three renewals', () => backend.asked > 3);
			const { length } = sluice.data();
			await until('more', () => sluice.data().length > length + 20);
			const sent = await stop();
			await until('the last', () => sluice.data().at(-1) === sent);
			checkAll({ sluice, sent });
			assert.deepEqual(sluice.log.states.map(({ state }) => state), ['connecting', 'open'], show(sluice));
			assert.equal(sluice.log.transports.length, 1);
			// A new link may be late on a busy machine; it is tried again.
			assert.ok(sluice.log.errors.every(({ code }) => code === 'lost'), show(sluice));
			assert.equal(await door.count('sluice_streams_expired_total'), ended);
		});
});

describe('a wrong token ends it, with the code and few requests', together, () => {
	const wrong = () => mint(3600, {}, 'another key, of somebody else');
	for (const [whose, token, code] of [['a string', wrong, 'unauthorized'], ['a string that has expired', () => mint(-LEEWAY - 60), 'token_expired'],
		['a function', () => createBackend(wrong), 'unauthorized']])
		for (const { what, ...options } of ways)
			test(`${what}: ${whose}`, async () => {
				const stored = [];
				const given = token();
				const { sluice, obstacle } = await connect({ ...options, token: given,
					storage: { getItem: () => null, setItem: (...item) => stored.push(item) } });
				await until('the end', () => sluice.state === 'closed');
				const { length } = obstacle.requests;
				assert.ok(length <= (whose === 'a function' ? 2 : 1) * 6, obstacle.requests.join('\n'));
				assert.ok(given.asked === undefined || given.asked === 2, `${given.asked}`);
				await new Promise((done) => setTimeout(done, 1500));
				assert.equal(obstacle.requests.length, length);
				assert.deepEqual(sluice.log.errors.at(-1).code, code);
				assert.equal(sluice.log.errors.filter((error) => error.code === code).length, 1);
				assert.ok(!sluice.log.errors.some((error) => error.code === 'blocked'), show(sluice));
				assert.deepEqual([stored, sluice.log.transports], [[], []]);
				await assert.rejects(sluice.publish('a', 1), { code: 'not_sent' });
				checkSilence(sluice, obstacle, given.tokens ?? [given]);
			});
});

test('a first token that has expired: a new one, and no fallback from websocket', async () => {
	const stored = [];
	const backend = createBackend(-LEEWAY - 60, 3600);
	const { sluice } = await connect({ token: backend, EventSource, timings: { race: 20000 }, storage: { getItem: () => null, setItem: (_, text) => stored.push(JSON.parse(text).transport) } });
	await sluice.opened;
	assert.equal(sluice.transport, 'websocket');
	assert.equal(sluice.log.transports.length, 1);
	assert.deepEqual([...new Set(stored)], ['websocket']);
	assert.ok(!sluice.log.errors.some(({ code }) => code === 'blocked'), show(sluice));
	assert.equal(backend.asked, 2);
});

test('a backend that is down for a moment: no_token, and later the messages', async () => {
	const down = () => Promise.reject(new Error(`Unexpected token in ${mint(60)}`));
	const backend = createBackend(down, down, 3600);
	const { sluice } = await connect({ token: backend });
	await sluice.opened;
	assert.deepEqual(sluice.log.errors.map(({ code }) => code), ['no_token', 'no_token']);
	assert.deepEqual(sluice.log.states.map(({ state }) => state).slice(0, 3), ['connecting', 'waiting', 'connecting']);
	assert.doesNotMatch(show(sluice), /eyJ|Unexpected/);
});

test('a backend that is down when the token ends: the link runs on, and a new one follows', async () => {
	const down = () => Promise.reject(new Error('down'));
	const backend = createBackend(4, down, down, 3600);
	const { sluice, channel } = await connect({ token: backend });
	await sluice.opened;
	const stop = door.feed(channel);
	await until('the renewal', () => backend.asked === 4);
	const { length } = sluice.data();
	await until('more', () => sluice.data().length > length + 20);
	const sent = await stop();
	await until('the last', () => sluice.data().at(-1) === sent);
	checkAll({ sluice, sent });
	assert.deepEqual(sluice.log.states.map(({ state }) => state), ['connecting', 'open']);
	assert.deepEqual(sluice.log.errors.map(({ code }) => code), ['no_token', 'no_token']);
});

describe('publishing', together, () => {
	test('by POST with a token that has expired: renewed once, and sent again with its key', async () => {
		const backend = createBackend(-LEEWAY - 60, 3600);
		const keys = [];
		const sluice = listen(gateway.url, { token: backend, fetch: (url, init) => {
			keys.push(init.headers['Idempotency-Key']);
			return fetch(url, init);
		} });
		open.push(sluice);
		assert.match(await sluice.publish('tokens.post', 1), /^[0-9a-f]{8}-\d+$/);
		assert.deepEqual([backend.asked, keys.length, new Set(keys).size], [2, 2, 1]);
	});

	test('by POST with a wrong token: rejected with the code, and the end', async () => {
		const sluice = listen(gateway.url, { token: createBackend(() => mint(60, {}, 'wrong')) });
		open.push(sluice);
		await assert.rejects(sluice.publish('tokens.post', 1), { name: 'PublishError', code: 'unauthorized' });
		await until('the end', () => sluice.state === 'closed');
	});

	for (const transports of [['websocket'], ['longpoll']])
		test(`${transports}: what the token does not allow is rejected, and the client goes on`, async () => {
			const token = () => mint(3600, { sluice: { subscribe: ['*'], publish: ['tokens.may'] } });
			const { sluice } = await connect({ channels: ['tokens.may'], transports, token });
			await sluice.opened;
			await assert.rejects(sluice.publish('tokens.other', 1), { name: 'PublishError', code: 'forbidden', message: /tokens\.other/ });
			await sluice.publish('tokens.may', 2);
			await until('it', () => sluice.data().includes(2));
		});

	for (const transports of [['websocket'], ['stream'], ['poll']])
		test(`${transports}: while the token expires, each once`, async () => {
			const backend = createBackend(SOON, 3600);
			const { sluice, channel } = await connect({ transports, token: backend });
			await sluice.opened;
			const published = [];
			for (let number = 1; backend.asked < 2 || published.length < number + 5; number++) {
				published.push(sluice.publish(channel, number));
				await new Promise((done) => setTimeout(done, 20));
				if (backend.asked === 2 && number > 50)
					break;
			}
			const ids = await Promise.all(published);
			await until('all', () => sluice.data().length >= ids.length);
			assert.deepEqual(sluice.log.messages.map(({ id }) => id).sort(), [...ids].sort());
		});
});

describe('revoked and forbidden', together, () => {
	for (const { what, ...options } of ways)
		test(`${what}: a subject that is disconnected comes back with a new token, and has lost nothing`, async () => {
			const sub = `bob ${what}`;
			const backend = createBackend(() => mint(3600, { sub }));
			const { sluice, channel } = await connect({ ...options, token: backend });
			await sluice.opened;
			const stop = door.feed(channel);
			await until('some', () => sluice.data().length > 20);
			await door.disconnect(sub);
			await until('a new token', () => backend.asked === 2);
			const { length } = sluice.data();
			await until('more', () => sluice.data().length > length + 20);
			const sent = await stop();
			await until('the last', () => sluice.data().at(-1) === sent);
			checkAll({ sluice, sent });
		});

	for (const { what, ...options } of ways)
		test(`${what}: a channel that the token does not allow is named and given up, the others go on`, async () => {
			const token = () => mint(3600, { sluice: { subscribe: ['tokens.*'] } });
			const { sluice, channel } = await connect({ ...options, token });
			await sluice.opened;
			await door.publish(channel, 1);
			await until('the first', () => sluice.data().includes(1));
			sluice.subscribe('secret.room');
			await until('the error', () => sluice.log.errors.some(({ code, message }) =>
				code === 'forbidden' && message.includes('given up: secret.room')));
			assert.deepEqual(sluice.channels, [channel]);
			await door.publish(channel, 2);
			await until('the second', () => sluice.data().includes(2));
			assert.notEqual(sluice.state, 'closed');
			assert.deepEqual(sluice.data(), [1, 2]);
		});
});

test('without a token nothing is offered, and no ticket bought', async () => {
	const offered = [];
	const { default: WebSocket } = await import('ws');
	class Noting extends WebSocket {
		constructor(...args) {
			super(...args);
			offered.push(args.length);
		}
	}
	const plain = await new Gateway().start();
	try {
		for (const options of [{ transports: ['websocket'], WebSocket: Noting }, { transports: ['sse'], EventSource }]) {
			const lines = [];
			const { sluice } = await connect({ ...options, fetch: (url, init) => fetch(url, init, lines.push([url, init?.headers?.Authorization])) }, plain.url);
			await sluice.opened;
			assert.ok(lines.every(([url, header]) => !url.includes('ticket') && header === undefined));
			sluice.close();
		}
		assert.deepEqual(offered, [1]);
	} finally {
		await plain.stop();
	}
});

test('a token that a gateway without keys gets does no harm', async () => {
	const plain = await new Gateway().start();
	try {
		for (const options of ways) {
			const { sluice } = await connect({ ...options, token: createBackend(3600) }, plain.url);
			await sluice.opened;
			assert.equal(sluice.transport, options.transports[0]);
			sluice.close();
		}
	} finally {
		await plain.stop();
	}
});
