// The whole client but for its transports, in thousands of random situations on a fake
// clock, with the property: every message once, in order, whatever happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from './clock.mjs';
import { load } from './setup.mjs';

const { Connection } = await load('connection.js');
const { Delivery } = await load('deliver.js');
const { createPublication } = await load('publisher.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const { gates } = await load('gates.js');

function createRandom(seed) {
	let state = seed * 7919 % 2147483646 + 1;
	const random = () => (state = state * 48271 % 2147483647) / 2147483647;
	for (let i = 0; i < 5; i++)
		random();
	return random;
}

/** A gateway with its log, and links to it over a network that does what it likes. */
class FakeGateway {
	log = [];
	seq = 0;
	life = 1;
	keys = new Map();
	links = new Set();
	dropped = {}; // the last number that history has lost of a channel
	calm = false;
	blocked = new Set();
	lossy = new Set(); // transports on which the path drops objects
	limits = { message: 65536, channels: 64 };
	judge = () => undefined; // of a token: the code of its refusal
	refusals = 0;
	limiting = 0; // how probable it is that a request or a publish is one too many
	limited = { streams: 0, publishes: 0 }; // how often it was
	until = { streams: 0, publishes: 0 }; // when more may come, as it was told
	early = { streams: 0, publishes: 0 }; // what came before
	isAway = false; // its backend
	unknown = 0; // how probable it is that nobody knows what became of a publish

	/** @param {{ counts?: boolean }} [options] counts: it says what it sent */
	constructor(random, { counts = false } = {}) {
		this.random = random;
		this.counts = counts;
		this.transports = names.map((name) => ({ name, open: (host) => this.open(name, host),
			diagnose: () => new Promise((done) => setTimeout(done, random() * 5000, `${name} is in the way`)) }));
	}

	get epoch() {
		return `${this.life}`.padStart(8, 'e');
	}

	id(seq) {
		return `${this.epoch}-${seq}`;
	}

	publish(channel, key) {
		if (key && this.keys.has(key))
			return this.keys.get(key);
		this.seq += 1 + Math.floor(this.random() * 3);
		const message = { id: this.id(this.seq), seq: this.seq, channel, time: 0, data: key ?? this.seq };
		this.log.push(message);
		if (key)
			this.keys.set(key, message.id);
		this.links.forEach((link) => link.pump());
		return message.id;
	}

	/** Returns how long what comes has to wait, if it is one too many. */
	limit(what) {
		if (this.calm || this.random() >= this.limiting)
			return undefined;
		this.limited[what]++;
		return 1 + this.random() * 8000;
	}

	/** It was told; the latest word counts. */
	tell(what, retry) {
		this.until[what] = Math.max(this.until[what], performance.now() + retry);
	}

	count(what) {
		this.early[what] += Number(performance.now() < this.until[what] - 0.01); // as large numbers are rounded
	}

	forget(count) {
		for (const { channel, seq } of this.log.splice(0, count))
			this.dropped[channel] = seq;
	}

	/** Its backend goes away, or comes back. */
	setAway(isAway) {
		this.isAway = isAway;
		this.links.forEach((link) => link.tell());
	}

	/** @returns {boolean} that it says so: it is stored or not */
	forgets(channel, key) {
		if (this.calm || this.random() >= this.unknown)
			return false;
		if (this.random() < 0.5)
			this.publish(channel, key);
		return true;
	}

	/** @param {() => number} [retry] ms: it says goodbye, for another log has begun */
	restart(retry) {
		this.life++;
		this.seq = 0;
		this.log = [];
		this.dropped = {};
		this.keys.clear();
		[...this.links].forEach((link) => retry ? link.leave(retry()) : link.die());
	}

	open(name, host) {
		const gateway = this;
		const { random } = this;
		const chance = (probability) => !gateway.calm && random() < probability;
		const latency = gateway.calm ? 5 : 1 + random() * 200;
		const isPoll = name.includes('poll');
		const { life } = this;
		let over = false;
		let { version } = host;
		let quiet = false; // a black hole
		let at = 0; // when the pipe is free
		let channels, position;
		let sent = 0;
		const sendAway = () => {
			const retry = over ? undefined : gateway.limit('streams');
			if (!retry)
				return false;
			over = true;
			gateway.links.delete(link);
			gateway.tell('streams', retry);
			host.lost({ why: 'too many requests', code: 'rate_limited', retry });
			return true;
		};
		gateway.count('streams');
		const say = (object, then) => {
			at = Math.max(at, performance.now() + latency * (0.5 + random()));
			const said = version;
			if (object.type === 'open')
				sent = 0;
			else if ((object.id && object !== link.said) || object.type === 'gap')
				sent++;
			link.said = object.id ? object : undefined; // a stale one, said again, counts once
			if (gateway.counts && !isPoll && ['open', 'heartbeat'].includes(object.type))
				object = { ...object, sent };
			const isLost = gateway.lossy.has(name) && object.type !== 'open' && random() < 0.2;
			setTimeout(() => {
				if (over || quiet)
					return;
				if (isLost)
					return then?.();
				host.alive();
				host.take(object, said);
				if (!over)
					then?.();
			}, at - performance.now());
		};
		const begin = (told) => {
			const url = new URL(host.url(name));
			channels = url.searchParams.get('channels').split(',');
			const since = url.searchParams.get('since');
			const [epoch, seq] = since?.split('-') ?? [];
			position = since === '0' ? 0 : since ? Number(seq) : gateway.seq;
			({ version } = host);
			const cursor = epoch && epoch !== gateway.epoch && since !== '0' ? gateway.id(0) : gateway.id(position);
			if (!isPoll && told)
				say({ type: 'open', cursor, heartbeat: 15, limits: gateway.limits });
			if (!isPoll && told && gateway.isAway)
				link.tell();
			if (epoch && since !== '0')
				for (const channel of channels) {
					const lost = gateway.dropped[channel] ?? 0;
					if (epoch !== gateway.epoch || lost > position)
						say({ type: 'gap', channel, after: since, resumed: gateway.id(lost) });
				}
			if (epoch && epoch !== gateway.epoch)
				position = 0;
			if (isPoll)
				say({ type: 'position', cursor: gateway.id(position), limits: gateway.limits });
			link.pump();
		};
		const link = {
			pump() {
				if (over || quiet || position === undefined)
					return;
				for (const { id, seq, channel, data, time } of gateway.log)
					if (seq > position && channels.includes(channel)) {
						position = seq;
						const message = { id, channel, time, data };
						say(message);
						if (chance(0.03)) // a stale answer, played again
							say(message);
						if (chance(0.02))
							return link.die();
					}
			},
			tell() {
				if (!isPoll && !over && position !== undefined)
					say({ type: 'backend', state: gateway.isAway ? 'away' : 'back' });
			},
			leave(retry) {
				gateway.links.delete(link);
				setTimeout(() => {
					if (!over) {
						over = true;
						host.lost({ why: 'the gateway ended the connection (epoch)', retry });
					}
				}, random() * 100);
			},
			die() {
				gateway.links.delete(link);
				const silent = random() * 100;
				setTimeout(() => {
					if (!over) {
						over = true;
						host.lost({ why: 'it ended', silent, size: random() * 30000 });
					}
				}, random() * 100);
			},
		};
		const beat = () => {
			if (over)
				return;
			const now = gateway.log.filter(({ seq, channel }) => seq > position && channels.includes(channel)).length ?
				position : Math.max(position, gateway.seq);
			if (life === gateway.life) {
				position = now;
				say({ type: 'heartbeat', cursor: gateway.id(now) });
			}
			setTimeout(beat, isPoll ? 500 : 10000);
		};
		setTimeout(() => {
			if (over)
				return;
			const code = gateway.judge(host.token);
			gateway.refusals += code ? 1 : 0;
			if (code) {
				over = true; // how an upgrade was refused nobody sees
				return host.lost(name === 'websocket' ? { why: 'it was refused' } : { why: code, code, status: 401 });
			}
			const leave = () => { // polls say who asks with each
				if (isPoll && !over)
					host.url(name); // the next poll
				const end = over ? undefined : gateway.judge(isPoll ? host.token : token);
				if (over || !end)
					return over || setTimeout(leave, 500);
				over = true;
				gateway.links.delete(link);
				host.lost({ why: end, code: end, retry: random() * 2000 });
			};
			const { token } = host;
			setTimeout(leave, 500);
			if (sendAway())
				return;
			if (gateway.blocked.has(name) || chance(0.15)) {
				over = true;
				return host.lost({ why: 'it was refused', ...chance(0.1) && { retry: 300 } });
			}
			if (chance(0.1))
				return; // a hole
			gateway.links.add(link);
			begin(true);
			let after = 0;
			gates[name].forEach(([stage]) => {
				after += stage === 'mark' ? 150 : 1;
				setTimeout(() => say({ type: 'nothing' }, () => over || host.stage(stage)), after);
			});
			setTimeout(beat, 3000);
			if (chance(0.3))
				setTimeout(link.die, random() * 20000);
			if (gateway.limiting)
				setTimeout(sendAway, random() * 20000);
			if (chance(0.1))
				setTimeout(() => {
					quiet = !gateway.calm;
					if (quiet && isPoll) // as Polls: no answer within its hold and 5 s
						setTimeout(link.die, 30000);
				}, random() * 20000);
		}, latency);
		return {
			close() {
				over = true;
				gateway.links.delete(link);
			},
			check: () => chance(0.5) || say({ type: 'nothing' }, host.checked),
			change: () => !over && position !== undefined && begin(false),
			...name === 'websocket' && { send(text) {
				const { channel, key, ref } = JSON.parse(text);
				gateway.count('publishes');
				setTimeout(() => {
					if (over || quiet || life !== gateway.life || chance(0.1))
						return;
					const retry = gateway.limit('publishes');
					if (retry)
						return say({ type: 'error', ref, code: 'rate_limited', message: 'too many publishes', retry },
							() => gateway.tell('publishes', retry));
					if (gateway.forgets(channel, key))
						return say({ type: 'error', ref, code: 'unknown_outcome', message: 'nobody knows' });
					const id = gateway.publish(channel, key);
					chance(0.2) || say({ type: 'ack', ref, id });
				}, latency);
			} },
		};
	}

	/** A short poll. */
	answer(params) {
		const [epoch, seq] = (params.get('since') ?? '').split('-');
		if (epoch && epoch !== this.epoch)
			return {};
		const channels = params.get('channels').split(',');
		const messages = this.log.filter((message) => message.seq > Number(seq) && channels.includes(message.channel));
		return { cursor: this.id(this.seq), messages, gaps: [], n: params.get('n') };
	}

	fetch = (url, { headers } = {}) => new Promise((resolve, reject) => {
		if (url.includes('/publish'))
			this.count('publishes');
		setTimeout(() => {
			if (!this.calm && this.random() < 0.2)
				return reject(new TypeError('fetch failed'));
			const { pathname, searchParams } = new URL(url);
			const code = this.judge(headers?.Authorization?.slice(7));
			this.refusals += code ? 1 : 0;
			if (code)
				return resolve(Response.json({ error: { code, message: code } }, { status: 401, headers: { Sluice: '0' } }));
			if (pathname !== '/publish')
				return resolve({ ok: true, headers: new Headers({ Sluice: '0' }), json: async () => this.answer(searchParams) });
			const retry = Math.ceil(this.limit('publishes') / 1000);
			if (retry) {
				this.tell('publishes', retry * 1000);
				return resolve({ ok: false, status: 429, headers: new Headers({ Sluice: '0', 'Retry-After': String(retry) }),
					json: async () => ({ error: { code: 'rate_limited', message: 'too many publishes' } }) });
			}
			if (this.forgets(searchParams.get('channel'), headers['Idempotency-Key']))
				return resolve(Response.json({ error: { code: 'unknown_outcome', message: 'nobody knows' } },
					{ status: 500, headers: { Sluice: '0' } }));
			const id = this.publish(searchParams.get('channel'), headers['Idempotency-Key']);
			if (!this.calm && this.random() < 0.2)
				return reject(new TypeError('fetch failed'));
			resolve({ ok: true, status: 200, headers: new Headers({ Sluice: '0' }), json: async () => ({ id }) });
		}, this.random() * 100);
	});
}

/** @returns a connection to a fake gateway, and what it told */
function connect(random, options) {
	const gateway = new FakeGateway(random, options);
	const told = { message: [], gap: [], transport: [], state: [], error: [], backend: [] };
	const connection = new Connection(new URL('http://gateway/'), { transports: gateway.transports, storage: null,
		fetch: gateway.fetch, ...options }, (type, fields) => told[type].push({ ...fields, cursor: connection.cursor }));
	return { gateway, connection, told };
}

const compact = (list) => list.map(({ id, channel }) => `${channel} ${id}`);

async function runSeeds(first, last, situation, isDeep = false) {
	for (let seed = first; seed <= last; seed++) {
		const clock = new Clock(isDeep);
		const { random } = Math;
		Math.random = createRandom(seed + 1e6); // what the client draws itself, so that a seed fails again
		try {
			await situation(createRandom(seed), clock, seed);
		} catch (error) {
			error.message = `seed ${seed}: ${error.message}`;
			throw error;
		} finally {
			clock.restore();
			Math.random = random;
		}
	}
}

test('a thousand seeds: losses, holes, replays, blocked transports; every message once, in order', () =>
	runSeeds(1, 1000, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0' });
		connection.setChannels(['a', 'b']);
		for (let i = 0; i < 40; i++) {
			gateway.publish(random() < 0.6 ? 'a' : random() < 0.5 ? 'b' : 'other');
			if (random() < 0.1)
				gateway.blocked = new Set(names.filter(() => random() < 0.4));
			if (random() < 0.05)
				connection.wake(random() < 0.5);
			await clock.run(random() < 0.8 ? random() * 100 : random() * 10000);
		}
		gateway.calm = true;
		gateway.blocked.clear();
		await clock.run(150000);
		assert.deepEqual(compact(told.message), compact(gateway.log.filter(({ channel }) => channel !== 'other')));
		assert.deepEqual(told.gap, []);
		connection.close();
	}));

