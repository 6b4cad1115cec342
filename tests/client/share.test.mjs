// share: true, with the tabs of one origin as objects of one process: its BroadcastChannel is
// real, the lock manager is this one (Web Locks: one holder of a name, first come first served,
// unless it is stolen). A tab that hangs hears and says nothing.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Door, LEEWAY, createBackend, mint, numbers } from './door.mjs';
import { Gateway, RealObstacle, listen, until } from './setup.mjs';
import WebSocket from 'ws';

/** @type {Map<string, { waiting: any[], holder: any }>} */
const queues = new Map();
const locks = {
	request(name, { signal, steal }, hold) {
		return new Promise((resolve, reject) => {
			const queue = queues.get(name) ?? { waiting: [], holder: undefined };
			queues.set(name, queue);
			const abort = () => new DOMException('the lock is not to be had', 'AbortError');
			const next = () => {
				queue.holder = queue.waiting.shift();
				queue.holder?.begin();
			};
			const request = { reject, begin: () => queueMicrotask(async () => {
				resolve(await hold());
				if (queue.holder === request)
					next();
			}) };
			if (signal?.aborted)
				return reject(abort());
			signal?.addEventListener('abort', () => {
				queue.waiting = queue.waiting.filter((other) => other !== request);
				if (queue.holder !== request)
					reject(abort());
			});
			if (steal)
				queue.holder?.reject(abort());
			queue.waiting[steal ? 'unshift' : 'push'](request);
			if (steal || !queue.holder)
				next();
		});
	},
};
Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });

