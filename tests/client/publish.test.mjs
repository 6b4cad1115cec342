// Publishing: what is refused, by whom, and what is tried again. First the publisher alone, on
// a fake clock, then against a real gateway.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import WebSocket from 'ws';
import { Clock } from './clock.mjs';
import { Gateway, Obstacle, listen, load, until } from './setup.mjs';

const { Publisher, createPublication } = await load('publisher.js');
const circular = {};
circular.self = circular;
const detached = new ArrayBuffer(8);
structuredClone(detached, { transfer: [detached] });

const hopeless = [['circular', circular], ['a BigInt', 1n], ['undefined', undefined], ['a function', () => 1],
	['a symbol', Symbol('x')], ['what toJSON() throws at', { toJSON() { throw new TypeError('no'); } }],
	['a detached buffer', detached]];

test('what JSON cannot say and what is no channel or key throws a TypeError', () => {
	for (const [what, data] of hopeless)
		assert.throws(() => createPublication('c', data), TypeError, what);
	for (const [type, data] of [['undefined'], ['function', () => 1], ['symbol', Symbol('x')]])
		assert.throws(() => createPublication('c', data), { message: `data: JSON has no ${type}` });
	for (const channel of ['', 'a*b', 'no\nname', '~a', undefined, 5, 'x'.repeat(256)])
		assert.throws(() => createPublication(channel, 1), TypeError, String(channel));
	for (const key of ['short', 'x'.repeat(65), 'with a blank', 'lïke-this', 'line\nfeed'])
		assert.throws(() => createPublication('c', 1, key), TypeError, key);
	for (const event of ['', 'x'.repeat(129), 'line\nfeed', 5, null])
		assert.throws(() => createPublication('c', 1, undefined, undefined, event), TypeError, String(event));
	assert.equal(createPublication('c', 1, 'x'.repeat(64)).key.length, 64);
});

test('the size is that of the UTF-8 that is sent, or of the bytes', () => {
	for (const [data, size] of [['', 2], ['é', 4], ['😀', 6], [{ a: [1, 'é'] }, 14], ['\ud800', 8],
		[new Uint8Array(9), 9], [new Uint8Array(9).subarray(4), 5], [new ArrayBuffer(7), 7], [new Uint16Array(3), 6],
		[new SharedArrayBuffer(3), 3]]) {
		assert.equal(createPublication('c', data).size, size);
		assert.equal(createPublication('c', data, undefined, size).size, size);
		assert.throws(() => createPublication('c', data, undefined, size - 1), { name: 'PublishError', code: 'too_large' });
	}
});

test('what is published is what it was at the call', () => {
	const bytes = new Uint8Array([1, 2, 3]);
	const { body } = createPublication('c', bytes.subarray(1));
	bytes.fill(9);
	assert.deepEqual(body, new Uint8Array([2, 3]));
	assert.equal(createPublication('c', { toJSON: () => 'written' }).body, '"written"');
});

/** A Publisher whose network is this object: `answers` are those to the next requests. */
class World {
	clock = new Clock();
	way = null;
	epoch = 'aaaaaaaa';
	most = 65536;
	answers = [];
	posts = [];
	sent = [];
	doubts = 0;
	outcomes = [];
	publisher = new Publisher({ way: () => this.way, epoch: () => this.epoch, most: () => this.most,
		url: (channel) => `http://gateway/publish?channel=${channel}`, doubt: () => this.doubts++,
		fetch: (url, { body, headers }) => {
			this.posts.push({ body, key: headers['Idempotency-Key'], type: headers['Content-Type'] });
			const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
			return answer ? answer() : new Promise(() => {});
		} });

	publish(data, key) {
		const index = this.outcomes.push('') - 1;
		this.publisher.publish(createPublication('c', data, key)).then((id) => this.outcomes[index] = id,
			({ code, message }) => this.outcomes[index] = `${code}: ${message}`);
	}

	/** A socket that writes down what it takes. */
	connect() {
		const sent = [];
		this.way = (text) => sent.push(JSON.parse(text));
		this.publisher.flush();
		return sent;
	}
}