/** Who is let in, with tokens that live for 20 s to 2 minutes. */
class Door {
	asked = 0;
	since = 0; // s: older tokens are revoked
	minted = 0; // ms, when
	#last = '';

	constructor(gateway, random) {
		this.random = random;
		this.gateway = gateway;
		gateway.judge = (token) => this.judge(token);
	}

	judge(token) {
		if (!token)
			return 'unauthorized';
		const { iat, exp } = JSON.parse(atob(token.split('.')[1]));
		if (Date.now() / 1000 >= exp)
			return 'token_expired';
		return iat <= this.since ? 'token_revoked' : undefined;
	}

	mint = async () => {
		this.asked++;
		const { random } = this;
		const isBad = !this.gateway.calm;
		await new Promise((done) => setTimeout(done, random() * (isBad && random() < 0.1 ? 8000 : 500)));
		if (isBad && random() < 0.2)
			throw new Error('the backend is down');
		this.minted = Date.now();
		const iat = Math.floor(Date.now() / 1000);
		if (random() < 0.2 && this.#last && !this.judge(this.#last) && JSON.parse(atob(this.#last.split('.')[1])).exp > iat + 15)
			return this.#last; // out of a cache
		return this.#last = `a.${btoa(JSON.stringify({ sub: 'ann', iat, exp: iat + 20 + Math.floor(random() * 100), jti: random() })).replace(/=/g, '')}.b`;
	};
}

test('five hundred seeds with tokens that expire and are revoked, by a backend that fails: every message once, in order', () =>
	runSeeds(1, 500, async (random, clock) => {
		let door;
		const { gateway, connection, told } = connect(random, { since: '0', token: () => door.mint() });
		door = new Door(gateway, random);
		connection.setChannels(['a', 'b']);
		for (let i = 0; i < 40; i++) {
			gateway.publish(random() < 0.6 ? 'a' : 'b');
			if (random() < 0.05)
				gateway.blocked = new Set(names.filter(() => random() < 0.3));
			if (random() < 0.05 && connection.transport && Date.now() > door.minted + 5000) // not one that is on its way
				door.since = Math.floor(Date.now() / 1000);
			if (random() < 0.05)
				connection.wake(random() < 0.5);
			await clock.run(random() < 0.8 ? random() * 100 : random() * 20000);
		}
		gateway.calm = true;
		gateway.blocked.clear();
		await clock.run(200000);
		assert.deepEqual(compact(told.message), compact(gateway.log), told.state.at(-1)?.why);
		assert.deepEqual(told.gap, []);
		assert.ok(told.error.every(({ code }) => !['unauthorized', 'token_expired', 'token_revoked'].includes(code)));
		assert.doesNotMatch(JSON.stringify(told), /eyJ/);
		assert.ok(door.asked < 60, `asked ${door.asked} times`);
		connection.close();
	}));

test('a token that counts for nothing: the code, the end, and few requests', () =>
	runSeeds(1, 300, async (random, clock, seed) => {
		let asked = 0;
		const token = [() => `token-${++asked}`, () => `same${++asked && ''}`, 'string'][seed % 3];
		const { gateway, connection, told } = connect(random, { token });
		gateway.judge = () => 'unauthorized';
		gateway.calm = seed % 2 > 0;
		connection.setChannels(['a']);
		const publishing = random() < 0.5 && connection.publish(createPublication('a', 1)).catch((error) => error);
		for (let i = 0; i < 300; i++)
			await clock.run(1000);
		assert.equal(told.state.at(-1).state, 'closed');
		assert.equal(told.error.filter(({ code }) => code === 'unauthorized').length, 1);
		assert.deepEqual([told.error.at(-1).code, told.transport], ['unauthorized', []]);
		assert.ok(asked <= 2 && gateway.refusals <= 24, `asked ${asked} times, refused ${gateway.refusals} times`);
		if (publishing)
			assert.match((await publishing).code, /^(unauthorized|not_sent|unknown_outcome)$/);
	}));

/** In order but for what is late. */
function checkOrder(messages) {
	let top = 0;
	for (const { id, late } of messages) {
		const seq = Number(id.split('-')[1]);
		assert.ok(seq > top || late, `${id} comes after ${top} and is not late`);
		top = Math.max(top, seq);
	}
}

test('a thousand seeds on paths that lose some of what they carry: every message once, lost ones late', () => {
	let late = 0;
	return runSeeds(1, 1000, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0', counts: true });
		connection.setChannels(['a', 'b']);
		for (let i = 0; i < 40; i++) {
			gateway.publish(random() < 0.6 ? 'a' : random() < 0.5 ? 'b' : 'other');
			if (random() < 0.1)
				gateway.lossy = new Set(names.slice(0, 3).filter(() => random() < 0.5));
			await clock.run(random() < 0.8 ? random() * 100 : random() * 10000);
		}
		gateway.calm = true;
		gateway.lossy.clear();
		await clock.run(150000);
		const wanted = gateway.log.filter(({ channel }) => channel !== 'other').map(({ id }) => id);
		assert.deepEqual(told.message.map(({ id }) => id).sort(), [...wanted].sort());
		checkOrder(told.message);
		assert.deepEqual(told.gap, []);
		late += told.message.filter((message) => message.late).length;
		connection.close();
		return late;
	}).then(() => assert.ok(late > 500, `${late} late`));
});

