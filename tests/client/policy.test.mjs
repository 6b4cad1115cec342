// The policy alone: scripted situations on a fake clock, over fake transports.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { load } from './setup.mjs';

const { Policy, times } = await load('policy.js');
const { gates } = await load('gates.js');
const { Memory } = await load('memory.js');
const { Backoff } = await load('backoff.js');
const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

/** Runs a policy against transports that behave as `behave(name, count, now)` says:
 * - `good`, or `good:MS` for each step
 * - `refused`: ends after 10 ms; `hole`: says nothing
 * - `stuck:N`: passes N gates, then says nothing
 * - `heap:MS`: open and mark together, so late
 * - `foreign`: refused by a page of somebody else's
 * - `away:MS`: the gateway sends it away for so long
 * - `dies:MS`: good, and ends so long after; `mute:MS`: good, and silent from then on
 * - `cuts:MS`: good, and cut when nothing was written for so long
 * - `ages:MS`: good, beats in time, and cut at that age all the same
 * - `full:MS`: good, and cut so long after by a limit of bytes
 * - `loses:MS`: good, and so long after it is known that messages were lost
 * - `garbles:MS`: good, and so long after something comes that cannot be parsed */
class World {
	now = 0;
	opens = [];
	uses = [];
	states = [];
	waits = [];
	diagnosed = [];
	links = new Map();
	#queue = [];
	#counts = {};

	constructor(behave, options) {
		this.behave = behave;
		this.policy = new Policy({ transports: names, random: () => 0.5, ...options });
		this.step({ type: 'start' });
	}

	step(event) {
		for (const action of this.policy.step(event, this.now)) {
			if (action.do === 'open')
				this.#open(action);
			else if (action.do === 'close')
				this.links.delete(action.attempt);
			else if (action.do === 'use') {
				assert.ok(this.links.has(action.attempt), 'what is used is open');
				this.uses.push({ at: this.now, ...action });
				this.at(300, action.attempt, { type: 'caughtup' });
				this.#beat(this.links.get(action.attempt));
			} else if (action.do === 'state') {
				this.states.push(action.state);
				if (action.state === 'waiting')
					this.waits.push(action.wait);
			} else if (action.do === 'check' && this.links.get(action.attempt).answers)
				this.at(20, action.attempt, { type: 'checked' });
			else if (action.do === 'remember')
				this.remembered = action.known;
			else if (action.do === 'diagnose')
				this.diagnosed.push({ at: this.now, name: action.transport });
		}
		const names = [...this.links.values()].map(({ name }) => name);
		const twice = names.filter((name, i) => names.indexOf(name) !== i);
		assert.ok(twice.length === 0 || (this.renews && twice.join() === this.policy.current), 'a transport is tried once at a time');
	}

	at(delay, attempt, event) {
		this.#queue.push({ at: this.now + delay, attempt, event });
	}

	run(ms) {
		const end = this.now + ms;
		for (let turns = 0; ; turns++) {
			assert.ok(turns < 100000, 'it comes to rest');
			const next = Math.min(this.policy.next, ...this.#queue.map(({ at }) => at));
			if (next > end)
				break;
			this.now = Math.max(this.now, next);
			const due = this.#queue.findIndex(({ at }) => at <= this.now && at === next);
			if (due < 0) {
				this.step({ type: 'tick' });
				continue;
			}
			let [{ attempt, event }] = this.#queue.splice(due, 1);
			const link = this.links.get(attempt);
			if (!link)
				continue;
			if (event.type === 'lost')
				this.links.delete(attempt);
			if (event.type === 'aged') {
				this.links.delete(attempt);
				event = { type: 'lost', why: 'it was cut', silent: this.now - link.heard };
			}
			link.heard = this.now;
			if (event.type === 'beat')
				this.#beat(link);
			this.step(event.type === 'beat' ? { type: 'alive', attempt } : { ...event, attempt });
		}
		this.now = end;
		return this;
	}

	#open({ attempt, transport: name, heartbeat, reason }) {
		this.renews ||= reason === undefined;
		const count = this.#counts[name] = (this.#counts[name] ?? 0) + 1;
		const [kind, value] = this.behave(name, count, this.now).split(':');
		const number = Number(value);
		const link = { attempt, name, kind, number, heartbeat: heartbeat ?? 15, hold: this.policy.patience.hold, opened: this.now, answers: true };
		this.links.set(attempt, link);
		this.opens.push({ at: this.now, name, heartbeat });
		if (kind === 'refused' || kind === 'away' || kind === 'foreign')
			return this.at(10, attempt, { type: 'lost', why: 'it was refused', retry: kind === 'away' ? number : undefined,
				foreign: kind === 'foreign' });
		const passes = kind === 'hole' ? 0 : kind === 'stuck' ? number : Infinity;
		const each = kind === 'good' && number ? number : 10;
		gates[name].slice(0, passes).forEach(([stage], i) => this.at(kind === 'heap' && stage !== 'echo' ? number + i :
			each * (i + 1) + (stage === 'mark' || stage === 'echo' ? 150 : 0), attempt, { type: 'stage', stage }));
		if (names.indexOf(name) < 3)
			this.at(each, attempt, { type: 'alive', heartbeat: link.heartbeat });
		if (kind === 'dies')
			this.at(number, attempt, { type: 'lost', why: 'it ended', silent: 5 });
		if (kind === 'full')
			this.at(number, attempt, { type: 'lost', why: 'it ended', silent: 5, size: 64000 });
		if (kind === 'loses')
			this.at(number, attempt, { type: 'lost', why: 'the path loses messages', damaged: true, demote: true });
		if (kind === 'garbles')
			this.at(number, attempt, { type: 'lost', why: 'it cannot be parsed', damaged: true });
		if (kind === 'ages')
			this.at(number, attempt, { type: 'aged' });
	}

