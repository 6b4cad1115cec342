// Connection state recovery: whoever was cut off gets what it missed, once and in order, and is told that it was
// recovered.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { sufferCuts } from './cuts.mjs';
import { Door } from './door.mjs';
import { Gateway } from './gateway.mjs';
import { NodePlace } from './places.mjs';
import { Reference } from './reference.mjs';
import { App, CHOICES, isFull, isWanted, newChannel, until } from './world.mjs';

// `make check-clients` has all of them.
const [CLIENTS, CUTS] = isFull ? [200, 5000] : [60, 500];
const OFFSET = /^[0-9a-f]{8}-\d+(\.[\w-]{4}\*)?$/;

/** A connection that can be cut. */
async function connect(server, place, namespace, options) {
	const door = await new Door(server.port).open();
	const app = await new App(place).connect(door.url + namespace, { query: { recovery: '1' }, ...options });
	return { door, app };
}

/** Cuts until the client has noticed, waits until it is back, and returns whether each of its connects was recovered. */
async function cut({ door, app }) {
	const before = (await app.find('disconnect')).length;
	await until('a connection destroyed, and the client has noticed', async () => {
		door.cut();
		return (await app.find('disconnect')).length > before;
	});
	await app.untilConnected((await app.find('connect')).length + Number(!(await app.getState()).connected));
	return (await app.find('connect')).map(({ recovered }) => recovered);
}

/** The numbers that came, each with an offset behind it. */
async function takeNumbers(app, count) {
	const events = await app.untilEvents(count);
	for (const [name, , offset, ...rest] of events) {
		assert.match(offset, OFFSET);
		assert.deepEqual([name, rest], ['n', []]);
	}
	return events.map(([, n]) => n);
}

function withServer(make, body) {
	const place = new NodePlace();
	const doors = [];
	let server;
	before(async () => { server = await make().start(); });
	beforeEach(() => place.close());
	after(async () => {
		await place.stop();
		await Promise.all(doors.map((door) => door.close()));
		await server?.stop();
	});
	const open = async (namespace, options) => {
		const both = await connect(server, place, namespace, options);
		doors.push(both.door);
		return both;
	};
	body(() => server, open);
}

if (isWanted('reference'))
	describe('reference', () => withServer(() => new Reference({ recovery: true }), (getServer, open) => {
		test('a client that has seen an event is recovered', async () => {
			const name = newChannel();
			const one = await open(`/${name}`, { transports: ['websocket'] });
			await getServer().publish(name, 1, { event: 'n' });
			await one.app.untilEvents(1);
			assert.deepEqual(await cut(one), [false, true]);
			await getServer().publish(name, 2, { event: 'n' });
			assert.deepEqual((await one.app.untilEvents(2)).map(([, n]) => n), [1, 2]);
		});

		test('one that has seen none is not: so these tests can fail', async () => {
			const one = await open(`/${newChannel()}`, { transports: ['websocket'] });
			assert.deepEqual(await cut(one), [false, false]);
		});
	}));