/** The BroadcastChannels of tabs that hang keep what comes until they go on. */
const RealChannel = globalThis.BroadcastChannel;
const buses = [];
const said = []; // the names of buses, and what was said over them
globalThis.BroadcastChannel = class extends RealChannel {
	#kept = /** @type {any[] | undefined} */ (undefined);
	#listeners = [];

	constructor(name) {
		super(name);
		said.push(name);
		buses.push(this);
		super.addEventListener('message', ({ data }) => this.#kept ? this.#kept.push([data]) : this.#give(data));
	}

	#give(data) {
		this.#listeners.forEach((listener) => listener({ data }));
	}

	set onmessage(listener) {
		this.#listeners.push(listener);
	}

	addEventListener(type, listener) {
		this.#listeners.push(listener);
	}

	postMessage(message) {
		said.push(JSON.stringify(message));
		if (this.#kept)
			this.#kept.push(() => super.postMessage(message));
		else
			super.postMessage(message);
	}

	hang() {
		this.#kept = [];
	}

	goOn(forgetful) {
		const kept = this.#kept;
		this.#kept = undefined;
		for (const what of kept)
			if (typeof what === 'function')
				what();
			else if (!forgetful)
				this.#give(what[0]);
	}
};

let gateway;
let count = 0;
const open = [];

before(async () => {
	gateway = await new Gateway().start();
});

afterEach(() => open.splice(0).forEach((tab) => tab.close()));

after(() => gateway.stop());

const openTabs = (number, options) => {
	const channel = `share.${++count}`;
	const tabs = Array.from({ length: number }, () => listen(gateway.url,
		{ channels: [channel], share: true, shareKey: channel, ...options }));
	open.push(...tabs);
	return { channel, tabs };
};

async function countConnections() {
	const { transports } = await gateway.getStats();
	return Object.entries(transports).reduce((sum, [name, { connections }]) => sum + (name === 'http' ? 0 : connections), 0);
}

test('ten tabs use one connection, all receive, all publish', async () => {
	const { channel, tabs } = openTabs(10);
	await Promise.all(tabs.map(({ opened }) => opened));
	assert.equal(await countConnections(), 1);
	const ids = await Promise.all(tabs.map((tab, i) => tab.publish(channel, i)));
	await until('ten messages in each', () => tabs.every(({ log }) => log.messages.length === 10));
	for (const { log } of tabs)
		assert.deepEqual(log.messages.map(({ id }) => id).sort(), [...ids].sort());
	assert.ok(tabs.every(({ transport, cursor }) => transport === 'websocket' && cursor === tabs[0].cursor));
});

test('when the leader closes, another goes on, nothing lost or doubled', async () => {
	const { channel, tabs } = openTabs(4);
	await Promise.all(tabs.map(({ opened }) => opened));
	let sent = 0;
	let stop = false;
	const publishing = (async () => {
		while (!stop) {
			await gateway.publish(channel, ++sent);
			await new Promise((done) => setTimeout(done, 3));
		}
	})();
	await until('some', () => tabs[3].log.messages.length > 5);
	for (let leader = 0; leader < 3; leader++) {
		tabs[leader].close();
		const { length } = tabs[3].log.messages;
		await until('more', () => tabs[3].log.messages.length > length + 5);
	}
	stop = true;
	await publishing;
	await until('the last', () => tabs[3].log.messages.at(-1).data === sent);
	const first = tabs[3].data()[0];
	assert.deepEqual(tabs[3].data(), Array.from({ length: sent - first + 1 }, (_, i) => first + i));
	assert.deepEqual(tabs[3].log.gaps, []);
	tabs[3].close();
	await until('no connection', async () => await countConnections() === 0);
});

test('each tab hears its own channels, and a publish survives its leader', async () => {
	const { channel, tabs: [leader, other] } = openTabs(2);
	await Promise.all([leader.opened, other.opened]);
	other.subscribe(`${channel}.more`);
	let number = 0;
	await until('the other channel', async () => {
		await gateway.publish(`${channel}.more`, ++number);
		return other.log.messages.length;
	});
	assert.equal(leader.log.messages.length, 0);
	const publishing = other.publish(channel, 'through');
	leader.close();
	const id = await publishing;
	await until('it', () => other.data().includes('through'));
	assert.equal(other.log.messages.filter(({ data }) => data === 'through').length, 1);
	assert.ok(other.log.messages.some((message) => message.id === id));
});

test('a tab that joins with a cursor of its own gets what came after it, once and in order', async () => {
	const { channel, tabs: [leader] } = openTabs(1);
	await leader.opened;
	const first = await leader.publish(channel, 0);
	for (let i = 1; i <= 5; i++)
		await leader.publish(channel, i);
	const late = listen(gateway.url, { channels: [channel], share: true, shareKey: channel, since: first });
	open.push(late);
	await until('the history', () => late.log.messages.length >= 5);
	await leader.publish(channel, 6);
	await until('the next', () => late.log.messages.length >= 6);
	assert.deepEqual(late.data(), [1, 2, 3, 4, 5, 6]);
});

test('a leader that hangs is noticed, another takes over, nothing is lost or doubled; it follows when it goes on', async () => {
	buses.length = 0;
	const { channel, tabs } = openTabs(4);
	await Promise.all(tabs.map(({ opened }) => opened));
	let sent = 0;
	const publishNumbers = async (count) => {
		for (const end = sent + count; sent < end;)
			await gateway.publish(channel, ++sent);
	};
	await publishNumbers(5);
	await until('five in each', () => tabs.every(({ log }) => log.messages.length === 5));
	buses[0].hang();
	const publishing = tabs[2].publish(channel, ++sent);
	await publishNumbers(5);
	const id = await publishing;
	await until('eleven in the others', () => tabs.slice(1).every(({ log }) => log.messages.length === 11));
	buses[0].goOn();
	await publishNumbers(5);
	await until('all in all', () => tabs.every(({ log }) => log.messages.length === 16));
	for (const tab of tabs) {
		assert.deepEqual([...tab.data()].sort((a, b) => a - b), Array.from({ length: 16 }, (_, i) => i + 1));
		const seqs = tab.log.messages.map((message) => Number(message.id.split('-')[1]));
		assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
		assert.deepEqual(tab.log.gaps, []);
	}
	assert.ok(tabs[0].log.messages.some((message) => message.id === id));
	await until('one connection', async () => await countConnections() === 1);
	assert.equal(await tabs[0].publish(channel, 'the last').then((last) => typeof last), 'string');
});

test('a tab that was frozen and missed what was said gets it when it goes on', async () => {
	buses.length = 0;
	const { channel, tabs: [leader, frozen] } = openTabs(2);
	await Promise.all([leader.opened, frozen.opened]);
	await leader.publish(channel, 1);
	await until('the first', () => frozen.log.messages.length === 1);
	buses[1].hang();
	for (const number of [2, 3, 4])
		await leader.publish(channel, number);
	buses[1].goOn(true);
	await leader.publish(channel, 5);
	await until('all', () => frozen.log.messages.length === 5);
	assert.deepEqual(frozen.data(), [1, 2, 3, 4, 5]);
	assert.equal(await countConnections(), 1);
});

test('ten that join late with cursors catch up with a few short polls each', async () => {
	const { channel, tabs: [leader] } = openTabs(1);
	await leader.opened;
	const first = await leader.publish(channel, 0);
	for (let i = 1; i <= 300; i++)
		await leader.publish(channel, i);
	let polls = 0;
	const counting = (url, init) => fetch(url, init, polls += url.includes('/poll'));
	const late = Array.from({ length: 10 }, () => listen(gateway.url,
		{ channels: [channel], share: true, shareKey: channel, since: first, fetch: counting }));
	open.push(...late);
	await leader.publish(channel, 301);
	await until('the history', () => late.every(({ log }) => log.messages.length >= 301));
	for (const tab of late)
		assert.deepEqual(tab.data(), Array.from({ length: 301 }, (_, i) => i + 1));
	assert.ok(polls >= 10 && polls <= 40, `${polls} polls`);
	assert.equal((await gateway.getStats()).transports.websocket.connections, 1);
});

test('the path drops every fifth message: each tab gets all, once, the lost ones late, and is told', async () => {
	const obstacle = await new RealObstacle().start(gateway.port, ['drop-every=5@transport=websocket@age=1500ms']);
	const channel = `share.${++count}`;
	const tabs = Array.from({ length: 3 }, () => listen(obstacle.url,
		{ channels: [channel], share: true, shareKey: channel, heartbeat: 4 }));
	open.push(...tabs);
	await Promise.all(tabs.map(({ opened }) => opened));
	await new Promise((done) => setTimeout(done, 1600));
	for (let number = 1; number <= 100; number++)
		await gateway.publish(channel, number);
	await until('all in all', () => tabs.every(({ log }) => log.messages.length >= 100), 30000);
	for (const tab of tabs) {
		assert.deepEqual(tab.data().sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1));
		assert.equal(tab.log.errors.filter(({ code }) => code === 'path_loses').length, 1);
		assert.ok(tab.log.messages.some(({ late }) => late));
		assert.deepEqual(tab.log.gaps, []);
	}
	tabs.forEach((tab) => tab.close());
	await obstacle.stop();
});