	#beat(link) {
		const { kind, number, attempt, name, heartbeat, hold } = link;
		const every = (names.indexOf(name) < 3 ? heartbeat : name === 'longpoll' ? hold : 1) * 1000;
		if (kind === 'cuts' && number <= every)
			return this.at(number, attempt, { type: 'lost', why: 'it was cut', silent: number });
		if (kind !== 'mute' || this.now + every < link.opened + number)
			this.at(every, attempt, { type: 'beat' });
		else
			link.answers = false;
	}

	get to() {
		return this.uses.map(({ to }) => to);
	}
}

const blockAll = (blocked, how) => (name) => blocked.includes(name) ? how : 'good';

describe('every set of blocked transports, blocked in every way', () => {
	for (let mask = 0; mask < 31; mask++) {
		const blocked = names.filter((_, i) => mask & 1 << i);
		const best = names.find((name) => !blocked.includes(name));
		for (const how of ['refused', 'hole', 'stuck:1'])
			test(`${blocked.join(', ') || 'none'} ${how}: ${best}`, () => {
				// A poll has one gate: past it there is nothing to be stuck at.
				const world = new World((name) => !blocked.includes(name) ? 'good' :
					how === 'stuck:1' && name.includes('poll') ? 'hole' : how).run(8000);
				assert.equal(world.policy.current, best);
				assert.equal(world.to.at(-1), best);
				assert.ok(world.uses[0].at <= names.indexOf(best) * (how === 'refused' ? 10 : times.race) + 200,
					`in use after ${world.uses[0].at} ms`);
				assert.equal(world.links.size, 1, 'the losers are closed');
				assert.deepEqual(world.opens.map(({ name }) => name).slice(0, names.indexOf(best) + 1),
					names.slice(0, names.indexOf(best) + 1), 'in order');
				assert.equal(world.uses[0].from, null);
				for (const name of how === 'refused' ? names.slice(0, names.indexOf(best)) : [])
					assert.ok(world.uses[0].why.includes(`${name}: it was refused`), world.uses[0].why);
			});
	}
});

describe('each gate that is not passed, and its words', () => {
	for (const name of names)
		gates[name].forEach(([stage, , words], gate) => test(`${name} lacks ${stage}`, () => {
			const world = new World((other) => other === name ? `stuck:${gate}` : other === 'poll' ? 'good' : 'refused',
				name === 'poll' ? { transports: ['poll', 'longpoll'] } : {}).run(1000);
			const { policy } = world;
			world.run(7000);
			assert.notEqual(policy.current, name);
			if (name !== 'poll') {
				const late = new World((other) => other === name ? `stuck:${gate}` : other === 'poll' ? 'good:24800' : 'refused').run(30000);
				assert.ok([late.uses[0]?.why ?? words].some((why) => why.includes(words) || why.includes('gateway')), late.uses[0]?.why);
			}
		}));
});

describe('why a transport is used, as the gateway counts it', () => {
	for (const [what, behave, options, reasons] of [
		['the best one', () => 'good', {}, ['websocket first']],
		['the only one', () => 'good', { transports: ['poll'] }, ['poll only']],
		['one that worked before', blockAll(['websocket'], 'hole'), { known: { transport: 'stream' } }, ['stream remembered', 'sse promoted']],
		['the best one, which worked before', () => 'good', { known: { transport: 'websocket' } }, ['websocket first']],
		['behind refusals', blockAll(['websocket', 'sse'], 'refused'), {}, ['stream refused']],
		['behind a hole', blockAll(['websocket'], 'hole'), {}, ['sse unproved']],
		['behind a refusal and a hole', (name) => ({ websocket: 'hole', sse: 'refused' })[name] ?? 'good', {}, ['stream unproved']],
		['slow, and then better', (name) => name === 'websocket' ? 'good:300' : 'good', {}, ['sse unproved', 'websocket promoted']],
		['after a death', (name, count) => name === 'websocket' ? count === 1 ? 'dies:20000' : 'refused' : 'good', {}, ['websocket first', 'sse died']],
		['again after a death', (name, count) => name === 'websocket' && count === 1 ? 'dies:20000' : 'good', {}, ['websocket first', 'websocket died']],
	])
		test(`${what}: ${reasons.join(', ')}`, () => {
			const world = new World(behave, options).run(40000);
			assert.deepEqual(world.uses.map(({ to, reason }) => `${to} ${reason}`), reasons);
		});
});

