// The client against a real gateway, and with obstacles between.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { EventSource } from 'eventsource';
import { Gateway, Obstacle, listen, until } from './setup.mjs';

const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const quick = { pollInterval: 50 };
let gateway, obstacle;
const open = [];
let count = 0;

before(async () => {
	gateway = await new Gateway().start();
	obstacle = await new Obstacle().start(gateway.port);
});

afterEach(async () => {
	open.splice(0).forEach((sluice) => sluice.close());
	obstacle.faults = [];
	obstacle.cut();
	await new Promise((done) => setTimeout(done, 50)); // until fetch has noticed which of its connections are gone
});

after(async () => {
	await obstacle?.stop();
	await gateway?.stop();
});

function connect(options, url = gateway.url) {
	const channel = `test.${++count}`;
	const sluice = listen(url, { channels: [channel], ...quick, ...options });
	open.push(sluice);
	return { sluice, channel };
}

async function publishNumbers(channel, first, last) {
	for (let number = first; number <= last; number++)
		await gateway.publish(channel, number);
}

const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

test('a publish whose request runs out of time is repeated', async () => {
	let tries = 0;
	const { sluice, channel } = connect({ transports: ['sse'], fetch: (url, init) => {
		if (init?.method === 'POST' && String(url).includes('publish') && tries++ === 0)
			return Promise.reject(new DOMException('too late', 'TimeoutError')); // as AbortSignal.timeout() has it
		return fetch(url, init);
	} });
	const id = await sluice.publish(channel, 1);
	assert.match(id, /^[0-9a-f]{8}-\d+$/);
	assert.equal(tries, 2);
});

for (const [title, options] of [...names.map((name) => [name, { transports: [name] }]),
	['sse by an EventSource', { transports: ['sse'], EventSource }]]) {
	test(`${title} alone: listens, publishes, changes its channels, resumes`, async () => {
		const { sluice, channel } = connect(options);
		await sluice.opened;
		assert.equal(sluice.transport, options.transports[0]);
		const id = await sluice.publish(channel, { text: 'hi' });
		await until('the message', () => sluice.log.messages.length === 1);
		const [message] = sluice.log.messages;
		assert.deepEqual([message.channel, message.data, message.id], [channel, { text: 'hi' }, id]);
		assert.ok(Math.abs(message.time / 1000 - Date.now()) < 60000);
		await sluice.publish(channel, new Uint8Array([0, 255, 7]));
		await until('the bytes', () => sluice.log.messages.length === 2);
		assert.deepEqual(sluice.log.messages[1].data, new Uint8Array([0, 255, 7]));

		sluice.subscribe(`${channel}.more`);
		let sent = 0;
		await until('the other channel', async () => {
			await gateway.publish(`${channel}.more`, ++sent);
			return sluice.log.messages.some((event) => event.channel === `${channel}.more`);
		});
		await until('all of it', () => sluice.log.messages.at(-1).data === sent);
		sluice.unsubscribe(`${channel}.more`);
		await gateway.publish(`${channel}.more`, 'not for us');

		const { cursor } = sluice;
		sluice.close();
		assert.equal(sluice.state, 'closed');
		await publishNumbers(channel, 1, 10);
		const again = listen(gateway.url, { ...options, ...quick, channels: [channel], since: cursor });
		open.push(again);
		await until('what came meanwhile', () => again.log.messages.length >= 10);
		assert.deepEqual(again.data(), numbers(1, 10));
		assert.deepEqual(again.log.gaps, []);
		assert.ok(!sluice.data().includes('not for us'));
	});
}

async function countClients() {
	const { transports } = await gateway.getStats();
	return Object.fromEntries(names.flatMap((name) => Object.entries(transports[name].clients).map(([reason, count]) =>
		[`${name} ${reason}`, count])));
}

/** What was counted since `before`, as it is now. */
async function countSince(before) {
	return Object.entries(await countClients()).filter(([what, count]) => count > before[what])
		.map(([what, count]) => `${what} ${count - before[what]}`);
}

for (const name of names)
	test(`the gateway counts a client on ${name} once, with its reason, however long it stays`, async () => {
		const before = await countClients();
		const { sluice, channel } = connect({ transports: [name], hold: 1 });
		await sluice.opened;
		await until('it to be counted', async () => (await countSince(before)).length);
		await publishNumbers(channel, 1, 3);
		await until('the messages', () => sluice.log.messages.length === 3);
		sluice.subscribe(`${channel}.more`);
		await until('the other channel', async () => {
			await gateway.publish(`${channel}.more`, 'x');
			return sluice.data().includes('x');
		});
		assert.deepEqual(await countSince(before), [`${name} only 1`]);
	});