const respond = (status, body, headers = { Sluice: '1' }) => async () => new Response(body, { status, headers });
const refuse = (status, code, headers) => respond(status, JSON.stringify({ error: { code, message: `it is ${code}` } }),
	{ Sluice: '1', ...headers });
/** In steps: the body of a Response takes turns of the event loop. */
async function run(clock, ms) {
	for (; ms > 0; ms -= 100)
		await clock.run(100);
}

const accept = respond(200, '{"id":"aaaaaaaa-7"}');
const fail = async () => { throw new TypeError('fetch failed'); };

async function inWorld(situation) {
	const world = new World();
	try {
		await situation(world, world.clock);
	} finally {
		world.publisher.close();
		world.clock.restore();
	}
}

for (const status of [400, 401, 403, 404, 405, 407, 408, 409, 411, 413, 415, 418, 421, 422, 425, 431, 451])
	test(`a POST that is answered ${status} is refused once, whoever answers`, () => inWorld(async (world, clock) => {
		world.answers = [refuse(status, 'bad_thing'), respond(status, '<p>no', {}), respond(status, '<p>no')];
		const code = status === 413 ? 'too_large' : 'refused';
		for (let i = 0; i < 3; i++) {
			world.publish(i);
			await clock.run(10);
		}
		assert.equal(world.outcomes[0], 'bad_thing: it is bad_thing');
		assert.match(world.outcomes[1], new RegExp(`^${code}: .*${status}`));
		assert.match(world.outcomes[2], new RegExp(`^${code}: .*${status}`));
		await run(clock, 110000);
		assert.equal(world.posts.length, 3);
	}));

for (const [title, answer, reason] of [['the gateway', refuse(429, 'limit'), 'it is limit'],
	['somebody between', respond(429, 'slow down', { 'Retry-After': '2' }), 'status 429']]) {
	test(`429 by ${title} until the end: not_published, with the reason`, () => inWorld(async (world, clock) => {
		world.answers = [answer];
		world.publish(1);
		await run(clock, 80000);
		assert.deepEqual(world.outcomes, ['']);
		assert.ok(world.posts.length > 20);
		await run(clock, 20000);
		assert.match(world.outcomes[0], new RegExp(`^not_published: .*${reason}`));
	}));

	test(`429 by ${title} beside a try without an answer: unknown_outcome`, () => inWorld(async (world, clock) => {
		world.answers = [answer, fail, answer];
		world.publish(1);
		await run(clock, 101000);
		assert.match(world.outcomes[0], /^unknown_outcome/);
	}));
}

test('429 with a Retry-After beyond the end: not_published at once', () => inWorld(async (world, clock) => {
	world.answers = [refuse(429, 'limit', { 'Retry-After': '3600' })];
	world.publish(1);
	await clock.run(10);
	assert.match(world.outcomes[0], /^not_published/);
}));

test('429 for draining, then another epoch: published there; after a try without an answer it is not', () =>
	inWorld(async (world, clock) => {
		world.answers = [refuse(429, 'draining'), respond(200, '{"id":"bbbbbbbb-1"}')];
		world.publish(1);
		await clock.run(10);
		world.epoch = 'bbbbbbbb';
		await clock.run(2000);
		assert.deepEqual(world.outcomes, ['bbbbbbbb-1']);
		world.answers = [fail, refuse(429, 'draining')];
		world.publish(2);
		await clock.run(1500);
		world.epoch = 'cccccccc';
		await clock.run(5000);
		assert.match(world.outcomes[1], /^unknown_outcome/);
	}));

test('an error of the gateway on a socket that says it is too busy: the same as 429', () => inWorld(async (world, clock) => {
	const sent = world.connect();
	world.publish(1);
	for (let answered = 0; !world.outcomes[0]; await clock.run(100))
		for (; answered < sent.length; answered++)
			world.publisher.answer({ type: 'error', ref: sent[answered].ref, code: 'limit', message: 'a table is full' });
	assert.ok(sent.length > 50);
	assert.match(world.outcomes[0], /^not_published: .*a table is full/);
}));