test('a leader that closes before it has verified leaves nothing lost or doubled', async () => {
	const obstacle = await new RealObstacle().start(gateway.port, ['drop-every=5@transport=websocket@age=1500ms']);
	const channel = `share.${++count}`;
	const tabs = Array.from({ length: 2 }, () => listen(obstacle.url,
		{ channels: [channel], share: true, shareKey: channel, heartbeat: 60 }));
	open.push(...tabs);
	await Promise.all(tabs.map(({ opened }) => opened));
	await new Promise((done) => setTimeout(done, 1600));
	for (let number = 1; number <= 50; number++)
		await gateway.publish(channel, number);
	await until('most', () => tabs[1].log.messages.length >= 40);
	tabs[0].close();
	await until('all', () => tabs[1].log.messages.length >= 50);
	assert.deepEqual(tabs[1].data().sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i + 1));
	tabs[1].close();
	await obstacle.stop();
});

test('a publish that can never succeed is rejected by the tab itself, the others go through, whoever leads', async () => {
	const limited = class extends WebSocket { // its `open` tells a limit of our own
		set onmessage(take) {
			super.onmessage = ({ data }) => take({ data: !data.startsWith('{"type":"open"') ? data :
				data.replace(/}$/, ',"limits":{"message":1000,"channels":64}}') });
		}
	};
	const { channel, tabs } = openTabs(2, { WebSocket: limited });
	await Promise.all(tabs.map(({ opened }) => opened));
	const circular = {};
	circular.self = circular;
	for (const tab of tabs) {
		for (const data of [circular, 1n, undefined, () => 1, Symbol('x'), { toJSON() { throw new TypeError('no'); } }])
			await assert.rejects(tab.publish(channel, data), TypeError);
		await assert.rejects(tab.publish('no*name', 1), TypeError);
		await assert.rejects(tab.publish(channel, 'x'.repeat(999)), { name: 'PublishError', code: 'too_large' });
		assert.equal(typeof await tab.publish(channel, { left: () => 1, written: { toJSON: () => 'so' } }), 'string');
		assert.equal(typeof await tab.publish(channel, new Uint8Array([7])), 'string');
	}
	await until('four in each', () => tabs.every(({ log }) => log.messages.length === 4));
	for (const tab of tabs)
		assert.deepEqual(tab.data(), [{ written: 'so' }, new Uint8Array([7]), { written: 'so' }, new Uint8Array([7])]);
});