test('the gateway counts why a client left its first choice', async () => {
	obstacle.faults = [[/ \/ws/, '403']];
	const before = await countClients();
	const { sluice } = connect({ transports: ['websocket', 'sse', 'longpoll'] }, obstacle.url);
	await sluice.opened;
	await until('sse to be counted', async () => (await countSince(before)).includes('sse refused 1'));
	obstacle.faults = [[/ \/(ws|sse)/, '403']];
	obstacle.cut();
	await until('a long-poll to be counted', async () => (await countSince(before)).includes('longpoll died 1'));
	assert.deepEqual(await countSince(before), ['sse refused 1', 'longpoll died 1']);
});

test('the first choice is a websocket, and why is said', async () => {
	const { sluice } = connect();
	await sluice.opened;
	const [{ from, to, why }] = sluice.log.transports;
	assert.deepEqual([from, to], [null, 'websocket']);
	assert.match(why, /first to prove itself/);
});

for (const [fault, what] of [['403', 'is refused with 403'], ['strip', 'is stripped'], ['captive', 'is answered by a portal'],
	['hole', 'is swallowed'], ['deaf', 'is answered, and frames to the gateway are not'], ['reset', 'is reset'],
	['small', 'is answered, and frames of 4 KB are not']]) {
	test(`an upgrade that ${what}: sse`, async () => {
		obstacle.faults = [[/ \/ws/, fault]];
		const { sluice, channel } = connect({}, obstacle.url);
		await sluice.opened;
		assert.equal(sluice.transport, 'sse');
		await sluice.publish(channel, 'through');
		await until('the message', () => sluice.log.messages.length === 1);
	});
}

test('event streams that are held back: a stream; both: long-poll', async () => {
	obstacle.faults = [[/ \/(ws)/, '403'], [/ \/sse/, 'hold']];
	const first = connect({}, obstacle.url);
	await first.sluice.opened;
	assert.equal(first.sluice.transport, 'stream');
	obstacle.faults = [[/ \/(ws)/, '403'], [/ \/(sse|stream)/, 'hold']];
	const second = connect({}, obstacle.url);
	await second.sluice.opened;
	assert.equal(second.sluice.transport, 'longpoll');
});

for (const [fault, what] of [['heap2000', 'come in one heap, late'], ['lag', 'lag by one'], ['hold', 'come when they end']])
	test(`streams that ${what} are not live: longpoll`, async () => {
		obstacle.faults = [[/ \/ws/, '403'], [/ \/(sse|stream)/, fault]];
		const { sluice, channel } = connect({}, obstacle.url);
		await sluice.opened;
		assert.equal(sluice.transport, 'longpoll');
		await gateway.publish(channel, 1);
		await until('the message', () => sluice.data().length);
		await until('both to be judged', () => new Set(sluice.log.errors.map(({ transport }) => transport)).size === 3
			|| fault === 'heap2000');
	});

for (const [fault, what] of [['delay200', 'everything is 200 ms late'], ['heap200', 'what is sent within 200 ms comes together']])
	for (const [name, options] of [['sse', {}], ['sse', { EventSource }], ['stream', { transports: ['stream', 'longpoll', 'poll'] }]])
		test(`${what}, ${name}${options.EventSource ? ' by an EventSource' : ''}: live`, async () => {
			obstacle.faults = [[/ \/ws/, '403'], [/ \/(sse|stream)/, fault]];
			const { sluice, channel } = connect(options, obstacle.url);
			await until('all to be judged', () => sluice.transport === name);
			await publishNumbers(channel, 1, 5);
			await until('the messages', () => sluice.data().length === 5);
			assert.deepEqual(sluice.data(), numbers(1, 5));
			assert.equal(sluice.transport, name);
			assert.ok(!sluice.log.errors.some(({ transport }) => transport === name));
		});

for (const [fault, words] of [['403', /did not reach the gateway: another server answered, with status 403/],
	['captive', /did not reach the gateway: another server answered, with status 200/],
	['reset', /did not reach the gateway: something refused or dropped it/], ['hole', /did not reach the gateway: something refused or dropped it/],
	['strip', /a proxy removed the header Upgrade/], ['deaf', /the gateway answered the upgrade, but no frame reached it/],
	['mute', /the gateway answered the upgrade, but no data came from it within 1\.5 s/]])
	test(`what is in the way of an upgrade is said: ${fault}`, async () => {
		obstacle.faults = [[/ \/ws/, fault]];
		const { sluice } = connect({}, obstacle.url);
		await sluice.opened;
		assert.equal(sluice.transport, 'sse');
		const { transport, message } = await until('the reason', () => sluice.log.errors.find(({ code }) => code === 'blocked'));
		assert.equal(transport, 'websocket');
		assert.match(message, words);
		if (['403', 'strip'].includes(fault)) // known before the next has proved itself
			assert.match(sluice.log.transports[0].why, words);
	});

