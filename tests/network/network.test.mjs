// The client across a network that fails in ways that no program on the way shows: packets
// vanish, addresses change, and nobody says so. Needs root and Linux's namespaces.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findWhyNot } from './network.mjs';
import { startProxy, names } from './proxies.mjs';
import { World, sleep, until } from './world.mjs';

const whyNot = findWhyNot();
const skip = process.env.SLUICE_REQUIRE_TOOLS ? false : whyNot;
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

/** @param {string} name @param {(world: World, t: import('node:test').TestContext) => Promise<void>} body */
function testInWorld(name, body) {
	test(name, { skip }, async (t) => {
		assert.equal(whyNot, '');
		const world = new World();
		try {
			await body(world, t);
			await world.check();
			t.diagnostic(`${world.published} messages to each client; ${[...world.clients.logs].map(([who, { published, moves }]) =>
				`${who}: ${published} published, ${moves.map(({ to }) => to).join(' ')}`).join('; ')}`);
		} finally {
			await world.finish();
		}
	});
}

/** Whom the gateway sees when a client claims another address. */
function askForClient(network) {
	const forged = ['X-Forwarded-For: 198.51.100.7', 'Forwarded: for=198.51.100.7'].flatMap((line) => ['-H', line]);
	return JSON.parse(network.run('client', 'curl', '-sS', ...forged, `http://${network.gatewayAddress}/probe/head`)).client;
}

describe('a client and a gateway with a router between', { concurrency: true }, () => {
	testInWorld('a path that swallows everything for 40 s: the clients carry on behind it', async (world, t) => {
		await world.start();
		await world.startPublishing();
		world.network.cut();
		await sleep(1000);
		const counts = () => [...world.clients.logs.values()].map(({ received, published }) => [received.length, published]);
		const before = counts();
		await sleep(39000);
		assert.deepEqual(counts(), before, 'something came through');
		assert.ok(world.network.dropped > 0);
		world.network.mend();
		const mended = Date.now();
		await world.untilAll('messages after the hole', 60000);
		t.diagnostic(`all again ${Date.now() - mended} ms after the path was mended`);
	});

	testInWorld('the client\'s address changes: the clients carry on at the new one, the gateway forgets the old', async (world, t) => {
		await world.start({ heartbeat: 4 });
		await world.startPublishing();
		const old = world.network.clientAddress;
		assert.ok(world.network.peers.includes(old));
		const connections = await world.gateway.countConnections();
		world.network.move();
		const moved = Date.now();
		await world.untilAll('messages at the new address', 60000);
		t.diagnostic(`all again ${Date.now() - moved} ms after the move`);
		assert.ok(world.network.peers.includes(world.network.clientAddress));
		await until(async () => {
			const left = world.network.peers.filter((peer) => peer === old).length;
			const now = await world.gateway.countConnections();
			return (left || now > connections) && `${left} connections of the old address, ${now} served where ${connections} were`;
		}, 60000);
		t.diagnostic(`the gateway has forgotten the old address ${Date.now() - moved} ms after the move`);
	});

	testInWorld('5 % of the packets get lost, both ways, from the start', async (world, t) => {
		world.network.lose(5);
		await world.start();
		await world.startPublishing();
		await sleep(25000);
		t.diagnostic(`${world.network.dropped} packets dropped`);
		assert.ok(world.network.dropped > 20);
		await world.untilAll('messages in spite of it', 60000);
	});

	for (const name of names)
		testInWorld(`${name} configured as the document says passes everything, and 65 s of silence`, async (world) => {
			const { network } = world;
			await world.gateway.start(network, '127.0.0.1:8080', '--public-origin', `http://${network.gatewayAddress}`,
				'--trust-proxy', '127.0.0.1');
			const proxy = startProxy(network, name);
			world.removeFiles = proxy.removeFiles;
			await until(() => network.isListening(80) ? '' : `${name} to listen; it said: ${proxy.said}`, 20000);
			assert.equal(askForClient(network), network.clientAddress);
			world.startClients(`http://${network.gatewayAddress}/`, { heartbeat: 60, hold: 55, numbers: 3 });
			await world.untilPublished(20000);
			await world.publish();
			await world.untilReceived(5000);
			const losses = () => [...world.clients.logs.values()].flatMap((log) => log.losses);
			const before = losses(); // a busy machine may be too slow for a first attempt
			await sleep(65000);
			assert.deepEqual(losses(), before);
			await world.publish();
			await world.untilReceived(5000);
			assert.deepEqual(world.clients.namesOf(({ moves }) => moves.at(-1).to === 'websocket'), 'automatic,listener,websocket');
		});
});