test('a publish that the gateway is too busy for: a follower hears not_published from its leader', async () => {
	const { channel, tabs: [leader, follower] } = openTabs(2, { transports: ['longpoll'], fetch: (url, init) =>
		!String(url).includes('/publish') ? fetch(url, init) : Promise.resolve(new Response(
			'{"error":{"code":"limit","message":"a table is full"}}', { status: 429, headers: { Sluice: '1', 'Retry-After': '200' } })) });
	await Promise.all([leader.opened, follower.opened]);
	for (const tab of [leader, follower])
		await assert.rejects(tab.publish(channel, 1), { code: 'not_published', message: /a table is full/ });
});

test('more channels than a connection may have, in all tabs: who asks for one too many hears it, the others live on', async () => {
	const { channel, tabs: [first, third, second] } = openTabs(3, {});
	await Promise.all([first, second, third].map(({ opened }) => opened));
	const of = (name, number) => Array.from({ length: number }, (_, i) => `${channel}.${name}.${i}`);
	first.subscribe(...of('first', 40));
	second.subscribe(...of('second', 20));
	let sent = 0;
	await until('both', async () => {
		await gateway.publish(`${channel}.first.39`, ++sent);
		await gateway.publish(`${channel}.second.19`, ++sent);
		return first.log.messages.length && second.log.messages.length;
	});
	third.subscribe(...of('third', 5));
	const { message } = await until('the error', () => third.log.errors.find(({ code }) => code === 'too_many_channels'));
	assert.match(message, /third\.3, .*third\.4$/);
	await gateway.publish(`${channel}.third.4`, 'not for us');
	for (const name of ['third.2', 'third.0', 'first.0', 'second.0'])
		await until(name, async () => {
			await gateway.publish(`${channel}.${name}`, name);
			return [first, second, third].some((tab) => tab.data().includes(name));
		});
	assert.deepEqual([first.log.errors, second.log.errors, third.log.errors.length], [[], [], 1]);
	first.unsubscribe(...of('first', 2));
	await until('the rest', async () => {
		await gateway.publish(`${channel}.third.4`, 'at last');
		return third.data().includes('at last');
	});
	assert.ok(!third.data().includes('not for us'));
	assert.throws(() => third.subscribe(...of('more', 64)), RangeError);
	first.close();
	await until('a new leader', async () => {
		await gateway.publish(`${channel}.third.3`, 'led anew');
		return third.data().includes('led anew');
	});
	assert.equal(third.log.errors.length, 1);
});