test('an origin that the gateway refuses, behind a proxy that says nothing of it: the gateway\'s words', async () => {
	obstacle.faults = [[/GET \/ws/, 'foreign'], [/POST \/ws/, 'foreign']];
	const { sluice } = connect({}, obstacle.url);
	const { message } = await until('the reason', () => sluice.log.errors.find(({ code }) => code === 'blocked'));
	assert.match(message, /^the gateway does not allow pages of .*--public-origin/);
});

test('what the gateway saw of an upgrade cannot be asked: what answers without an upgrade is said', async () => {
	obstacle.faults = [[/ \/(ws|probe\/seen)/, '403']];
	const { sluice } = connect({}, obstacle.url);
	const { message } = await until('the reason', () => sluice.log.errors.find(({ code }) => code === 'blocked'));
	assert.match(message, /did not reach the gateway: another server answered, with status 403/);
});

test('a gateway that is away is not asked what is in the way', async () => {
	obstacle.faults = [[/./, 'reset']];
	obstacle.requests.length = 0;
	const { sluice } = connect({}, obstacle.url);
	await until('waiting', () => sluice.log.states.filter(({ state }) => state === 'waiting').length > 2);
	assert.ok(!obstacle.requests.some((line) => /seen|nonce|probe=.*\/ws/.test(line)));
});

test('everything but short polls blocked: poll', async () => {
	obstacle.faults = [[/ \/(ws|sse|stream)/, '504'], [/wait=[1-9]/, '504']];
	const { sluice, channel } = connect({}, obstacle.url);
	await until('poll', () => sluice.transport === 'poll');
	await sluice.publish(channel, 'through');
	await until('the message', () => sluice.data().includes('through'));
});

test('polls that are held fall into a hole: poll', async () => {
	obstacle.faults = [[/ \/(ws|sse|stream)/, '504'], [/wait=[1-9]/, 'hole']];
	const { sluice, channel } = connect({}, obstacle.url);
	await until('poll', () => sluice.transport === 'poll');
	await gateway.publish(channel, 'through');
	await until('the message', () => sluice.data().includes('through'));
});

test('frames above 4 KB vanish: websocket is not trusted', async () => {
	obstacle.faults = [[/ \/ws/, 'small:4096']];
	const { sluice } = connect({}, obstacle.url);
	await sluice.opened;
	await until('the reason', () => sluice.log.errors.find(({ message }) => /a frame of 4 KB got no answer|a small frame got no answer/.test(message)));
	assert.equal(sluice.transport, 'sse');
});

test('blocked in mid-session it goes down, unblocked it comes up again, nothing lost or doubled', async () => {
	const { sluice, channel } = connect({ timings: { promote: [300, 300, 300, 300] } }, obstacle.url);
	await sluice.opened;
	let sent = 0;
	let stop = false;
	const publishing = (async () => {
		while (!stop) {
			await gateway.publish(channel, ++sent);
			await new Promise((done) => setTimeout(done, 5));
		}
	})();
	for (const [blocked, wanted] of [['ws', 'sse'], ['ws|sse', 'stream'], ['ws|sse|stream', 'longpoll']]) {
		obstacle.faults = [[new RegExp(` /(${blocked})\\b`), '403']];
		obstacle.cut();
		await until(wanted, () => sluice.transport === wanted);
	}
	for (const [blocked, wanted] of [['ws|sse', 'stream'], ['ws', 'sse'], ['nothing', 'websocket']]) {
		obstacle.faults = [[new RegExp(` /(${blocked})\\b`), '403']];
		await until(wanted, () => sluice.transport === wanted);
	}
	stop = true;
	await publishing;
	await until('the last', () => sluice.log.messages.at(-1)?.data === sent);
	assert.deepEqual(sluice.data(), numbers(1, sent));
	assert.deepEqual(sluice.log.gaps, []);
});

for (const name of names) {
	test(`${name}: cut again and again, every message comes once and in order`, async () => {
		const { sluice, channel } = connect({ transports: [name] }, obstacle.url);
		await sluice.opened;
		for (let i = 0; i < 4; i++) {
			obstacle.cut();
			await publishNumbers(channel, i * 10 + 1, i * 10 + 10);
		}
		await until('all', () => sluice.log.messages.length >= 40);
		assert.deepEqual(sluice.data(), numbers(1, 40));
	});
}