describe('racing', () => {
	test('a slow best one is joined by the next after 500 ms, and wins when it proves itself', () => {
		const world = new World((name) => name === 'websocket' ? 'good:300' : 'good').run(3000);
		assert.deepEqual(world.opens.slice(0, 2).map(({ name, at }) => [name, at]), [['websocket', 0], ['sse', 500]]);
		assert.deepEqual(world.to, ['sse', 'websocket']);
		assert.equal(world.links.size, 1);
	});
	test('a best one that proves itself within 500 ms runs alone', () => {
		const world = new World(() => 'good').run(60000);
		assert.deepEqual(world.opens.map(({ name }) => name), ['websocket']);
	});
	test('heaps are no stream', () => {
		const world = new World((name) => ({ websocket: 'refused', sse: 'heap:2000', stream: 'good:600' })[name] ?? 'hole').run(4000);
		assert.deepEqual(world.to, ['stream']);
		assert.match(world.uses[0].why, /sse: the stream arrives in groups/);
	});
	for (const late of [60, 200, 700, 1400])
		test(`open and mark together after ${late} ms are a delay one can live with`, () => {
			const world = new World((name) => name === 'sse' ? `heap:${late}` : 'refused').run(4000);
			assert.deepEqual(world.to, ['sse']);
		});
	for (const each of [10, 200, 400])
		test(`all of it ${each} ms late: live`, () => {
			const world = new World((name) => name === 'sse' ? `good:${each}` : 'refused').run(4000);
			assert.deepEqual(world.to, ['sse']);
		});
	test('what lags by one is no stream: its open comes when the mark is sent, the mark never', () => {
		const world = new World((name) => ({ websocket: 'refused', sse: 'stuck:1', stream: 'good' })[name] ?? 'hole').run(2000);
		assert.deepEqual(world.to, ['stream']);
		world.run(1000);
		assert.equal(world.links.size, 1);
	});
	test('what was remembered comes first, the better ones are tried after 30 s', () => {
		const world = new World(() => 'good', { known: { transport: 'longpoll' } }).run(29000);
		assert.deepEqual(world.to, ['longpoll']);
		world.run(3000);
		assert.deepEqual(world.to, ['longpoll', 'websocket']);
	});
	test('what was remembered and does not work removes nothing', () => {
		const world = new World(blockAll(['sse'], 'refused'), { known: { transport: 'sse' } }).run(2000);
		assert.deepEqual(world.opens.map(({ name }) => name), ['sse', 'websocket']);
		assert.deepEqual(world.to, ['websocket']);
	});
	test('one transport only', () => {
		for (const name of names)
			assert.deepEqual(new World(() => 'good', { transports: [name] }).run(1000).to, [name]);
	});
	test('an order of one\'s own is kept', () => {
		const world = new World(() => 'good', { transports: ['poll', 'websocket'] }).run(100000);
		assert.deepEqual(world.to, ['poll']);
	});
});

describe('coming back', () => {
	test('a better one is tried after 30 s, 2 min, 10 min, then every 30 min', () => {
		const world = new World(blockAll(['websocket'], 'refused')).run(3 * 3600000);
		const tries = world.opens.filter(({ name }) => name === 'websocket').map(({ at }) => at);
		const steps = tries.slice(1).map((at, i) => Math.round((at - tries[i]) / 1000));
		assert.deepEqual(steps, [30, 120, 600, 1800, 1800, 1800, 1800, 1800]);
		assert.deepEqual(world.to, ['sse']);
	});
	for (const [count, after] of [[2, 30], [3, 150], [4, 750], [5, 2550]])
		test(`unblocked at its try number ${count} it is in use after ${after} s`, () => {
			const world = new World((name, tries) => name === 'websocket' && tries < count ? 'refused' : 'good').run(3600000);
			assert.deepEqual(world.to, ['sse', 'websocket']);
			assert.equal(Math.round(world.uses[1].at / 1000), after);
			assert.equal(world.uses[1].from, 'sse');
			assert.match(world.uses[1].why, /websocket has proved itself and is better than sse/);
		});
	test('the old one runs until the new one has caught up', () => {
		const world = new World((name, count) => name === 'websocket' && count < 2 ? 'refused' : 'good').run(30200);
		assert.deepEqual([...world.links.values()].map(({ name }) => name), ['sse', 'websocket']);
		world.run(400);
		assert.deepEqual([...world.links.values()].map(({ name }) => name), ['websocket']);
	});
	test('all better ones are tried, one at a time', () => {
		const world = new World((name, count) => names.indexOf(name) < 3 && count < 2 || name === 'websocket' ? 'refused' : 'good');
		world.run(40000);
		assert.deepEqual(world.to.slice(0, 1), ['longpoll']);
		assert.equal(world.policy.current, 'sse');
	});
	test('back online, better ones are tried at once', () => {
		const world = new World((name, count) => name === 'websocket' && count < 2 ? 'refused' : 'good').run(5000);
		world.step({ type: 'wake', online: true });
		world.run(1000);
		assert.deepEqual(world.to, ['sse', 'websocket']);
	});
	test('a new one that dies while the old one runs gives back to it', () => {
		const world = new World((name, count) => name !== 'websocket' ? 'good' : count < 2 ? 'refused' : 'dies:100').run(31000);
		assert.deepEqual(world.to, ['sse', 'websocket', 'sse']);
		assert.equal(world.policy.current, 'sse');
	});
});