test('a thousand seeds with a gateway that counts: nothing is taken for lost, and nothing is late', () =>
	runSeeds(1, 1000, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0', counts: true });
		connection.setChannels(['a', 'b']);
		for (let i = 0; i < 40; i++) {
			gateway.publish(random() < 0.6 ? 'a' : 'b');
			if (random() < 0.05)
				connection.wake(random() < 0.5);
			await clock.run(random() < 0.8 ? random() * 100 : random() * 10000);
		}
		gateway.calm = true;
		await clock.run(150000);
		assert.deepEqual(compact(told.message), compact(gateway.log));
		assert.ok(told.error.every(({ code }) => code !== 'path_loses'));
		assert.equal(connection.verified, connection.cursor);
		connection.close();
	}));

test('five hundred seeds without since: from the first position on, every message once, in order', () =>
	runSeeds(1, 500, async (random, clock) => {
		const { gateway, connection, told } = connect(random);
		connection.setChannels(['a']);
		let from;
		for (let i = 0; i < 40; i++) {
			gateway.publish('a');
			await clock.run(random() * 300);
			from ??= connection.cursor;
		}
		gateway.calm = true;
		await clock.run(150000);
		const first = Number(told.message[0]?.id.split('-')[1] ?? Infinity);
		const floor = from ? Math.min(first, Number(from.split('-')[1]) + 1) : first;
		assert.deepEqual(compact(told.message), compact(gateway.log.filter(({ seq }) => seq >= floor)));
		connection.close();
	}));

