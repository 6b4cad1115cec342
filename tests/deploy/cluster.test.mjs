// doc/cluster.md: three NATS servers with TLS and users, three gateways, nginx and haproxy without sticky sessions. Every
// transport passes; a gateway and the server that leads die, and nothing is lost or doubled.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, receiveTwo, transports } from './clients.mjs';
import { Cluster } from './cluster_place.mjs';
import { until } from './program.mjs';

const { SLUICE } = process.env;
const CHANNEL = 'deploy.cluster';
const NUMBERS = 30;
const PATIENCE_MS = 60000; // for what never comes

const told = spawnSync(SLUICE, ['--backend=nats', '--shards=0'], { encoding: 'utf8' });
const isBuilt = `${told.stdout}${told.stderr}`.includes('--shards');
const skip = process.env.SLUICE_REQUIRE_TOOLS || isBuilt ? false : 'the gateway was built without libnats';

/** @type {Cluster} */
let cluster;
let who;

before(async () => {
	if (skip)
		return;
	cluster = await new Cluster().start();
	const token = execFileSync(SLUICE, ['token', '--key', join(cluster.folder, 'token.key'), '--sub', 'ann', '--subscribe', 'deploy.*',
		'--publish', 'deploy.*', '--subscribe', 'test', '--publish', 'test', '--ttl', '1h'], { encoding: 'utf8' }).trim();
	who = { from: '127.0.0.1', headers: { Authorization: `Bearer ${token}` } };
});

after(() => cluster?.stop());

for (const front of ['haproxy', 'nginx'])
	for (const transport of Object.keys(transports))
		test(`${transport} passes ${front}, whichever gateway has it`, { skip }, async () => {
			await until(async () => (await ask(cluster.fronts[front], who, '/transports').catch(() => ({}))).status === 200 ? '' : front);
			assert.deepEqual(await receiveTwo(cluster.fronts[front], who, transport, `deploy.${front}.${transport}`), [1, 2]);
		});

test('the commands of the page show that each gateway reaches the bus and has each message', { skip }, async () => {
	const TOKEN = who.headers.Authorization.slice('Bearer '.length);
	const options = { method: 'POST', type: 'text/plain', body: 'hello' };
	const { status, text } = await ask(cluster.fronts.nginx, who, '/publish?channel=test', options);
	assert.equal(status, 200, text);
	const { id } = JSON.parse(text);
	for (const host of [1, 2, 3]) {
		assert.equal(cluster.type(/^curl .*readyz/, host), '{"status":"ready"}\n');
		assert.equal(cluster.type(/^curl .*metrics/, host), 'sluice_backend_connected 1\nsluice_backend_lag 0\n');
		await until(() => cluster.type(/^curl .*poll/, host, { TOKEN }).includes(`"id":"${id}","channel":"test"`) ? '' : `${id} at ${host}`);
	}
});

/** Published once, however often it is sent. */
async function publishSafely(front, number) {
	const options = { method: 'POST', type: 'application/json', body: JSON.stringify(number) };
	const keyed = { ...who, headers: { ...who.headers, 'Idempotency-Key': `cluster-number-${number}` } };
	await until(async () => {
		const answer = await ask(cluster.fronts[front], keyed, `/publish?channel=${CHANNEL}`, options).catch((error) => ({ text: error.message }));
		return answer.status === 200 ? '' : `number ${number} to be taken: ${answer.status} ${answer.text}`;
	});
}

/** Polls through both load balancers in turn, which ask the gateways in turn, until the last number came. */
async function readAll() {
	const got = [], until = Date.now() + PATIENCE_MS;
	const fronts = Object.values(cluster.fronts);
	let since = '0';
	for (let turn = 0; got.at(-1) !== NUMBERS && Date.now() < until; turn++) {
		const answer = await ask(fronts[turn % 2], who, `/poll?channels=${CHANNEL}&wait=0&since=${since}`).catch(() => ({}));
		if (answer.status !== 200)
			continue;
		const { cursor, messages, gaps } = JSON.parse(answer.text);
		got.push(...gaps, ...messages.map(({ data }) => data));
		since = cursor;
		await new Promise((done) => setTimeout(done, 20));
	}
	return got;
}

test('a gateway and the server that leads are killed while clients publish and poll: each number arrives once', { skip }, async () => {
	const reading = readAll();
	for (let number = 1; number <= NUMBERS; number++) {
		await publishSafely(number % 2 ? 'haproxy' : 'nginx', number);
		if (number === 10)
			cluster.gateways[0].kill();
		if (number === 20)
			cluster.servers[await cluster.findLeader()].kill();
	}
	assert.deepEqual(await reading, Array.from({ length: NUMBERS }, (_, i) => i + 1));
});

test('all gateways were asked', { skip }, async () => {
	for (const n of [1, 2]) {
		const { text } = await cluster.ask(n, '/metrics');
		const polls = /^sluice_connections_opened_total\{transport="poll"\} (\d+)$/m.exec(text);
		assert.ok(polls && Number(polls[1]) > 0, text);
	}
});

test('without a majority gateways are not ready, and haproxy still has what is kept', { skip }, async () => {
	cluster.servers.find((server) => !server.hasEnded).kill();
	for (const n of [1, 2])
		await until(async () => (await cluster.ask(n, '/readyz')).status === 503 ? '' : `gateway ${n} to be away`);
	const front = cluster.fronts.haproxy;
	await until(async () => {
		const answer = await ask(front, who, `/poll?channels=${CHANNEL}&wait=0&since=0`).catch(() => ({}));
		return answer.status === 200 && JSON.parse(answer.text).messages.length === NUMBERS ? '' : `history: ${answer.status} ${answer.text}`;
	});
});