describe('going down', () => {
	for (const name of names.slice(0, 3))
		test(`${name}: silent for 2.5 intervals`, () => {
			const world = new World((other, count) => other === name && count === 1 ? 'mute:40000' : 'good',
				{ transports: names.slice(names.indexOf(name)) }).run(58000);
			assert.deepEqual(world.to, [name]);
			world.run(20000);
			assert.notEqual(world.policy.current, name);
			assert.match(world.uses[1].why, /heartbeats stopped/);
		});
	for (const interval of [4, 10, 30, 60])
		test(`with beats each ${interval} s it is given up after ${2.5 * interval} s`, () => {
			const world = new World((name) => name === 'websocket' ? 'mute:1' : 'good', { heartbeat: interval });
			world.run(2500 * interval - 100);
			assert.deepEqual(world.to, ['websocket']);
			world.run(1000);
			assert.deepEqual(world.to, ['websocket', 'sse']);
		});
	for (const name of names.slice(0, 4))
		test(`${name}: three early deaths in a row`, () => {
			const world = new World((other) => other === name ? 'dies:2000' : 'good',
				{ transports: names.slice(names.indexOf(name)) }).run(15000);
			assert.equal(world.to.filter((to) => to === name).length, 3);
			assert.notEqual(world.policy.current, name);
			assert.match(world.uses.at(-1).why, /ended early/);
		});
	for (const lives of [15, 30, 60, 300])
		test(`cut every ${lives} s in spite of beats: no reason to go down`, () => {
			const world = new World((name) => name === 'websocket' ? `dies:${lives * 1000}` : 'good').run(lives * 10500);
			assert.deepEqual(new Set(world.to), new Set(['websocket']));
			assert.equal(world.uses.length, 11);
		});
	for (const age of [40, 70, 100])
		test(`cut at an age of ${age} s, and the silences before it alike: nothing is learned from that`, () => {
			const world = new World((name) => name === 'websocket' ? `ages:${age * 1000}` : 'good').run(age * 6000);
			assert.deepEqual(new Set(world.to), new Set(['websocket']));
			assert.equal(world.policy.patience.heartbeat, undefined);
		});
	test('cut every 3 s by a limit of bytes: no reason to go down, and back at once', () => {
		const world = new World((name) => name === 'websocket' ? 'full:3000' : 'good').run(31000);
		assert.deepEqual(new Set(world.to), new Set(['websocket']));
		assert.ok(world.uses.length >= 10, String(world.uses.length));
		assert.deepEqual(world.waits, []);
	});
	test('cut by a limit of bytes ten times a second: that is no way to listen', () => {
		const world = new World((name) => name === 'websocket' ? 'full:100' : 'good').run(31000);
		assert.equal(world.policy.current, 'sse');
	});
	for (const after of [2, 20])
		test(`messages lost on the way after ${after} s: demoted at once, and tried again less and less often`, () => {
			const world = new World((name) => name === 'websocket' ? `loses:${after * 1000}` : 'good').run(3600000);
			assert.deepEqual(world.to.slice(0, 4), ['websocket', 'sse', 'websocket', 'sse']);
			assert.ok(world.uses[1].at < after * 1000 + 1000);
			assert.match(world.uses[1].why, /the path loses messages/);
			const tries = world.opens.filter(({ name }) => name === 'websocket').map(({ at }) => at);
			const pauses = tries.map((at, i) => at - tries[i - 1] - after * 1000).slice(1);
			[30000, 120000, 600000, 1800000].forEach((pause, i) => assert.ok(Math.abs(pauses[i] - pause) < 1000, String(pauses)));
		});
	for (const after of [2, 20])
		test(`what cannot be parsed after ${after} s: left, and demoted when it happens again`, () => {
			const world = new World((name) => name === 'websocket' ? `garbles:${after * 1000}` : 'good').run(after * 2000 + 5000);
			assert.deepEqual(world.to, ['websocket', 'websocket', 'sse']);
			assert.match(world.uses[2].why, /cannot be parsed/);
			world.step({ type: 'wake', online: true }); // another network may alter nothing
			world.run(after * 1000 + 1500);
			assert.deepEqual(world.to.slice(3), ['websocket', 'websocket']);
		});
	test('after an old death it is back at once', () => {
		const world = new World(() => 'dies:20000').run(21000);
		assert.ok(world.uses[1].at < 20100);
	});
});