test('a POST without any answer, and no epoch known: unknown_outcome', () => inWorld(async (world, clock) => {
	world.epoch = '';
	world.publish(1);
	await run(clock, 101000);
	assert.match(world.outcomes[0], /^unknown_outcome/);
}));

test('until the limit is known a publish goes by POST, then over the socket, as it was written once', () =>
	inWorld(async (world, clock) => {
		world.most = undefined;
		world.answers = [refuse(413, 'too_large'), accept];
		const sent = world.connect();
		world.publish('x'.repeat(100000));
		world.publish('small');
		await clock.run(10);
		assert.deepEqual(world.outcomes, ['too_large: it is too_large', 'aaaaaaaa-7']);
		assert.deepEqual(sent, []);
		world.most = 65536;
		let written = 0;
		world.publish({ toJSON: () => ++written }, 'key "quoted"'.replace(' ', '-'));
		assert.deepEqual(sent.map(({ type, channel, data, key }) => [type, channel, data, key]),
			[['publish', 'c', 1, 'key-"quoted"']]);
		const again = world.connect();
		assert.deepEqual(again, sent);
		assert.equal(written, 1);
	}));

test('what is larger than a limit that was lowered goes by POST, which alone can refuse it', () => inWorld(async (world, clock) => {
	world.answers = [refuse(413, 'too_large')];
	world.way = undefined;
	world.publish('x'.repeat(1000));
	world.most = 999;
	const sent = world.connect();
	await clock.run(10);
	assert.deepEqual(world.outcomes, ['too_large: it is too_large']);
	assert.deepEqual(sent, []);
}));

test('a socket closed for a frame that was too large: the largest without an answer is refused, the others are sent again', () =>
	inWorld(async (world, clock) => {
		const { way } = (world.connect(), world);
		for (const size of [10, 3000, 5000, 200])
			world.publish('x'.repeat(size));
		await clock.run(10);
		world.way = undefined;
		assert.ok(world.publisher.refuseLargest(way, 'closed'));
		await clock.run(10);
		assert.deepEqual(world.outcomes.map((outcome) => outcome.split(':')[0]), ['', '', 'too_large', '']);
		const sent = world.connect();
		assert.deepEqual(sent.map(({ data }) => data.length), [10, 3000, 200]);
		world.answers = [accept];
		world.publish('x'.repeat(6000));
		await clock.run(10);
		assert.equal(world.outcomes[4], 'aaaaaaaa-7', 'by POST');
		assert.equal(sent.length, 3);
		assert.equal(world.publisher.refuseLargest(way, 'closed'), false, 'nothing waits on that socket any more');
		assert.equal(world.publisher.refuseLargest(undefined, 'closed'), false);
	}));

test('a publish that a living socket has not answered for 10 s goes by POST', () => inWorld(async (world, clock) => {
	world.answers = [accept];
	const sent = world.connect();
	world.publish(1);
	await clock.run(9000);
	assert.deepEqual([world.doubts, world.posts.length], [1, 0]);
	await clock.run(2000);
	assert.deepEqual(world.outcomes, ['aaaaaaaa-7']);
	assert.deepEqual([sent.length, sent[0].key], [1, world.posts[0].key]);
}));

test('an error without a ref is of a frame that could not be read: by POST each gets its own answer', () => inWorld(async (world, clock) => {
	world.connect();
	world.answers = [refuse(400, 'bad_json'), accept];
	world.publish(1);
	world.publish(2);
	assert.equal(world.publisher.answer({ type: 'error', ref: null, code: 'bad_json', message: 'what?' }), false);
	await clock.run(10);
	assert.deepEqual(world.outcomes, ['bad_json: it is bad_json', 'aaaaaaaa-7']);
}));

test('one that another tab may have tried: unknown_outcome in another epoch, and when nothing is heard', () =>
	inWorld(async (world, clock) => {
		for (const epoch of ['bbbbbbbb', '']) {
			const outcome = world.publisher.publish({ ...createPublication('c', 1), unsure: true, epoch }).catch(({ code }) => code);
			world.answers = [refuse(429, 'limit')];
			await run(clock, 101000);
			assert.equal(await outcome, 'unknown_outcome');
		}
	}));