if (isWanted('sluice'))
	describe('sluice', () => withServer(() => new Gateway('--shards', '4'), (getServer, open) => {
		for (const [choice, transports] of Object.entries(CHOICES)) {
			const options = transports && { transports };
			const publish = (name, n) => getServer().publish(name, n, { event: 'n' });

			test(`${choice}: recovered before any event, and again`, async () => {
				const name = newChannel();
				const one = await open(`/${name}`, options);
				const { id } = await one.app.getState();
				assert.deepEqual(await cut(one), [false, true]);
				assert.deepEqual(await cut(one), [false, true, true]);
				assert.equal((await one.app.getState()).id, id);
				await publish(name, 1);
				assert.deepEqual(await takeNumbers(one.app, 1), [1]);
				assert.deepEqual(await cut(one), [false, true, true, true]);
				await publish(name, 2);
				assert.deepEqual(await takeNumbers(one.app, 2), [1, 2]);
			});

			test(`${choice}: what was published meanwhile arrives once, in each namespace`, async () => {
				const [red, blue] = [newChannel(), newChannel()];
				const one = await open(`/${red}`, options);
				const app = await new App(one.app.place).connect(one.door.url + `/${blue}`, { beside: one.app.name });
				await publish(red, 1);
				await takeNumbers(one.app, 1);
				for (let n = 2; n < 5; n++) {
					const before = (await one.app.find('connect')).length;
					const publishing = [publish(red, n), publish(blue, n)];
					one.door.cut(true);
					await Promise.all(publishing);
					await takeNumbers(one.app, n);
					await takeNumbers(app, n - 1);
					// In time or not: the cut may have hit a polling client between two requests.
					for (const { recovered } of (await one.app.find('connect')).slice(before))
						assert.equal(recovered, true);
				}
				await publish(red, 5);
				await publish(blue, 5);
				assert.deepEqual(await takeNumbers(one.app, 5), [1, 2, 3, 4, 5]);
				assert.deepEqual(await takeNumbers(app, 4), [2, 3, 4, 5]);
			});

			test(`${choice}: channels of query and auth are recovered too`, async () => {
				const [name, query, auth] = [newChannel(), newChannel(), newChannel()];
				const one = await open(`/${name}`, { ...options, query: { recovery: '1', channels: query }, auth: { channels: auth } });
				assert.deepEqual(await cut(one), [false, true]);
				for (const [n, channel] of [name, query, auth].entries())
					await publish(channel, n);
				assert.deepEqual(await takeNumbers(one.app, 3), [0, 1, 2]);
			});
		}

		test('a channel subscribed later is kept or the client is told that it was not recovered', async () => {
			const [name, later] = [newChannel(), newChannel()];
			const one = await open(`/${name}`, { transports: ['websocket'] });
			await one.app.ask('subscribe', later);
			await getServer().publish(name, 1, { event: 'n' });
			await until('the number', async () => (await one.app.getEvents()).some(([event]) => event === 'n'));
			const recovered = (await cut(one)).at(-1);
			await getServer().publish(later, 2, { event: 'n' });
			await getServer().publish(name, 3, { event: 'n' });
			await until('the last', async () => (await one.app.getEvents()).some(([event, n]) => event === 'n' && n === 3));
			const numbers = (await one.app.getEvents()).filter(([event]) => event === 'n').map(([, n]) => n);
			assert.deepEqual(numbers, recovered ? [1, 2, 3] : [1, 3]);
		});

		test('a replay of another channel, whose offsets are lower, that is cut short brings nothing twice', async () => {
			const [name, past] = [newChannel(), newChannel()];
			const { cursor } = await (await fetch(`${getServer().url}/poll?channels=${past}&wait=0`)).json();
			const all = Array.from({ length: 400 }, (_, n) => n);
			for (const n of all)
				await getServer().publish(past, { n, text: 'x'.repeat(2000) }, { event: 'past' });
			const { door, app } = await open(`/${newChannel()}`, { transports: ['websocket'] });
			const socket = io(`${door.url}/${name}`, { forceNew: true, transports: ['websocket'], query: { recovery: '1' },
				reconnectionDelay: 50, reconnectionDelayMax: 200 });
			const got = { n: [], past: [], connects: [] };
			socket.on('n', (n) => got.n.push(n)).on('past', ({ n }) => got.past.push(n));
			socket.on('connect', () => got.connects.push(Boolean(socket.recovered)));
			const connected = (times) => until(`${times} connects`, () => socket.connected && got.connects.length === times);
			try {
				await connected(1);
				for (let n = 1; n <= 3; n++)
					await getServer().publish(name, n, { event: 'n' });
				await until('three', () => got.n.length === 3);
				door.cut();
				await connected(2);
				socket.once('past', () => door.cut(true));
				socket.emit('subscribe', past, { since: cursor });
				await connected(3);
				await getServer().publish(name, 4, { event: 'n' });
				await until('the last, and the rest of the replay', () => got.n.includes(4) && got.past.includes(399));
				assert.deepEqual(got, { n: [1, 2, 3, 4], past: all, connects: [false, true, true] });
			} finally {
				socket.disconnect();
				await app.place.close();
			}
		});

		test('without recovery there is no offset, no pid, and nobody is recovered', async () => {
			const name = newChannel();
			const one = await open(`/${name}`, { transports: ['websocket'], query: {} });
			await getServer().publish(name, 1, { event: 'n' });
			assert.deepEqual(await one.app.untilEvents(1), [['n', 1]]);
			assert.ok((await cut(one)).every((recovered) => !recovered));
		});

		test('a pid that is not ours, or of another life of the bus, is a new start and no error', async () => {
			const name = newChannel();
			const one = await open(`/${name}`, { transports: ['polling'], auth: { pid: 'forged', offset: '00000000-1' } });
			assert.deepEqual((await one.app.find('connect')).map(({ recovered }) => recovered), [false]);
			await getServer().publish(name, 1, { event: 'n' });
			assert.deepEqual(await takeNumbers(one.app, 1), [1]);
		});
	}));

if (isWanted('sluice'))
	describe('sluice, history that no longer reaches', () => withServer(() => new Gateway('--history-messages', '10'), (getServer, open) => {
		test('the client is told that it was not recovered', async () => {
			const name = newChannel();
			const one = await open(`/${name}`, { transports: ['websocket'], reconnectionDelay: 1500, reconnectionDelayMax: 1500,
				randomizationFactor: 0 });
			await getServer().publish(name, 0, { event: 'n' });
			await one.app.untilEvents(1);
			one.door.cut();
			await until('the client has noticed', async () => !(await one.app.getState()).connected);
			for (let n = 1; n <= 20; n++)
				await getServer().publish(name, n, { event: 'n' });
			await one.app.untilConnected(2);
			assert.deepEqual((await one.app.find('connect')).map(({ recovered }) => recovered), [false, false]);
			await getServer().publish(name, 21, { event: 'n' });
			assert.equal((await takeNumbers(one.app, 2)).at(-1), 21);
		});
	}));

// A client whose WebSocket dies after its probe was answered, while polling is paused for it, says nothing more until
// its server's pings are overdue: so they come often here.
const PINGS = ['--engineio-ping-interval', '2', '--engineio-ping-timeout', '3'];

if (isWanted('sluice'))
	for (const shards of isFull ? ['1', '4'] : ['4'])
		describe(`sluice, ${shards} shards`, () => withServer(() => new Gateway('--shards', shards, ...PINGS), (getServer) => {
			test(`${CLIENTS} clients cut at random ${CUTS} times lose nothing, and are always recovered`, async (context) => {
				const found = await sufferCuts(getServer(), { clients: CLIENTS, cuts: CUTS });
				context.diagnostic(`${shards} shards: ${JSON.stringify(found)}`);
				assert.ok(found.cuts >= CUTS && found.drops > CUTS / 4, 'the clients were not cut');
				assert.ok(Object.values(found.cutsOf).every((n) => n > CUTS / 10), 'a transport was hardly cut');
				assert.ok(found.received > CLIENTS * 10, 'hardly anything was published');
				const { lost, doubled, disordered, foreign, notRecovered, badCursors } = found;
				assert.deepEqual({ lost, doubled, disordered, foreign, notRecovered, badCursors },
					{ lost: 0, doubled: 0, disordered: 0, foreign: 0, notRecovered: 0, badCursors: 0 });
			});
		}));