describe('patience of the path', () => {
	for (const [cut, heartbeat] of [[5, 4], [7, 4], [8, 5], [10, 7], [12, 8]])
		test(`cut twice after ${cut} s of silence: a beat each ${heartbeat} s, and it stays`, () => {
			const world = new World((name) => name === 'websocket' ? `cuts:${cut * 1000}` : 'good').run(200000);
			assert.equal(world.policy.patience.heartbeat, heartbeat);
			assert.equal(world.opens.at(-1).heartbeat, heartbeat);
			assert.deepEqual(new Set(world.to), new Set(['websocket']));
			assert.equal(world.uses.length, 3);
		});
	for (const [cut, hold] of [[4, 2], [5, 3], [10, 7], [20, 14]])
		test(`polls cut twice after ${cut} s: held for ${hold} s`, () => {
			const world = new World((name) => name === 'longpoll' ? `cuts:${cut * 1000}` : 'good',
				{ transports: ['longpoll', 'poll'] }).run(200000);
			assert.equal(world.policy.patience.hold, hold);
			assert.equal(world.policy.current, 'longpoll');
		});
	test('polls cut twice after 2 s: short polls', () => {
		const world = new World((name) => name === 'longpoll' ? 'cuts:2000' : 'good', { transports: ['longpoll', 'poll'] }).run(15000);
		assert.equal(world.policy.current, 'poll');
	});
	test('cut after 3 s of silence, which no beat can prevent: the next one', () => {
		const world = new World((name) => name === 'websocket' ? 'cuts:3000' : 'good').run(25000);
		assert.equal(world.policy.current, 'sse');
	});
	test('what was learned is remembered, and taken from the memory', () => {
		const world = new World((name) => name === 'websocket' ? 'cuts:10000' : 'good').run(60000);
		const { transport, heartbeat, learned } = world.remembered;
		assert.deepEqual([transport, heartbeat, learned > 0], ['websocket', 7, true]);
		assert.equal(new World(() => 'good', { known: world.remembered }).run(1000).opens[0].heartbeat, 7);
		assert.equal(new World(() => 'good', { known: world.remembered, heartbeat: 5 }).run(1000).opens[0].heartbeat, 5);
	});
	test('what was learned is forgotten after half an hour, and learned again by one cut', () => {
		const world = new World((name, count) => name !== 'websocket' ? 'good' :
			count < 3 || count > 3 && !(count % 2) ? 'cuts:10000' : 'dies:2000000').run(60000);
		assert.equal(world.policy.patience.heartbeat, 7);
		world.run(30 * 60000);
		assert.equal(world.policy.patience.heartbeat, undefined);
		world.run(300000);
		assert.equal(world.policy.patience.heartbeat, 7);
	});
	test('short polls because of a hold below 2 s: when long-poll has its turn, it is held as long as at first', () => {
		const world = new World((name, count) => name === 'longpoll' && count < 3 ? 'cuts:2000' : 'good',
			{ transports: ['longpoll', 'poll'] }).run(60000);
		assert.deepEqual([world.policy.current, world.policy.patience.hold], ['longpoll', 25]);
	});
	test('online again, what was learned of the other network is forgotten', () => {
		const world = new World((name, count) => name === 'websocket' && count < 3 ? 'cuts:10000' : 'good').run(60000);
		world.step({ type: 'wake', online: true });
		assert.equal(world.policy.patience.heartbeat, undefined);
	});
	test('what was learned too long ago is no longer known, though it was remembered since', () => {
		const known = { transport: 'sse', heartbeat: 7, hold: 25, learned: -29 * 60000 };
		const world = new World(() => 'good', { known }).run(1000);
		assert.deepEqual([world.opens[0].name, world.opens[0].heartbeat], ['sse', 7]);
		world.run(70000);
		assert.equal(world.policy.patience.heartbeat, undefined);
		assert.equal(new World(() => 'good', { known: { ...known, learned: -31 * 60000 } }).opens[0].heartbeat, undefined);
	});
	test('the memory lasts half an hour, and is kept for each origin', () => {
		const items = new Map();
		const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
		const memory = new Memory('http://a/', storage);
		const minute = 60000;
		memory.write({ transport: 'sse', heartbeat: 7, hold: 25, learned: 40 * minute }, 60 * minute);
		assert.deepEqual(memory.read(89 * minute), { transport: 'sse', heartbeat: 7, hold: 25, learned: 40 * minute });
		assert.deepEqual(memory.read(91 * minute), {});
		assert.deepEqual(memory.read(59 * minute), {}, 'of a clock that was set back');
		assert.deepEqual(new Memory('http://b/', storage).read(61 * minute), {});
	});
});

describe('looking into what failed', () => {
	const names = (world) => world.diagnosed.map(({ name }) => name);
	test('one that is refused is looked into as soon as the gateway has answered another', () => {
		const world = new World((name) => name === 'websocket' ? 'refused' : 'good');
		world.run(15);
		assert.deepEqual(names(world), []);
		world.run(200);
		assert.deepEqual(names(world), ['websocket']);
		assert.ok(world.diagnosed[0].at < world.uses[0].at, 'before the other is in use');
	});
	test('what is found in time is in the words of the switch', () => {
		const world = new World((name) => name === 'websocket' ? 'refused' : 'good').run(100);
		world.step({ type: 'diagnosed', transport: 'websocket', why: 'somebody took the upgrade out' });
		world.run(200);
		assert.match(world.uses[0].why, /^websocket: somebody took the upgrade out$/);
	});
	test('one in a hole delays nothing: it is looked into when its time is over', () => {
		const world = new World((name) => name === 'websocket' ? 'hole' : 'good').run(2900);
		assert.deepEqual([world.to, names(world)], [['sse'], []]);
		world.run(200);
		assert.deepEqual(names(world), ['websocket']);
	});
	test('found out after it works again, it is no reason', () => {
		const world = new World((name, count) => name === 'websocket' && count < 2 ? 'refused' : 'good').run(40000);
		world.step({ type: 'diagnosed', transport: 'websocket', why: 'too late' });
		assert.equal(world.policy.current, 'websocket');
	});
	for (const how of ['refused', 'hole', 'away:500'])
		test(`a server that is down (${how}) is not asked anything more`, () => {
			assert.deepEqual(names(new World(() => how).run(100000)), []);
		});
	test('again only when it has been tried again', () => {
		const world = new World((name) => name === 'websocket' ? 'refused' : 'good').run(3600000);
		assert.equal(world.diagnosed.length, world.opens.filter(({ name }) => name === 'websocket').length);
	});
	test('one that has proved itself needs none when it ends', () => {
		assert.deepEqual(names(new World((name) => name === 'websocket' ? 'dies:2000' : 'good').run(15000)), []);
	});
});

