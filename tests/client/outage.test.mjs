// What the client makes of a bus whose log is elsewhere: its backend goes away and comes back, its log is another one,
// nobody knows what became of a publish. The slow backend does that when it is told to (tests/backend/slow.h).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Gateway, Obstacle, listen, load, until } from './setup.mjs';

const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const streaming = names.slice(0, 3);
const open = [];
let gateway, obstacle;
let count = 0;

before(async () => {
	gateway = await new Gateway().start('--backend', 'slow');
	obstacle = await new Obstacle().start(gateway.port);
});

afterEach(async () => {
	open.splice(0).forEach((sluice) => sluice.close());
	obstacle.faults = [];
	await control('back');
});

after(() => Promise.all([obstacle.stop(), gateway.stop()]));

async function control(words) {
	const response = await fetch(`${gateway.url}publish?channel=slow.control`,
		{ method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: words });
	assert.equal(response.status, 200, words);
}

function connect(options, url = gateway.url) {
	const channel = `outage.${++count}`;
	const sluice = listen(url, { channels: [channel], pollInterval: 50, hold: 2, ...options });
	const heard = [];
	sluice.addEventListener('backend', ({ state }) => heard.push(state));
	open.push(sluice);
	return { sluice, channel, heard };
}

for (const name of streaming)
	test(`${name}: away and back are told once, and the connection stays`, async () => {
		const { sluice, channel, heard } = connect({ transports: [name] });
		await sluice.opened;
		await control('away');
		await until('away', () => heard.length === 1);
		const publishing = sluice.publish(channel, 'meanwhile');
		await control('back');
		await until('back', () => heard.length === 2);
		await publishing;
		await until('the message', () => sluice.data().length === 1);
		assert.deepEqual(heard, ['away', 'back']);
		assert.equal(sluice.log.transports.length, 1);
		assert.deepEqual(sluice.log.errors, []);
		assert.deepEqual(sluice.log.states.map(({ state }) => state), ['connecting', 'open']);
	});

for (const name of names)
	test(`${name}: who comes while it is away ${streaming.includes(name) ? 'hears it' : 'hears nothing'}`, async () => {
		await control('away');
		const { sluice, heard } = connect({ transports: [name] });
		await sluice.opened;
		if (streaming.includes(name))
			await until('away', () => heard.length === 1);
		await control('back');
		if (streaming.includes(name))
			await until('back', () => heard.length === 2);
		assert.deepEqual(heard, streaming.includes(name) ? ['away', 'back'] : []);
	});

test('a client that changes its transport meanwhile hears nothing twice, and back where nothing tells it', async () => {
	const { sluice, heard } = connect({ transports: ['websocket', 'sse', 'longpoll'] }, obstacle.url);
	await sluice.opened;
	await control('away');
	await until('away', () => heard.length === 1);
	obstacle.faults = [[/ \/ws\b/, '403']];
	obstacle.cut();
	await until('sse', () => sluice.transport === 'sse');
	await new Promise((done) => setTimeout(done, 500));
	assert.deepEqual(heard, ['away']);
	obstacle.faults = [[/ \/(ws|sse)\b/, '403']];
	obstacle.cut();
	await until('longpoll', () => sluice.transport === 'longpoll');
	await until('back', () => heard.length === 2);
	assert.deepEqual(heard, ['away', 'back']);
});

for (const name of names)
	test(`${name}: another log: a gap, and all that it holds, once`, async () => {
		const { sluice, channel } = connect({ transports: [name] });
		await sluice.opened;
		const before = await sluice.publish(channel, 'old');
		await until('the old one', () => sluice.data().length === 1);
		await control('reset');
		await gateway.publish(channel, 1);
		await gateway.publish(channel, 2);
		await until('the new ones', () => sluice.data().length === 3);
		assert.deepEqual(sluice.data(), ['old', 1, 2]);
		assert.equal(sluice.log.gaps.length, 1);
		const [gap] = sluice.log.gaps;
		assert.equal(gap.channel, channel);
		assert.equal(gap.after.slice(0, 8), before.slice(0, 8));
		assert.notEqual(gap.resumed.slice(0, 8), before.slice(0, 8));
		const waits = sluice.log.states.filter(({ state }) => state === 'waiting');
		for (const { why, wait } of streaming.includes(name) ? waits : []) {
			assert.match(why, /the gateway ended the connection \(epoch\)/);
			assert.ok(wait >= 500 && wait < 10000, `${wait} ms`);
		}
		assert.equal(waits.length, streaming.includes(name) ? 1 : 0);
		assert.notEqual((await sluice.publish(channel, 3)).slice(0, 8), before.slice(0, 8));
	});

test('one log after the other, and another transport after each: every message of the last one, once and in order', async () => {
	const { sluice, channel } = connect({ transports: ['websocket', 'sse', 'stream', 'longpoll'] }, obstacle.url);
	await sluice.opened;
	const ways = ['ws', 'ws|sse', 'ws|sse|stream', 'ws'];
	for (const [i, way] of ways.entries()) {
		await control('reset');
		obstacle.faults = [[new RegExp(` /(${way})\\b`), '403']];
		if (i % 2)
			obstacle.cut();
		for (let n = 1; n <= 10; n++)
			await gateway.publish(channel, i * 10 + n);
		await until(`all of log ${i}`, () => sluice.data().at(-1) === i * 10 + 10);
	}
	const wanted = Array.from({ length: 40 }, (_, i) => i + 1);
	assert.deepEqual(sluice.data(), wanted);
	assert.equal(sluice.log.gaps.length, ways.length);
});

for (const name of ['websocket', 'stream'])
	test(`${name}: a publish of which nobody knows what became is repeated under its key, and counts once`, async () => {
		const { sluice, channel } = connect({ transports: [name] });
		await sluice.opened;
		await control('unknown 4'); // two of them are stored
		const ids = await Promise.all(['a', 'b', 'c', 'd'].map((data) => sluice.publish(channel, data)));
		await until('all', () => sluice.data().length >= 4);
		await new Promise((done) => setTimeout(done, 300));
		assert.deepEqual(sluice.data().sort(), ['a', 'b', 'c', 'd']);
		assert.deepEqual(sluice.log.messages.map(({ id }) => id).sort(), ids.sort());
	});

for (const [seen, words] of [['nothing', /did not reach the gateway: something refused or dropped it/],
	['unknown', /^the upgrade or its answer was lost$/]])
	test(`an upgrade of which the gateway says that it saw ${seen}: no more is claimed`, async () => {
		const { diagnose } = await load('transports/websocket.js');
		class Deaf {
			readyState = 0;
			constructor() {
				setTimeout(() => this.onerror());
			}
			close() {}
		}
		const headers = { Sluice: '0' };
		const fetch = async (url) => url.includes('probe/seen') ? Response.json({ seen }, { headers }) :
			Response.json({ error: { code: 'upgrade_required', message: 'this wants an upgrade' } }, { status: 426, headers });
		assert.match(await diagnose({ WebSocket: Deaf, fetch, url: (path) => `http://gateway/${path}` }), words);
	});