test('unknown_outcome of the gateway by POST: tried again under the same key', () => inWorld(async (world, clock) => {
	world.answers = [refuse(500, 'unknown_outcome'), refuse(500, 'unknown_outcome'), accept];
	world.publish(1);
	await run(clock, 20000);
	assert.deepEqual(world.outcomes, ['aaaaaaaa-7']);
	assert.equal(world.posts.length, 3);
	assert.equal(new Set(world.posts.map(({ key }) => key)).size, 1);
}));

test('unknown_outcome of the gateway to the end, or in another epoch: unknown_outcome, whatever else it says', () =>
	inWorld(async (world, clock) => {
		world.answers = [refuse(500, 'unknown_outcome'), refuse(429, 'limit')];
		world.publish(1);
		await run(clock, 101000);
		assert.match(world.outcomes[0], /^unknown_outcome/);
		assert.ok(world.posts.length > 10);
		world.answers = [refuse(500, 'unknown_outcome')];
		world.publish(2);
		await run(clock, 1);
		const { length } = world.posts;
		world.epoch = 'bbbbbbbb';
		await run(clock, 10000);
		assert.match(world.outcomes[1], /^unknown_outcome/);
		assert.equal(world.posts.length, length, 'a gateway of another epoch is not asked');
	}));

test('unknown_outcome in an error object: tried again on the socket, under the same key', () => inWorld(async (world, clock) => {
	const sent = world.connect();
	world.publish(1);
	await clock.run(1);
	world.publisher.answer({ type: 'error', ref: sent[0].ref, code: 'unknown_outcome', message: 'nobody knows' });
	await clock.run(10);
	assert.deepEqual(world.outcomes, ['']);
	await run(clock, 5000);
	assert.equal(sent.length, 2);
	assert.equal(sent[1].key, sent[0].key);
	world.publisher.answer({ type: 'ack', ref: sent[1].ref, id: 'aaaaaaaa-9' });
	await clock.run(1);
	assert.deepEqual(world.outcomes, ['aaaaaaaa-9']);
}));

test('the time that a publish has begins when it was asked for', () => inWorld(async (world, clock) => {
	world.way = undefined;
	const publication = createPublication('c', 1);
	await clock.run(90000);
	const outcome = world.publisher.publish(publication).catch(({ code }) => code);
	await clock.run(11000);
	assert.equal(await outcome, 'not_sent');
}));

/* ---- against a real gateway ---- */

const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
let gateway, obstacle;
const open = [];
let count = 0;

before(async () => {
	gateway = await new Gateway().start('--max-message', '8K');
	obstacle = await new Obstacle().start(gateway.port);
});

afterEach(() => open.splice(0).forEach((sluice) => sluice.close()));

after(async () => {
	await obstacle?.stop();
	await gateway?.stop();
});

/** Its `open` tells a limit of our own. */
const withLimit = (message) => class extends WebSocket {
	set onmessage(take) {
		super.onmessage = ({ data }) => take({ data: !data.startsWith('{"type":"open"') ? data :
			data.replace(/}$/, `,"limits":{"message":${message},"channels":64}}`) });
	}
};

function connect(options, url = gateway.url) {
	const channel = `publish.${++count}`;
	const sluice = listen(url, { channels: [channel], pollInterval: 50, ...options });
	open.push(sluice);
	return { sluice, channel };
}