describe('the server is down', () => {
	test('everything refused: waits between nothing and 0.5 to 30 s, doubling', () => {
		const { waits } = new World(() => 'refused').run(200000);
		assert.deepEqual(waits.slice(0, 8), [250, 500, 1000, 2000, 4000, 8000, 15000, 15000]);
	});
	test('and comes back with the best transport', () => {
		const world = new World((name, count, now) => now < 60000 ? 'refused' : 'good').run(120000);
		assert.deepEqual(world.to, ['websocket']);
		assert.ok(world.states.includes('waiting'));
	});
	test('everything a hole: each gets its time, then waits', () => {
		const world = new World(() => 'hole').run(8000);
		assert.deepEqual(world.opens.slice(0, 5).map(({ at }) => at), [0, 500, 1000, 1500, 2000]);
		assert.ok(world.waits.length >= 1);
	});
	test('polls that wait do not keep the others from being tried again', () => {
		const world = new World((name, count) => name.includes('poll') ? 'hole' : count < 3 ? 'hole' : 'good').run(20000);
		assert.equal(world.policy.current, 'websocket');
		assert.equal(world.opens.filter(({ name }) => name === 'longpoll').length, 1);
		assert.equal(world.links.size, 1);
	});
	test('a path that takes 20 s for a connection is got through by a poll', () => {
		const world = new World((name) => name.includes('poll') ? 'good:20000' : 'hole').run(22000);
		assert.equal(world.to[0], 'longpoll');
	});
	test('a poll that still waits when a stream proves itself may answer first, for 5 s', () => {
		const behave = (poll) => (name, count, now) => name.includes('poll') ? poll : name === 'sse' && now > 5000 ? 'good' : 'hole';
		for (const [poll, later] of [['good:9000', 2000], ['hole', 6000]]) {
			const world = new World(behave(poll));
			while (!world.policy.current && world.now < 20000)
				world.run(100);
			const polls = () => [...world.links.values()].filter(({ name }) => name.includes('poll')).length;
			assert.equal(polls(), 2, poll);
			world.run(later);
			assert.equal(polls(), 0, poll);
			assert.deepEqual(world.uses.map(({ to }) => to), ['sse']);
		}
	});

	test('a login page is tried again sooner, for a while', () => {
		const world = new World(() => 'foreign').run(300000);
		assert.ok(world.waits.slice(0, 60).every((wait) => wait <= 750), String(world.waits));
		assert.ok(world.waits.at(-1) > 10000, String(world.waits));
	});
	for (const retry of [500, 1500, 5000, 20000])
		test(`sent away for ${retry} ms: no other transport is tried, none comes back earlier`, () => {
			const world = new World((name, count) => count === 1 ? `away:${retry}` : 'good').run(60000);
			assert.deepEqual(world.opens.map(({ name }) => name).slice(0, 2), ['websocket', 'websocket']);
			assert.ok(world.opens[1].at >= retry && world.opens[1].at < retry * 1.2 + 20, String(world.opens[1].at));
		});
	test('a goodbye in mid-session is obeyed', () => {
		const world = new World(() => 'good').run(20000);
		const [{ attempt }] = world.links.values();
		world.links.delete(attempt);
		world.step({ type: 'lost', attempt, why: 'draining', retry: 3000 });
		world.run(2900);
		assert.equal(world.opens.length, 1);
		world.run(500);
		assert.deepEqual(world.to, ['websocket', 'websocket']);
	});
	test('waking ends a wait', () => {
		const world = new World((name, count, now) => now < 5000 ? 'refused' : 'good').run(6000);
		world.step({ type: 'wake' });
		world.run(500);
		assert.equal(world.policy.current, 'websocket');
	});
});

describe('waking', () => {
	for (const name of names)
		test(`${name}: one that answers stays`, () => {
			const world = new World(() => 'good', { transports: [name, ...names.filter((other) => other !== name)] }).run(20000);
			world.step({ type: 'wake' });
			world.run(5000);
			assert.deepEqual(world.to, [name]);
		});
	test('a zombie is found within 2 s', () => {
		const world = new World((name, count) => count === 1 ? 'mute:12000' : 'good').run(14000);
		world.step({ type: 'wake' });
		world.run(1900);
		assert.equal(world.uses.length, 1);
		world.run(300);
		assert.equal(world.uses.length, 2);
		assert.match(world.uses[1].why, /the connection was found dead/);
	});
	test('stopped, nothing runs and nothing is due', () => {
		const world = new World(() => 'good').run(1000);
		world.step({ type: 'stop' });
		assert.equal(world.links.size, 0);
		assert.equal(world.policy.next, Infinity);
	});
});

describe('full jitter', () => {
	test('a wait lies between nothing and its bound', () => {
		for (const random of [0, 0.25, 0.999]) {
			const backoff = new Backoff(() => random);
			for (let i = 0; i < 10; i++)
				assert.equal(backoff.next(), random * Math.min(500 * 2 ** i, 30000));
			backoff.reset();
			assert.equal(backoff.next(), random * 500);
		}
	});
	test('never earlier than asked for', () => {
		for (const retry of [1, 500, 90000])
			assert.ok(new Backoff(() => 0).next(retry) >= retry);
	});
});

test('two thousand random worlds: it is always connected, trying or waiting, and ends at the best', () => {
	const kinds = ['good', 'good:200', 'good:700', 'refused', 'hole', 'stuck:1', 'stuck:2', 'heap:100', 'heap:1700', 'dies:50', 'full:1500', 'ages:70000', 'dies:3000',
		'dies:20000', 'mute:5000', 'cuts:6000', 'away:700'];
	for (let seed = 1; seed <= 2000; seed++) {
		let state = seed;
		const random = () => (state = state * 48271 % 2147483647) / 2147483647;
		for (let i = 0; i < 5; i++)
			random();
		const world = new World((name, count, now) => now < 120000 ? kinds[Math.floor(random() * kinds.length)] : 'good', { random });
		for (let i = 0; i < 20; i++) {
			world.run(random() * 12000);
			assert.ok(world.policy.next < Infinity || world.policy.current, `seed ${seed}: it is stuck`);
			if (random() < 0.2)
				world.step({ type: 'wake', online: random() < 0.5 });
		}
		world.run(4 * 3600000);
		assert.equal(world.policy.current, 'websocket', `seed ${seed}`);
		assert.equal(world.links.size, 1, `seed ${seed}`);
	}
});