test('five hundred seeds with channels that come and go: once, in order, none missing while one listens', () =>
	runSeeds(1, 500, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0' });
		connection.setChannels(['always']);
		for (let i = 0; i < 30; i++) {
			gateway.publish(['always', 'x', 'y'][Math.floor(random() * 3)]);
			if (random() < 0.3)
				connection.setChannels(['always', ...['x', 'y'].filter(() => random() < 0.5)]);
			await clock.run(random() * 1000);
		}
		connection.setChannels(['always', 'x', 'y']);
		gateway.calm = true;
		await clock.run(150000);
		const before = gateway.log.length;
		for (let i = 0; i < 6; i++)
			gateway.publish(['x', 'y', 'always'][i % 3]);
		await clock.run(60000);
		const of = (list, name) => compact(list.filter(({ channel }) => channel === name));
		assert.deepEqual(of(told.message, 'always'), of(gateway.log, 'always'));
		assert.deepEqual(compact(told.message).slice(-6), compact(gateway.log.slice(before)));
		const numbers = told.message.map(({ id }) => Number(id.split('-')[1]));
		for (const name of ['x', 'y'])
			assert.equal(new Set(of(told.message, name)).size, of(told.message, name).length, name);
		assert.ok(numbers.length);
		connection.close();
	}));