test('an answer to a publish that gets lost: the publish is repeated, and counts once', async () => {
	const { sluice, channel } = connect({ transports: ['stream'] }, obstacle.url);
	await sluice.opened;
	obstacle.faults = [[/^POST/, 'hold']];
	const publishing = sluice.publish(channel, 'once');
	await until('the message, without an answer', () => sluice.log.messages.length === 1);
	obstacle.faults = [];
	obstacle.cut();
	assert.equal(await publishing, sluice.log.messages[0].id);
	await gateway.publish(channel, 'end');
	await until('the end', () => sluice.data().includes('end'));
	assert.deepEqual(sluice.data(), ['once', 'end']);
});

test('params are in the query of every delivery and publish', async () => {
	for (const name of names) {
		obstacle.requests.length = 0;
		const { sluice, channel } = connect({ transports: [name], params: { demo: 'lane 1' } }, obstacle.url);
		await sluice.opened;
		await sluice.publish(channel, new Uint8Array([1]));
		await until('the message', () => sluice.log.messages.length === 1);
		for (const line of obstacle.requests)
			assert.match(line, /[?&]demo=lane%201[& ]/);
		sluice.close();
	}
});

test('the token is a header where there can be one, a subprotocol of websocket, and never in a URL', async () => {
	for (const [transports, given] of [...names.map((name) => [[name], undefined]), [['sse'], EventSource]]) {
		const headers = new Set();
		obstacle.requests.length = 0;
		const { sluice, channel } = connect({ transports, EventSource: given, token: 'a.b', fetch: (url, init) => {
			headers.add(init.headers?.Authorization);
			return fetch(url, init);
		} }, obstacle.url);
		await sluice.opened;
		await sluice.publish(channel, new Uint8Array([1]));
		await until('the message', () => sluice.log.messages.length === 1);
		assert.deepEqual([...headers], ['Bearer a.b']);
		for (const line of obstacle.requests)
			assert.doesNotMatch(line, /a\.b|token|ticket=/, line);
		assert.equal(obstacle.requests.some((line) => line.startsWith('POST /ticket?channels=')), Boolean(given));
		sluice.close();
	}
});

test('messages that history no longer holds: a gap event', async () => {
	const small = await new Gateway().start('--history-messages', '5');
	try {
		const first = await small.publish('gap', 0);
		for (let number = 1; number <= 20; number++)
			await small.publish('gap', number);
		for (const name of names) {
			const sluice = listen(small.url, { channels: ['gap'], since: first, transports: [name] });
			open.push(sluice);
			await until('the rest', () => sluice.log.messages.length === 5);
			assert.deepEqual(sluice.data(), numbers(16, 20), name);
			assert.deepEqual(sluice.log.gaps.map(({ channel, after }) => [channel, after]), [['gap', first]], name);
			sluice.close();
		}
	} finally {
		await small.stop();
	}
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
	test(`the gateway gets ${signal}: waits, comes back, tells the gap`, async () => {
		const own = await new Gateway().start();
		const sluices = names.map((name) => listen(own.url, { channels: ['restart'], transports: [name], ...quick }));
		open.push(...sluices);
		try {
			await Promise.all(sluices.map(({ opened }) => opened));
			await own.publish('restart', 1);
			await until('the first', () => sluices.every(({ log }) => log.messages.length === 1));
			await own.stop(signal);
			await until('waiting', () => sluices.every(({ log }) => log.states.some(({ state }) => state === 'waiting')));
			await own.start();
			await own.publish('restart', 2);
			await until('the second', () => sluices.every(({ log }) => log.messages.length >= 2));
			for (const { log, data } of sluices) {
				assert.deepEqual(data(), [1, 2]);
				assert.equal(log.gaps.length, 1);
			}
		} finally {
			sluices.forEach((sluice) => sluice.close());
			await own.stop();
		}
	});
}

test('a path that cuts when idle gets a shorter heartbeat', async () => {
	obstacle.faults = [[/ \/stream/, 'idle5000']];
	const { sluice } = connect({ transports: ['stream'] }, obstacle.url);
	await until('a heartbeat asked for', () => obstacle.requests.some((line) => / \/stream.*heartbeat=4/.test(line)));
	await sluice.opened;
});

test('what worked is remembered, and only orders the candidates', async () => {
	const items = new Map();
	const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
	obstacle.faults = [[/ \/ws/, 'hole']];
	const first = connect({ storage }, obstacle.url);
	await first.sluice.opened;
	first.sluice.close();
	obstacle.faults = [];
	obstacle.requests.length = 0;
	const second = connect({ storage }, obstacle.url);
	await second.sluice.opened;
	assert.equal(second.sluice.transport, 'sse');
	assert.ok(!obstacle.requests.some((line) => line.includes('/ws')));
	second.sluice.close();
	obstacle.faults = [[/ \/sse/, '403']];
	const third = connect({ storage }, obstacle.url);
	await third.sluice.opened;
	assert.equal(third.sluice.transport, 'websocket');
});