test('when the gateway allows fewer channels than the tabs want, one tab hears it, and a tab that catches up does not wait for them', async () => {
	const narrow = await new Gateway().start('--max-channels', '2');
	const shareKey = `narrow.${++count}`;
	const open = (channels, options) => listen(narrow.url, { share: true, shareKey, channels, ...options });
	const first = open([`${shareKey}.a`, `${shareKey}.b`]);
	try {
		await first.opened;
		const since = await narrow.publish(`${shareKey}.a`, 1);
		await narrow.publish(`${shareKey}.a`, 2);
		await until('both', () => first.log.messages.length === 2);
		let polls = 0;
		const second = open([`${shareKey}.a`, `${shareKey}.c`], { since, fetch: (url, init) => fetch(url, init, polls++) });
		try {
			await until('the error', () => second.log.errors.find(({ code }) => code === 'too_many_channels'));
			await narrow.publish(`${shareKey}.a`, 3);
			await until('all', () => second.log.messages.length === 2 && first.log.messages.length === 3);
			assert.deepEqual([first.data(), second.data()], [[1, 2, 3], [2, 3]]);
			await until('the end of its own polls', async () => {
				const before = polls;
				await new Promise((done) => setTimeout(done, 1000));
				return polls === before;
			});
		} finally {
			second.close();
		}
	} finally {
		first.close();
		await narrow.stop();
	}
});

/* ---- tokens ---- */

/** Tabs at a gateway that asks for tokens, each with a function of its own. */
async function atDoor(then) {
	const door = new Door();
	const guarded = await new Gateway().start(...door.options);
	door.open(guarded);
	const tabs = [];
	const backends = [];
	const channel = `door.${++count}`;
	const add = (backend, options) => {
		backends.push(backend);
		tabs.push(listen(guarded.url, { channels: [channel], share: true, token: backend, ...options }));
		return tabs.at(-1);
	};
	said.length = 0;
	try {
		await then({ door, tabs, add, channel });
		const text = said.join() + [...queues.keys()].join() + JSON.stringify(tabs.map(({ log }) => Object.values(log).flat().map((event) => ({ ...event }))));
		for (const token of backends.flatMap((backend) => backend.tokens ?? [backend]))
			for (const part of token.split('.').slice(1))
				assert.ok(!text.includes(part), 'nothing of a token is said');
		assert.doesNotMatch(text, /\bann\b/, 'nor whose it is');
	} finally {
		tabs.forEach((tab) => tab.close());
		await door.stop();
	}
}

test('the backend is away: all tabs hear it once, one that comes meanwhile too, and a new leader says nothing new', async () => {
	const slow = await new Gateway().start('--backend', 'slow');
	const control = (words) => fetch(`${slow.url}publish?channel=slow.control`,
		{ method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: words });
	const heard = [];
	const add = () => {
		const tab = listen(slow.url, { channels: ['a'], share: true, shareKey: 'backend' });
		const states = [];
		tab.addEventListener('backend', ({ state }) => states.push(state));
		heard.push(states);
		open.push(tab);
		return tab;
	};
	const all = (what, ...wanted) => until(what, () => heard.every((states) => states.join() === wanted.join()));
	try {
		const [leader] = [add(), add()];
		await Promise.all(open.map((tab) => tab.opened));
		await control('away');
		await all('away', 'away');
		await add().opened;
		await all('away for the one that came late', 'away');
		heard.shift();
		leader.close();
		await new Promise((done) => setTimeout(done, 1000));
		await control('back');
		await until('back', () => heard.every((states) => states.at(-1) === 'back'));
		for (const states of heard)
			assert.deepEqual(states.filter((state, i) => state !== states[i - 1]), states);
		assert.ok(heard.every(([first]) => first === 'away'));
	} finally {
		open.splice(0).forEach((tab) => tab.close());
		await slow.stop();
	}
});

