// share: true, with the tabs of one origin as objects of one process: its BroadcastChannel is
// real, the lock manager is this one (Web Locks: one holder of a name, first come first served).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Gateway, listen, until } from './setup.mjs';

const queues = new Map();
const locks = {
	request(name, { signal }, hold) {
		const before = queues.get(name) ?? Promise.resolve();
		const mine = before.then(() => signal.aborted ? undefined : hold());
		queues.set(name, mine.catch(() => {}));
		return mine;
	},
};
Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });

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
		{ channels: [channel], share: true, token: channel, ...options }));
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

test('when the leader closes, another goes on within a second, nothing lost or doubled', async () => {
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
		const began = Date.now();
		await until('more', () => tabs[3].log.messages.length > length + 5);
		assert.ok(Date.now() - began < 1000, `${Date.now() - began} ms`);
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
	const late = listen(gateway.url, { channels: [channel], share: true, token: channel, since: first });
	open.push(late);
	await until('the history', () => late.log.messages.length >= 5);
	await leader.publish(channel, 6);
	await until('the next', () => late.log.messages.length >= 6);
	assert.deepEqual(late.data(), [1, 2, 3, 4, 5, 6]);
});