for (const name of names)
	test(`${name}: a publish that is too large, or no JSON, is refused alone and the others go through`, async () => {
		const { sluice, channel } = connect({ transports: [name] });
		await sluice.opened;
		const small = [1, 2, 3].map((number) => sluice.publish(channel, number));
		await assert.rejects(sluice.publish(channel, 'x'.repeat(100000)), { name: 'PublishError', code: 'too_large' });
		await assert.rejects(sluice.publish(channel, new Uint8Array(100000)), { name: 'PublishError', code: 'too_large' });
		for (const [what, data] of hopeless)
			await assert.rejects(sluice.publish(channel, data), TypeError, what);
		await Promise.all(small);
		await until('the others', () => sluice.log.messages.length === 3);
		assert.equal(typeof await sluice.publish(channel, 'x'.repeat(8190)), 'string');
		assert.deepEqual(sluice.log.states.map(({ state }) => state), ['connecting', 'open']);
		assert.deepEqual(sluice.log.errors, []);
	});

test('before anything is known, what is too large goes by POST, and its 413 refuses it alone', async () => {
	const { sluice, channel } = connect({ channels: [] });
	await assert.rejects(sluice.publish(channel, 'x'.repeat(100000)), { name: 'PublishError', code: 'too_large' });
	assert.equal(typeof await sluice.publish(channel, 1), 'string');
});

test('a limit that the client does not know closes the socket: one publish is refused, websocket stays the transport', async () => {
	const { sluice, channel } = connect({ WebSocket: withLimit(65536) }, obstacle.url);
	await sluice.opened;
	obstacle.requests.length = 0;
	const sizes = [10, 20000, 30, 4000];
	const outcomes = await Promise.allSettled(sizes.map((size) => sluice.publish(channel, 'x'.repeat(size))));
	assert.deepEqual(outcomes.map(({ status, reason }) => reason?.code ?? status), ['fulfilled', 'too_large', 'fulfilled', 'fulfilled']);
	await until('the others', () => sluice.log.messages.length === 3);
	assert.deepEqual(sluice.data().map(({ length }) => length).sort((a, b) => a - b), [10, 30, 4000]);
	assert.equal(sluice.transport, 'websocket');
	assert.deepEqual(new Set(sluice.log.transports.map(({ to }) => to)), new Set(['websocket']));
	assert.equal(obstacle.requests.filter((line) => line.includes('/ws')).length, 1, 'it came back once');
	await assert.rejects(sluice.publish(channel, 'x'.repeat(20000)), { code: 'too_large' });
	assert.equal(obstacle.requests.filter((line) => line.includes('/ws')).length, 1, 'and the next went by POST');
});

test('a publish on a socket goes over the socket', async () => {
	const { sluice, channel } = connect({ transports: ['websocket'] }, obstacle.url);
	await sluice.opened;
	obstacle.requests.length = 0;
	const data = { text: 'é "quoted" \u2028', list: [1, null, { deep: true }] };
	await sluice.publish(channel, data);
	await until('it', () => sluice.log.messages.length);
	assert.deepEqual(sluice.data(), [data]);
	assert.deepEqual(obstacle.requests, []);
});

test('a gateway whose messages are small is reached by websocket too', async () => {
	const small = await new Gateway().start('--max-message', '100');
	try {
		const { sluice, channel } = connect({ transports: ['websocket'] }, small.url);
		await sluice.opened;
		await sluice.publish(channel, 'x'.repeat(98));
		await assert.rejects(sluice.publish(channel, 'x'.repeat(99)), { code: 'too_large' });
	} finally {
		open.splice(0).forEach((sluice) => sluice.close());
		await small.stop();
	}
});

test('JSON that is nested too deep is refused alone, by whatever transport', async () => {
	const deep = JSON.parse('['.repeat(2000) + ']'.repeat(2000));
	for (const transports of [['websocket'], ['longpoll']]) {
		const { sluice, channel } = connect({ transports });
		await sluice.opened;
		await assert.rejects(sluice.publish(channel, deep), ({ code }) => ['bad_json', 'too_deep'].includes(code));
		assert.equal(typeof await sluice.publish(channel, 1), 'string');
	}
});

test('a closed client refuses at once', async () => {
	const { sluice, channel } = connect();
	await sluice.opened;
	sluice.close();
	await assert.rejects(sluice.publish(channel, 1), { code: 'not_sent', message: 'the client is closed' });
	sluice.subscribe(`${channel}.more`);
	assert.equal(sluice.state, 'closed');
});