/** A policy whose attempts end as they are told to; returns the actions of the last step. */
function createPolicy(transports) {
	const policy = new Policy({ transports, random: () => 0.5 });
	const step = (event, now = 0) => policy.step(event, now).map(({ do: what, ...fields }) => ({ what, ...fields }));
	return { policy, step, find: (actions, what) => actions.find((action) => action.what === what) };
}

describe('a gateway that refuses', () => {
	const refusal = { why: 'at most 2 channels', status: 400, code: 'too_many_channels' };

	test('seen by one transport, and no other works: its words, a long wait, and wake ends it', () => {
		const { policy, step, find } = createPolicy(names);
		step({ type: 'start' });
		names.forEach((name, i) => {
			const actions = step({ type: 'lost', attempt: i + 1, ...name === 'stream' ? refusal : { why: 'it was refused' } });
			const state = find(actions, 'state');
			assert.equal(Boolean(state), name === 'poll', name);
			if (state)
				assert.deepEqual([state.state, state.why, state.wait >= 60000], ['waiting', refusal.why, true]);
		});
		assert.ok(policy.isRefused);
		assert.ok(find(step({ type: 'wake' }), 'open'));
		assert.ok(!policy.isRefused);
	});

	test('seen by one transport, while another works: that one is used', () => {
		const { policy, step, find } = createPolicy(['stream', 'poll']);
		step({ type: 'start' });
		assert.ok(find(step({ type: 'lost', attempt: 1, ...refusal }), 'open'));
		assert.ok(find(step({ type: 'stage', attempt: 2, stage: 'answer' }), 'use'));
		assert.ok(!policy.isRefused);
	});

	test('its own failure is no refusal: its words, and soon again', () => {
		const { policy, step, find } = createPolicy(['poll']);
		step({ type: 'start' });
		const { why, wait } = find(step({ type: 'lost', attempt: 1, why: 'memory ran out', status: 500 }), 'state');
		assert.deepEqual([why, wait < 1000, policy.isRefused], ['memory ran out', true, false]);
	});

	for (const [title, answer, why, isRefused, least, most] of [
		['it refuses', refusal, refusal.why, true, 60000, 90000],
		['it answers', { why: 'it can be reached' }, 'it can be reached', false, 0, 1000],
		['nobody answers', { why: '' }, 'the gateway cannot be reached', false, 0, 1000],
		['a login page answers', { why: 'somebody', foreign: true }, 'the gateway cannot be reached', false, 0, 1500],
		['it has no room', { why: 'full', status: 429, retry: 3000 }, 'full', false, 3000, 3300]])
		test(`seen by no transport of the list: asked, and ${title}`, () => {
			const { policy, step, find } = createPolicy(['websocket', 'sse']);
			step({ type: 'start' });
			assert.equal(find(step({ type: 'lost', attempt: 1, why: 'the upgrade was refused' }), 'ask'), undefined);
			const actions = step({ type: 'lost', attempt: 2, why: 'the stream broke, or was refused' });
			assert.deepEqual([Boolean(find(actions, 'ask')), find(actions, 'state')], [true, undefined]);
			const state = find(step({ type: 'answered', ...answer }), 'state');
			assert.deepEqual([state.state, state.why, policy.isRefused], ['waiting', why, isRefused]);
			assert.ok(state.wait >= least && state.wait <= most, `${state.wait}`);
			assert.equal(policy.next, state.wait);
			assert.deepEqual(step({ type: 'answered', ...answer }), [], 'once');
		});

	test('asked in vain, it tries again all the same; an answer that comes after that is of no account', () => {
		const { policy, step, find } = createPolicy(['websocket']);
		step({ type: 'start' });
		step({ type: 'lost', attempt: 1, why: 'the upgrade was refused' });
		assert.ok(find(step({ type: 'tick' }, policy.next), 'open'));
		assert.deepEqual(step({ type: 'answered', ...refusal }), []);
	});
});

test('a planned end while the link before still runs is no reason to block', () => {
	for (const [loss, blocked] of [[{ why: 'too large', retry: 100 }, false], [{ why: 'it broke' }, true]]) {
		const { policy, step, find } = createPolicy(['longpoll', 'poll']);
		step({ type: 'start' });
		step({ type: 'lost', attempt: 1, why: 'held' });
		step({ type: 'stage', attempt: 2, stage: 'answer' });
		step({ type: 'tick' }, 30000);
		assert.ok(find(step({ type: 'stage', attempt: 3, stage: 'answer' }, 30100), 'use'));
		assert.equal(find(step({ type: 'lost', attempt: 3, ...loss }, 30200), 'use').to, 'poll');
		assert.equal(policy.next, blocked ? 150200 : 30300);
	}
});