test('five hundred seeds with a forgetful gateway: what does not come is told as a gap', () =>
	runSeeds(1, 500, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: 'eeeeeee1-0' });
		const all = [];
		connection.setChannels(['a']);
		for (let i = 0; i < 40; i++) {
			gateway.publish('a');
			all.push(gateway.log.at(-1));
			if (random() < 0.1)
				gateway.forget(Math.floor(random() * gateway.log.length));
			await clock.run(random() < 0.8 ? random() * 100 : random() * 10000);
		}
		gateway.calm = true;
		await clock.run(150000);
		const came = new Set(told.message.map(({ id }) => id));
		assert.equal(came.size, told.message.length, 'once');
		const numbers = told.message.map(({ id }) => Number(id.split('-')[1]));
		assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), 'in order');
		for (const { id, seq } of all)
			assert.ok(came.has(id) || told.gap.some(({ resumed }) => seq <= Number(resumed.split('-')[1])), `${id} is missing`);
		connection.close();
	}));

test('five hundred seeds with restarts: a gap for each epoch, in it every message once, in order', () =>
	runSeeds(1, 500, async (random, clock, seed) => {
		const { gateway, connection, told } = connect(random, { since: '0' });
		const lives = [];
		connection.setChannels(['a']);
		for (let life = 0; life < 3; life++) {
			for (let i = 0; i < 15; i++) {
				gateway.publish('a');
				await clock.run(random() * 300);
			}
			gateway.calm = true;
			await clock.run(100000);
			lives.push(...gateway.log);
			gateway.calm = false;
			gateway.restart(seed % 2 ? undefined : () => 500 + random() * 4500);
			await clock.run(random() * 1000);
		}
		gateway.publish('a');
		gateway.calm = true;
		await clock.run(100000);
		lives.push(...gateway.log);
		assert.deepEqual(compact(told.message), compact(lives));
		assert.equal(told.gap.length, 3);
		connection.close();
	}));

