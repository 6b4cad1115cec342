// A gateway that limits what one client may ask for: the client waits as long as it is told, keeps its
// transport, and loses nothing. First the policy and the publisher alone, then a real gateway with small
// rates.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { Clock } from './clock.mjs';
import { Gateway, listen, load, until } from './setup.mjs';

const { Policy, times } = await load('policy.js');
const { Publisher, createPublication } = await load('publisher.js');
const { Recovery } = await load('recover.js');
const { gates } = await load('gates.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const limited = { type: 'lost', why: 'more requests than --request-rate allows one client', code: 'rate_limited', retry: 4000 };

/* ---- the policy ---- */

function createPolicy(transports = names) {
	const policy = new Policy({ transports, random: () => 0 });
	const step = (event, now = 0) => policy.step(event, now);
	const prove = (attempt, name, now) => gates[name].flatMap(([stage], i) => step({ type: 'stage', attempt, stage }, now + 60 * i));
	return { policy, step, prove, find: (actions, what) => actions.find((action) => action.do === what) };
}

describe('a link in use that is over a limit', () => {
	for (const name of names)
		test(`${name}: waits, comes back on the same transport, and is told and counted as no change`, () => {
			const { policy, step, prove, find } = createPolicy([name, ...names.filter((other) => other !== name)]);
			step({ type: 'start' });
			assert.equal(find(prove(1, name, 0), 'use').to, name);
			const { state, wait } = find(step({ ...limited, attempt: 1 }, 20000), 'state');
			assert.deepEqual([state, wait >= 4000], ['waiting', true]);
			for (const type of ['wake', 'stop', 'start', 'tick'])
				assert.equal(find(step({ type }, 23900), 'open'), undefined, type);
			const open = find(step({ type: 'tick' }, policy.next), 'open');
			assert.ok(policy.next > 24000 && open);
			assert.deepEqual([open.transport, open.reason], [name, undefined]);
			const { from, to, reason } = find(prove(open.attempt, name, 24500), 'use');
			assert.deepEqual([from, to, reason], [name, name, undefined]);
		});
});

test('a race that is over a limit blames nobody: what was refused in it comes first again', () => {
	const { policy, step, find } = createPolicy();
	step({ type: 'start' });
	const next = find(step({ type: 'lost', attempt: 1, why: 'the upgrade was refused' }, 10), 'open');
	assert.equal(next.transport, 'sse');
	const actions = step({ ...limited, attempt: next.attempt }, 20);
	assert.equal(find(actions, 'diagnose'), undefined);
	const open = find(step({ type: 'tick' }, policy.next), 'open');
	assert.equal(open.transport, 'websocket');
	assert.equal(open.reason, 'first');
});

test('seen by no transport of the list, the gateway is asked, and its wait is obeyed', () => {
	const { policy, step, find } = createPolicy(['websocket']);
	step({ type: 'start' });
	assert.ok(find(step({ type: 'lost', attempt: 1, why: 'the upgrade was refused' }), 'ask'));
	const { state, wait } = find(step({ ...limited, type: 'answered', status: 429 }), 'state');
	assert.deepEqual([state, wait >= 4000, policy.isRefused], ['waiting', true, false]);
	assert.equal(find(step({ type: 'wake', online: true }, 1000), 'open'), undefined);
});

test('a better transport that is over a limit is tried again, not blocked', () => {
	const { policy, step, prove, find } = createPolicy(['longpoll', 'poll']);
	step({ type: 'start' });
	step({ type: 'lost', attempt: 1, why: 'held' });
	prove(2, 'poll', 0);
	const first = times.promote[0];
	assert.equal(find(step({ type: 'tick' }, first), 'open').transport, 'longpoll');
	step({ ...limited, attempt: 3, retry: 70000 }, first + 10);
	assert.equal(policy.current, 'poll');
	step({ type: 'wake', online: true }, first + 20);
	step({ type: 'checked', attempt: 2 }, first + 30);
	assert.equal(policy.next, first + 10 + 70000);
});

/* ---- recovering ---- */

test('a poll that recovers messages and is over a limit is no try in vain, and comes again in time', async () => {
	const clock = new Clock(true);
	try {
		const asked = [];
		let given = 0;
		const recovery = new Recovery(async () => {
			asked.push(clock.now);
			return Response.json({ error: { code: 'rate_limited', message: 'slower' } }, { status: 429, headers: { Sluice: '1', 'Retry-After': '3' } });
		}, () => 'http://gateway/poll');
		for (let i = 0; i < 60; i++) {
			recovery.run(() => {}, () => given++);
			await clock.run(1000);
		}
		assert.equal(given, 0);
		assert.ok(asked.length > 10, String(asked));
		asked.forEach((at, i) => i && assert.ok(at - asked[i - 1] >= 3000, String(asked)));
	} finally {
		clock.restore();
	}
});

/* ---- publishing ---- */

/** A Publisher over a socket or by POST, before a token bucket that holds two seconds' worth. */
class World {
	clock = new Clock(true);
	taken = [];
	told = [];
	refused = 0;
	early = 0;
	outcomes = [];
	#level;
	#at;
	#until = 0;

	constructor(rate, { isSocket }) {
		this.rate = rate;
		this.#level = 2 * rate;
		this.#at = this.clock.now;
		const send = isSocket ? (text) => this.#answer(JSON.parse(text)) : null;
		this.publisher = new Publisher({ way: () => send, epoch: () => 'aaaaaaaa', most: () => 65536, url: () => 'http://gateway/publish',
			doubt() {}, limited: (message, wait) => this.told.push({ message, wait }), fetch: (url, { body }) => this.#post(body) });
	}

	/** ms to wait, 0 if it was taken. */
	#take(data) {
		const { now } = this.clock;
		this.early += Number(now < this.#until);
		this.#level = Math.min(2 * this.rate, this.#level + (now - this.#at) / 1000 * this.rate);
		this.#at = now;
		if (this.#level <= 0) {
			this.refused++;
			return Math.max(1, Math.ceil(-this.#level / this.rate * 1000));
		}
		this.#level--;
		this.taken.push(data);
		return 0;
	}

	#answer({ ref, data }) {
		setTimeout(() => {
			const wait = this.#take(data);
			const retry = Math.max(1000, wait);
			setTimeout(() => {
				this.publisher.answer(wait ? { type: 'error', ref, code: 'rate_limited', message: 'slower', retry } :
					{ type: 'ack', ref, id: `aaaaaaaa-${data}` });
			}, 5);
		}, 5);
	}

	async #post(body) {
		await new Promise((done) => setTimeout(done, 5));
		const retry = Math.ceil(this.#take(JSON.parse(body)) / 1000);
		return retry ? Response.json({ error: { code: 'rate_limited', message: 'slower' } },
			{ status: 429, headers: { Sluice: '1', 'Retry-After': String(retry) } }) :
			Response.json({ id: `aaaaaaaa-${JSON.parse(body)}` }, { headers: { Sluice: '1' } });
	}

	publish(data) {
		const at = this.outcomes.push('') - 1;
		this.publisher.publish(createPublication('c', data)).then((id) => this.outcomes[at] = id, ({ code }) => this.outcomes[at] = code);
	}
}

for (const isSocket of [true, false])
	test(`${isSocket ? 'a socket' : 'POST'}: publishes beyond the rate wait, each counts once, and few are refused again`, async () => {
		const world = new World(10, { isSocket });
		try {
			for (let i = 0; i < 150; i++)
				world.publish(i);
			await world.clock.run(60000);
			assert.deepEqual(world.outcomes.map((id) => Number(id.split('-')[1])), world.outcomes.map((_, i) => i));
			assert.deepEqual([...world.taken].sort((a, b) => a - b), world.outcomes.map((_, i) => i));
			assert.ok(world.told.length > 0 && world.told.every(({ message, wait }) => message === 'slower' && wait >= 1000));
			const atFirst = isSocket ? 60 : 150; // go out before the first refusal is heard
			assert.ok(world.refused - (atFirst - 20) < 150, `${world.refused} refusals`);
			assert.ok(world.told.length < 30, `told ${world.told.length} times`);
		} finally {
			world.publisher.close();
			world.clock.restore();
		}
	});

test('what is still held back at the end was not published, and says why', async () => {
	const world = new World(0.1, { isSocket: true });
	try {
		for (let i = 0; i < 40; i++)
			world.publish(i);
		await world.clock.run(101000);
		assert.ok(world.taken.length > 5 && world.taken.length < 15, String(world.taken));
		assert.deepEqual(world.outcomes.filter((outcome) => outcome === 'not_published').length, 40 - world.taken.length);
	} finally {
		world.publisher.close();
		world.clock.restore();
	}
});

/* ---- against a real gateway ---- */

describe('against a real gateway', { concurrency: 4 }, () => {
	let gateway;
	const open = [];
	let count = 0;

	before(async () => {
		gateway = await new Gateway().start('--limits', 'on', '--publish-rate', '15');
	});
	after(() => {
		open.forEach((sluice) => sluice.close());
		return gateway?.stop();
	});

	function connect(options) {
		const channel = `limits.${++count}`;
		const sluice = listen(gateway.url, { channels: [channel], pollInterval: 100, EventSource, ...options });
		open.push(sluice);
		return { sluice, channel };
	}

	/** Nothing but limits was reported, each with how long. */
	function checkErrors({ log }) {
		assert.ok(log.errors.length);
		for (const { code, message, wait } of log.errors) {
			assert.equal(code, 'rate_limited', message);
			assert.match(message, /more .* than --[a-z-]+ allows one client/);
			assert.ok(wait >= 1000, String(wait));
		}
	}

	for (const name of names)
		test(`${name}: 40 publishes at once, at 15 a second for all: each is taken once, and arrives`, async () => {
			const { sluice, channel } = connect({ transports: [name] });
			await sluice.opened;
			const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => sluice.publish(channel, i)));
			assert.equal(new Set(ids).size, 40);
			await until('all', () => sluice.log.messages.length >= 40);
			assert.deepEqual([...sluice.data()].sort((a, b) => a - b), ids.map((_, i) => i));
			checkErrors(sluice);
			assert.deepEqual(sluice.log.gaps, []);
			assert.deepEqual(sluice.log.states.map(({ state }) => state), ['connecting', 'open']);
		});
});

describe('a gateway that limits subscribing and requests', { concurrency: 8 }, () => {
	const open = [];
	let count = 0;

	after(() => Promise.all(open.map((one) => one.close ? one.close() : one.stop())));

	async function start(...options) {
		const gateway = await new Gateway().start('--limits', 'on', ...options);
		open.push(gateway);
		const connect = (more) => {
			const channel = `few.${++count}`;
			const sluice = listen(gateway.url, { channels: [channel], pollInterval: 100, EventSource, ...more });
			open.unshift(sluice);
			return { sluice, channel };
		};
		return { gateway, connect };
	}

	test('channels that a socket asks for too fast are had by a link that takes its place, with nothing lost', async () => {
		const { gateway, connect } = await start('--subscribe-rate', '4');
		const { sluice, channel } = connect({ transports: ['websocket'] });
		await sluice.opened;
		const more = Array.from({ length: 50 }, (_, i) => `${channel}.${i}`);
		more.forEach((name) => sluice.subscribe(name));
		const all = [channel, ...more];
		let sent = 0;
		const received = () => sluice.data().length;
		for (; sent < 6; sent++) // while some of them are refused
			await gateway.publish(channel, sent);
		await until('the refusal', () => sluice.log.errors.length > 0);
		await until('the others', async () => {
			for (const name of all.slice(-1))
				await gateway.publish(name, sent++);
			return sluice.log.messages.some(({ channel: of }) => of === all.at(-1));
		}, 90000);
		await gateway.publish(all[0], sent++);
		await until('what went to the first channel', () => sluice.log.messages.filter(({ channel: of }) => of === channel).length === 7);
		assert.ok(received() <= sent);
		const { length } = sluice.log.messages;
		assert.equal(new Set(sluice.log.messages.map(({ id }) => id)).size, length, 'once');
		assert.deepEqual(sluice.log.gaps, []);
		for (const { code, wait } of sluice.log.errors)
			assert.ok(code === 'rate_limited' && wait >= 1000, code);
		assert.equal(sluice.transport, 'websocket');
	});

	for (const [what, options] of [['websocket', { transports: ['websocket'] }], ['sse', { transports: ['sse'] }],
		['stream', { transports: ['stream'] }], ['longpoll', { transports: ['longpoll'] }], ['poll', { transports: ['poll'], pollInterval: 400 }], ['all', {}]])
		test(`${what}: five clients of one address, whose requests are too many: all listen in the end, with nothing lost`, async () => {
			const { gateway, connect } = await start('--request-rate', { poll: '5', stream: '3' }[what] ?? '2');
			const clients = Array.from({ length: 5 }, () => connect(options));
			const published = clients.map(() => 0);
			await until('all', async () => {
				for (const [i, { sluice, channel }] of clients.entries())
					if (sluice.cursor)
						await gateway.publish(channel, published[i]++);
				await new Promise((done) => setTimeout(done, 200));
				return clients.every(({ sluice }) => sluice.log.transports.length && sluice.log.messages.length > 10);
			}, 90000);
			await until('the last', () => clients.every(({ sluice }, i) => sluice.data().at(-1) === published[i] - 1));
			clients.forEach(({ sluice }) => {
				assert.deepEqual(sluice.data(), sluice.data().map((_, i) => sluice.data()[0] + i), 'all, in order, once');
				assert.deepEqual(sluice.log.gaps, []);
				if (options.transports)
					assert.deepEqual([...new Set(sluice.log.transports.map(({ to }) => to))], options.transports);
			});
			assert.ok(clients.some(({ sluice }) => sluice.log.errors.some(({ code }) => code === 'rate_limited')));
		});
});