describe('a link with a new token', () => {
	for (const name of names.slice(0, 3))
		test(`${name}: opens beside the old one, which ends when it has caught up`, () => {
			const world = new World((other) => other === name ? 'good' : 'refused').run(20000);
			const [old] = world.links.keys();
			world.step({ type: 'renew' });
			world.step({ type: 'renew' }); // twice is once
			world.run(250);
			assert.ok(world.links.has(old));
			world.run(1000);
			assert.ok(!world.links.has(old));
			assert.deepEqual(world.uses.slice(1).map(({ from, to, reason }) => [from, to, reason]), [[name, name, undefined]]);
			assert.equal(world.opens.filter((open) => open.name === name).length, 2);
			assert.deepEqual(world.states.slice(-1), ['open']);
			world.run(20000);
			assert.equal(world.policy.current, name);
		});

	for (const name of names.slice(3))
		test(`${name}: asks anew, by itself`, () => {
			const world = new World((other) => other === name ? 'good' : 'refused').run(20000);
			const { length } = world.opens;
			const actions = world.policy.step({ type: 'renew' }, world.now);
			assert.deepEqual(actions.map((action) => action.do), ['check']);
			assert.equal(world.opens.length, length);
		});

	test('that fails is tried again, ever later, while the old one runs; nothing is blocked or looked into', () => {
		const world = new World((name, count) => count === 1 ? 'good' : 'refused', { transports: ['websocket', 'sse'] }).run(20000);
		world.step({ type: 'renew' });
		world.run(60000);
		assert.equal(world.policy.current, 'websocket');
		assert.deepEqual(world.to, ['websocket']);
		assert.ok(world.opens.length >= 5 && world.opens.length <= 10, `${world.opens.length}`);
		assert.deepEqual(world.diagnosed, []);
		assert.ok(!world.states.includes('waiting'));
	});

	test('that dies at once: the old one is used again, and renewed later, not in a loop', () => {
		const world = new World((name, count) => count === 1 ? 'good' : 'dies:200', { transports: ['websocket', 'sse'] }).run(20000);
		world.step({ type: 'renew' });
		world.run(30000);
		assert.equal(world.policy.current, 'websocket');
		assert.ok(world.opens.length < 20, `${world.opens.length}`);
		assert.ok(world.opens.every(({ name }) => name === 'websocket'));
	});

	test('waits for a promotion that is under way, which may make it needless', () => {
		const world = new World((name, count) => name !== 'websocket' ? 'good' : count === 1 ? 'refused' : 'good').run(29000);
		assert.equal(world.policy.current, 'sse');
		world.run(1015); // the promotion has begun
		assert.equal(world.links.size, 2);
		world.step({ type: 'renew' });
		world.run(5000);
		assert.deepEqual(world.to, ['sse', 'websocket']);
		assert.equal(world.opens.filter(({ name }) => name === 'sse').length, 1);
	});

	test('comes though the old one is lost meanwhile', () => {
		const world = new World((name, count) => count === 1 ? 'dies:20050' : 'good:100', { transports: ['websocket'] }).run(20000);
		world.step({ type: 'renew' });
		world.run(3000);
		assert.equal(world.policy.current, 'websocket');
		assert.equal(world.opens.length, 2);
	});
});

describe('while a refused token is replaced', () => {
	test('all is closed, and nothing is tried', () => {
		const world = new World(() => 'stuck:0').run(700);
		assert.ok(world.links.size > 1);
		world.step({ type: 'hold', why: 'expired' });
		assert.equal(world.links.size, 0);
		const { length } = world.opens;
		world.step({ type: 'wake', online: true });
		world.run(3600000);
		assert.equal(world.opens.length, length);
		assert.equal(world.policy.next, Infinity);
		assert.equal(world.states.at(-1), 'connecting');
	});

	test('the transports that failed beside it are tried again in their order, and nothing is learned', () => {
		let isGood = false;
		const world = new World((name) => isGood ? 'good' : name === 'sse' ? 'hole' : 'refused').run(100);
		assert.ok(world.opens.length > 1);
		world.step({ type: 'hold', why: 'expired' });
		isGood = true;
		world.step({ type: 'start' });
		world.run(3000);
		assert.deepEqual(world.to, ['websocket']);
		assert.equal(world.uses[0].reason, 'first');
		assert.deepEqual(world.remembered, { transport: 'websocket' });
		assert.deepEqual(world.diagnosed, []);
		assert.doesNotMatch(world.uses[0].why, /refused/);
	});

	test('what was blocked before stays so', () => {
		const world = new World(blockAll(['websocket'], 'refused')).run(10000);
		assert.equal(world.policy.current, 'sse');
		world.step({ type: 'hold', why: 'expired' });
		world.step({ type: 'start' });
		world.run(1000);
		assert.deepEqual(world.to, ['sse', 'sse']);
		assert.deepEqual(world.opens.map(({ name }) => name), ['websocket', 'sse', 'sse']);
	});

	test('an attempt beside the link in use that is refused with it blocks nothing, and is not repeated at once', () => {
		const world = new World(blockAll(['websocket'], 'refused')).run(29000);
		world.behave = (name) => name === 'websocket' ? 'stuck:0' : 'good';
		world.run(1015);
		const attempt = [...world.links].find(([, { name }]) => name === 'websocket')[0];
		world.links.delete(attempt);
		world.step({ type: 'lost', attempt, why: 'expired', excused: true });
		const { length } = world.opens;
		world.run(20000);
		assert.equal(world.opens.length, length);
		world.behave = () => 'good';
		world.run(11000);
		assert.deepEqual(world.to, ['sse', 'websocket']);
	});
});