test('three hundred seeds with a backend that goes away: the link in use is believed, nothing is lost', () =>
	runSeeds(1, 300, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0' });
		connection.setChannels(['a']);
		for (let i = 0; i < 40; i++) {
			gateway.publish('a');
			await clock.run(random() * 3000);
			if (random() < 0.2)
				gateway.setAway(!gateway.isAway);
		}
		gateway.calm = true;
		gateway.setAway(true);
		await clock.run(100000);
		const last = () => told.backend.at(-1).state;
		assert.equal(last(), connection.transport.includes('poll') ? 'back' : 'away');
		gateway.setAway(false);
		await clock.run(1000);
		assert.equal(last(), 'back');
		told.backend.forEach(({ state }, i) => assert.notEqual(state, told.backend[i - 1]?.state));
		assert.ok(told.backend.length > 1);
		assert.deepEqual(compact(told.message), compact(gateway.log));
		connection.close();
	}));

test('away right after open, before the link is used, and a stream that opens anew: told once each', () =>
	runSeeds(1, 20, async (random, clock) => {
		const { gateway, connection, told } = connect(random);
		gateway.calm = true;
		gateway.setAway(true);
		connection.setChannels(['a']);
		await clock.run(5000);
		assert.deepEqual(told.backend.map(({ state }) => state), ['away']);
		[...gateway.links].forEach((link) => link.die());
		await clock.run(30000);
		assert.deepEqual(told.backend.map(({ state }) => state), ['away']);
		gateway.setAway(false);
		await clock.run(1000);
		assert.deepEqual(told.backend.map(({ state }) => state), ['away', 'back']);
		connection.close();
	}));

test('a thousand seeds of publishes: resolved means once, unknown_outcome at most once an epoch', () =>
	runSeeds(1, 1000, async (random, clock, seed) => {
		const { gateway, connection } = connect(random);
		gateway.unknown = seed % 2 ? 0 : 0.3;
		const outcomes = [];
		const logs = [];
		connection.setChannels(['a']);
		for (let i = 0; i < 12; i++) {
			const key = `key-${i}-12345`;
			connection.publish(createPublication('a', i, key)).then((id) => outcomes.push({ key, id }), ({ code }) => outcomes.push({ key, code }));
			await clock.run(random() * 2000);
			if (random() < 0.05) {
				logs.push(...gateway.log);
				gateway.restart();
			}
		}
		gateway.calm = true;
		await clock.run(150000);
		logs.push(...gateway.log);
		assert.equal(outcomes.length, 12, 'each is settled');
		for (const { key, id, code } of outcomes) {
			const found = logs.filter(({ data }) => data === key);
			if (id)
				assert.deepEqual(found.map((message) => message.id), [id]);
			else // the gateway of another epoch knows no keys of this one
				assert.ok(code === 'unknown_outcome' && found.length === new Set(found.map((message) => message.id.slice(0, 8))).size ||
					(code === 'not_sent' && !found.length), `${code} ${found.length}`);
		}
		connection.close();
	}));

test('two hundred seeds with a gateway that limits: nothing comes before the time it told, nothing is lost', () =>
	runSeeds(1, 200, async (random, clock) => {
		const { gateway, connection, told } = connect(random, { since: '0' });
		const outcomes = [];
		gateway.limiting = 0.2;
		connection.setChannels(['a', 'b']);
		for (let i = 0; i < 30; i++) {
			gateway.publish(random() < 0.6 ? 'a' : 'b');
			if (random() < 0.7)
				connection.publish(createPublication('a', i, `key-${i}-12345`)).then((id) => outcomes.push({ id }), ({ code }) => outcomes.push({ code }));
			else
				outcomes.push({});
			if (random() < 0.1)
				connection.wake(random() < 0.5);
			await clock.run(random() < 0.8 ? random() * 500 : random() * 10000);
		}
		gateway.calm = true;
		await clock.run(150000);
		assert.deepEqual(gateway.early, { streams: 0, publishes: 0 });
		assert.deepEqual(compact(told.message), compact(gateway.log));
		assert.deepEqual(told.gap, []);
		assert.equal(outcomes.length, 30, 'each is settled');
		for (const { id, code } of outcomes)
			assert.ok(!code || ['unknown_outcome', 'not_sent', 'not_published'].includes(code), code);
		const ids = outcomes.map(({ id }) => id).filter(Boolean);
		assert.equal(new Set(ids).size, ids.length);
		const errors = told.error.filter(({ code }) => code === 'rate_limited');
		assert.ok(errors.every(({ wait }) => wait > 0));
		assert.ok(errors.length || !gateway.limited.streams, 'it is told');
		connection.close();
	}, true));

for (const [where, ms] of [['back', -172800000], ['forth', 172800000]])
	test(`the wall clock is set two days ${where}: the client tries on as if nothing had happened`, () =>
		runSeeds(1, 1, async (random, clock) => {
			const { gateway, connection, told } = connect(random, { since: '0' });
			gateway.calm = true;
			gateway.blocked = new Set(names);
			connection.setChannels(['a']);
			await clock.run(3000);
			assert.equal(connection.transport, null);
			clock.step(ms);
			gateway.blocked.clear();
			gateway.publish('a');
			await clock.run(60000);
			assert.equal(connection.transport, 'websocket');
			assert.deepEqual(compact(told.message), compact(gateway.log));
			const { length } = told.transport;
			clock.step(-ms);
			await clock.run(60000);
			assert.equal(told.transport.length, length, 'and is left alone where it works');
			connection.close();
		}));