test('tabs with tokens of one subject: one connection, and its leader alone renews, with nothing lost', () => atDoor(async ({ door, tabs, add, channel }) => {
	const backends = [1, 2, 3, 4].map(() => createBackend(6));
	backends.forEach((backend) => add(backend));
	await Promise.all(tabs.map(({ opened }) => opened));
	const stop = door.feed(channel);
	await until('three renewals', () => backends.some(({ asked }) => asked > 3));
	const sent = await stop();
	await until('the last', () => tabs.every((tab) => tab.data().at(-1) === sent));
	for (const tab of tabs)
		assert.deepEqual(tab.data(), numbers(sent, tab.data()[0]));
	assert.deepEqual(backends.map(({ asked }) => asked).sort((a, b) => a - b).slice(0, 3), [1, 1, 1]);
	assert.equal(await door.count('sluice_streams_expired_total'), 0);
}));

test('the token expires in mid-stream: all tabs get all, once', () => atDoor(async ({ door, tabs, add, channel }) => {
	const backends = [1, 2, 3].map(() => createBackend(5 - LEEWAY, 3600));
	backends.forEach((backend) => add(backend));
	await Promise.all(tabs.map(({ opened }) => opened));
	const stop = door.feed(channel);
	await until('the renewal', () => backends.some(({ asked }) => asked > 1));
	const length = tabs[2].data().length;
	await until('more', () => tabs[2].data().length > length + 20);
	const sent = await stop();
	await until('the last', () => tabs.every((tab) => tab.data().at(-1) === sent));
	for (const tab of tabs) {
		assert.deepEqual(tab.data(), numbers(sent, tab.data()[0]));
		assert.deepEqual(tab.log.gaps, []);
	}
}));

test('tabs of different subjects do not share; those with one shareKey do', () => atDoor(async ({ tabs, add }) => {
	const of = (sub) => createBackend(() => mint(3600, { sub }));
	for (const sub of ['one', 'two', 'one'])
		add(of(sub), { transports: ['websocket'] });
	await Promise.all(tabs.map(({ opened }) => opened));
	assert.equal(new Set(said.filter((text) => text.startsWith('sluice '))).size, 2);
	said.length = 0;
	const late = [of('three'), of('four')];
	const more = late.map((backend) => add(backend, { shareKey: 'both' }));
	await Promise.all(more.map(({ opened }) => opened));
	assert.equal(new Set(said.filter((text) => text.startsWith('sluice '))).size, 1);
	assert.deepEqual(late.map(({ asked }) => asked).sort(), [0, 1]);
}));

test('a leader whose token is refused is closed, and another leads with its own', () => atDoor(async ({ door, tabs, add, channel }) => {
	const short = createBackend(5 - LEEWAY, () => mint(3600, {}, 'a wrong key'));
	const first = add(short);
	await first.opened;
	const second = add(createBackend(3600));
	await second.opened;
	const stop = door.feed(channel);
	await until('the end of the first', () => first.state === 'closed');
	const { length } = second.data();
	await until('more', () => second.data().length > length + 20);
	const sent = await stop();
	await until('the last', () => second.data().at(-1) === sent);
	assert.deepEqual(second.data(), numbers(sent, second.data()[0]));
	assert.equal(first.log.errors.at(-1).code, 'unauthorized');
	assert.equal(short.asked, 2);
	assert.ok(!second.log.states.some(({ state }) => state === 'closed'));
}));

test('wrong tokens in all tabs end them all', () => atDoor(async ({ tabs, add }) => {
	for (let i = 0; i < 3; i++)
		add(createBackend(() => mint(3600, {}, 'a wrong key')));
	await until('the end', () => tabs.every(({ state }) => state === 'closed'));
	for (const { log } of tabs)
		assert.deepEqual(log.errors.filter(({ code }) => code === 'unauthorized').length, 1);
}));

test('a tab whose function fails at first joins the others later', () => atDoor(async ({ add, channel }) => {
	const [first, second] = [add(createBackend(3600)), add(createBackend(() => Promise.reject(new Error('down')), 3600))];
	const publishing = second.publish(channel, 'hello');
	await Promise.all([first.opened, second.opened]);
	assert.equal(typeof await publishing, 'string');
	await until('it', () => first.data().includes('hello'));
	assert.deepEqual(second.log.errors.map(({ code }) => code), ['no_token']);
}));