test('no answer for 100 s: unknown_outcome; nothing to send on: not_sent', () => runSeeds(1, 1, async (random, clock) => {
	const { gateway, connection } = connect(random, { fetch: () => new Promise(() => {}) });
	const codes = [];
	gateway.calm = true;
	gateway.blocked.add('websocket');
	connection.setChannels(['a']);
	await clock.run(1000);
	assert.equal(connection.transport, 'sse');
	connection.publish(createPublication('a', 1)).catch(({ code }) => codes.push(code));
	const other = connect(random);
	other.gateway.blocked = new Set(names);
	other.connection.setChannels(['a']);
	other.connection.publish(createPublication('a', 1)).catch(({ code }) => codes.push(code));
	await clock.run(99000);
	assert.deepEqual(codes, []);
	await clock.run(2500);
	assert.deepEqual(codes, ['unknown_outcome', 'not_sent']);
	connection.close();
	other.connection.close();
}));

test('delivery: an older link does not bring its epoch back, unless it is in use', () => {
	const delivery = new Delivery('aaaaaaaa-5');
	const message = (id) => ({ id, channel: 'c', time: 0 });
	assert.ok(delivery.takeMessage(message('aaaaaaaa-6'), 1, true));
	assert.ok(delivery.takeMessage(message('bbbbbbbb-1'), 2, false));
	assert.ok(!delivery.takeMessage(message('aaaaaaaa-7'), 1, false));
	assert.ok(delivery.takeMessage(message('aaaaaaaa-7'), 1, true));
	assert.ok(!delivery.takeMessage(message('aaaaaaaa-7'), 3, true));
	assert.ok(!delivery.takeMessage(message('bbbbbbbb-1'), 3, true));
	assert.ok(delivery.takeMessage(message('bbbbbbbb-2'), 3, true));
});

test('delivery: a log that ends lower is followed, after its gap', () => {
	const delivery = new Delivery('aaaaaaaa-9');
	const gap = { type: 'gap', channel: 'c', after: 'aaaaaaaa-9', resumed: 'aaaaaaaa-3' };
	assert.ok(delivery.takeGap(gap, 1, true));
	assert.equal(delivery.cursor, 'aaaaaaaa-3');
	assert.ok(delivery.takeMessage({ id: 'aaaaaaaa-4', channel: 'c', time: 0 }, 1, true));
});

test('a link that began without since above the position begins again at it', () => runSeeds(1, 1, async (random, clock) => {
	const asked = [];
	const createTransport = (name, cursor, delay) => ({ name, open(host) {
		const since = new URL(host.url(name)).searchParams.get('since');
		asked.push([name, since]);
		setTimeout(() => {
			host.take({ type: 'open', cursor: since ?? cursor, heartbeat: 15 }, host.version);
			if (name === 'websocket' && since)
				host.take({ id: 'aaaaaaaa-2', channel: 'a', time: 0, data: 2 }, host.version);
		}, delay);
		return { close() {}, check() {}, change() {} };
	} });
	const { connection, told } = connect(random, { transports: [createTransport('websocket', 'aaaaaaaa-2', 900),
		createTransport('sse', 'aaaaaaaa-1', 100)] });
	connection.setChannels(['a']);
	await clock.run(2000);
	assert.deepEqual(asked.slice(0, 3), [['websocket', null], ['sse', null], ['websocket', 'aaaaaaaa-1']]);
	assert.deepEqual(compact(told.message), ['a aaaaaaaa-2']);
	connection.close();
}));

test('a path that swallows all counts: at 4,096 unverified messages the transport is left, and the rest told', () =>
	runSeeds(1, 1, async (random, clock) => {
		const asked = [];
		const websocket = { name: 'websocket', open(host) {
			asked.push(new URL(host.url('ws')).searchParams.get('since'));
			let closed = false;
			setTimeout(() => {
				host.take({ type: 'open', cursor: 'aaaaaaaa-0', heartbeat: 15, sent: 0 }, host.version);
				for (let seq = 1; seq <= 5000 && !closed; seq++)
					host.take({ id: `aaaaaaaa-${seq}`, channel: 'a', time: 0, data: seq }, host.version);
			}, 10);
			return { close: () => { closed = true; }, check() {}, change() {} };
		} };
		const { connection, told } = connect(random, { transports: [websocket] });
		connection.setChannels(['a']);
		await clock.run(20);
		assert.equal(told.message.length, 4097);
		assert.match(told.error.find(({ code }) => code === 'path_loses').message, /not verified/);
		assert.deepEqual(told.gap.map(({ after, resumed }) => [after, resumed]), [['aaaaaaaa-0', 'aaaaaaaa-2049']]);
		await clock.run(60000);
		assert.ok(asked.length > 1 && asked.slice(1).every((since) => since !== 'aaaaaaaa-0'));
		assert.equal(new Set(told.message.map(({ id }) => id)).size, told.message.length, 'once');
		connection.close();
	}));

test('a path that cuts every link after three messages is got past, message by message', () =>
	runSeeds(1, 1, async (random, clock) => {
		const sse = { name: 'sse', open(host) {
			const since = Number(new URL(host.url('sse')).searchParams.get('since').split('-')[1]);
			let closed = false;
			setTimeout(() => {
				host.take({ type: 'open', cursor: `aaaaaaaa-${since}`, heartbeat: 15, sent: 0 }, host.version);
				['open', 'mark', 'echo'].forEach((stage) => host.stage(stage));
				for (let seq = since + 1; seq <= since + 3; seq++)
					host.take({ id: `aaaaaaaa-${seq}`, channel: 'a', time: 0, data: seq }, host.version);
				setTimeout(() => closed || host.lost({ why: 'it was cut', silent: 0, size: 20000 }), 1500);
			}, 10);
			return { close: () => { closed = true; }, check() {}, change() {} };
		} };
		const { connection, told } = connect(random, { transports: [sse], since: 'aaaaaaaa-0' });
		connection.setChannels(['a']);
		await clock.run(60000);
		assert.ok(told.message.length > 30, String(told.message.length));
		assert.deepEqual(told.message.map(({ data }) => data), told.message.map((_, i) => i + 1));
		assert.ok(told.error.every(({ code }) => code === 'lost'));
		connection.close();
	}));

test('ledger: a message or gap that comes twice counts once, also after the counts have agreed', async () => {
	const { Ledger } = await load('ledger.js');
	const ledger = new Ledger();
	const message = (seq) => ledger.take({ id: `aaaaaaaa-${seq}`, channel: 'a' });
	[1, 2, 2, 4, 3].forEach(message);
	ledger.take({ type: 'gap', channel: 'a', resumed: 'aaaaaaaa-9' });
	ledger.take({ type: 'gap', channel: 'a', resumed: 'aaaaaaaa-9' });
	ledger.take({ type: 'gap', channel: 'b', resumed: 'aaaaaaaa-9' });
	ledger.take({ type: 'pong' });
	assert.equal(ledger.check(7), 1);
	assert.equal(ledger.unverified, 6);
	assert.equal(ledger.check(6), 0);
	assert.equal(ledger.unverified, 0);
	[3, 10].forEach(message);
	assert.equal(ledger.check(7), 0);
	assert.equal(ledger.check(6), -1, 'more than was sent verifies nothing');
});

test('delivery: a channel that is joined is listened to from the position on, also where a link begins below it', () => {
	const delivery = new Delivery('aaaaaaaa-5');
	const take = (seq, channel) => delivery.takeMessage({ id: `aaaaaaaa-${seq}`, channel, time: 0 }, 1, true);
	assert.equal(take(7, 'a'), 'new');
	delivery.advance('aaaaaaaa-7', 1, true);
	assert.equal(delivery.verified, 'aaaaaaaa-5');
	delivery.join(['b']);
	assert.equal(take(6, 'b'), undefined);
	assert.equal(take(6, 'a'), 'late');
	assert.equal(take(7, 'a'), undefined);
	assert.equal(take(8, 'b'), 'new');
	delivery.verify('aaaaaaaa-8');
	assert.equal(delivery.verified, 'aaaaaaaa-8');
	assert.equal(take(8, 'a'), undefined);
});

test('delivery: where a loss is known, a gap below the position is news, once', () => {
	const delivery = new Delivery('aaaaaaaa-5');
	delivery.takeMessage({ id: 'aaaaaaaa-9', channel: 'a', time: 0 }, 1, true);
	delivery.advance('aaaaaaaa-9', 1, true);
	const gap = { type: 'gap', channel: 'a', after: 'aaaaaaaa-5', resumed: 'aaaaaaaa-7' };
	assert.equal(delivery.takeGap(gap, 1, true), false);
	delivery.recover();
	assert.equal(delivery.takeGap(gap, 1, true), true);
	assert.equal(delivery.takeGap(gap, 1, true), false);
	delivery.verify('aaaaaaaa-9');
	assert.equal(delivery.takeGap({ ...gap, resumed: 'aaaaaaaa-8' }, 1, true), false);
});

test('recovery: a poll a second at most, however often it is wanted; after six in vain it is given up', () =>
	runSeeds(1, 1, async (random, clock) => {
		const { Recovery } = await load('recover.js');
		let asked = 0;
		let given = 0;
		const recovery = new Recovery(async () => {
			asked++;
			throw new TypeError('fetch failed');
		}, () => 'http://gateway/poll');
		for (let i = 0; i < 60; i++) {
			recovery.run(() => assert.fail('nothing came'), () => given++);
			await clock.run(100);
		}
		assert.deepEqual([asked, given], [6, 1]);
	}));
