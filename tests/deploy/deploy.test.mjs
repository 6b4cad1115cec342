// Each set-up of doc/deploy.md: every transport passes, and the gateway knows whom it serves,
// whatever clients say of themselves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { ask, open, receiveTwo, transports } from './clients.mjs';
import { until } from './program.mjs';
import { hostName, Place, setups } from './setups.mjs';

const LIMIT = 4; // connections of an address

/** What a client writes that wants to be somebody else. */
const FORGERY = { 'X-Forwarded-For': '198.51.100.7', Forwarded: 'for=198.51.100.7;proto=http', 'X-Real-IP': '198.51.100.7',
	'X-Forwarded-Proto': 'http' };

for (const [name, setup] of Object.entries(setups))
	describe(name, () => {
		/** @type {Place} */
		let place;

		before(async () => {
			place = await new Place(setup).start('--max-connections-per-address', String(LIMIT));
		});

		after(() => place?.stop());

		Object.keys(transports).forEach((transport, i) => test(`${transport} passes, and live`, async () => {
			const got = await receiveTwo(place, { from: `127.0.0.${11 + i}` }, transport, `deploy.${transport}`);
			assert.deepEqual(got, [1, 2]);
		}));

		test(`a browser is offered ${setup.speaks}`, async () => {
			const socket = tls.connect({ host: '127.0.0.1', port: place.port, servername: hostName, ca: place.authority,
				ALPNProtocols: ['h2', 'http/1.1'] });
			await once(socket, 'secureConnect');
			assert.equal(socket.alpnProtocol, setup.speaks);
			socket.destroy();
		});

		test('the gateway counts the client\'s own address, whatever the client claims', async () => {
			await assertCounted(place, '127.0.0.21', {});
			await assertCounted(place, '127.0.0.22', FORGERY);
			for (const headers of [{}, FORGERY]) {
				const { text } = await ask(place, { from: '127.0.0.23', headers }, '/probe/head');
				const { client, secure } = JSON.parse(text);
				assert.deepEqual({ client, secure }, { client: '127.0.0.23', secure: true });
			}
			if (setup.tells)
				assert.ok(await readMetric(place, 'sluice_proxy_headers_total', setup.tells) > 0);
		});

		if (setup.front.includes('nginx'))
			test('nginx logs no token of a query', async () => {
				await ask(place, { from: '127.0.0.26' }, '/poll?channels=deploy.log&wait=0&token=not-for-a-log');
				const read = () => readFileSync(place.path('push.log'), 'utf8');
				await until(() => read().includes('127.0.0.26') ? '' : 'the request in the log');
				assert.match(read(), /^127\.0\.0\.26 .* "GET \/poll" 401 \d+$/m);
				assert.doesNotMatch(read(), /not-for-a-log/);
			});

		test('a client cannot begin with a PROXY header of its own, be it within TLS or before', async () => {
			const within = await sayProxy(place, true);
			assert.match(within, /^(HTTP\/1\.[01] 400 [^]*)?$/);
			assert.doesNotMatch(await sayProxy(place, false), /^HTTP\/1\.1 200/);
		});

		test('the gateway logs the client\'s own address, when it drains for example', async () => {
			const response = await open(place, { from: '127.0.0.25', headers: FORGERY }, '/stream?channels=deploy.log');
			place.gateway.kill('SIGTERM');
			const ended = /connection\.end transport=stream client=127\.0\.0\.25[: ].*reason=draining/;
			await until(() => ended.test(place.log) ? '' : `the client in the log: ${place.log}`);
			assert.doesNotMatch(place.log, /198\.51\.100\.7/);
			response.destroy();
		});
	});

/** A PROXY header and a request from one who asks to be taken for another.
 * @param {boolean} isWithin in the TLS session, else before it
 * @returns {Promise<string>} all that is answered to the request */
async function sayProxy(place, isWithin) {
	const header = 'PROXY TCP4 198.51.100.7 127.0.0.1 4711 443\r\n';
	const socket = net.connect({ port: place.port, host: '127.0.0.1', localAddress: '127.0.0.24' });
	await once(socket, 'connect');
	if (!isWithin)
		socket.write(header);
	const secure = tls.connect({ socket, servername: hostName, ca: place.authority });
	let said = '';
	secure.on('error', () => {}).on('data', (bytes) => { said += bytes; });
	socket.on('error', () => {});
	secure.write(`${isWithin ? header : ''}GET /probe/head HTTP/1.1\r\nHost: ${hostName}:${place.port}\r\nConnection: close\r\n\r\n`);
	await once(socket, 'close');
	return said;
}

/** The sum over what has `label`. */
async function readMetric(place, name, label) {
	const answer = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
	return (await answer.text()).split('\n').filter((line) => line.startsWith(name) && line.includes(label))
		.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Of a client that sends `headers`, as many streams as one address may have are served, and no more;
 * somebody else's is. */
async function assertCounted(place, from, headers) {
	const openStream = (address) => open(place, { from: address, headers }, '/stream?channels=deploy.limit');
	const streams = [];
	for (const address of [...Array(LIMIT + 1).fill(from), '127.0.0.29'])
		streams.push(await openStream(address));
	streams.forEach((response) => response.destroy());
	assert.deepEqual(streams.map(({ statusCode }) => statusCode), [...Array(LIMIT).fill(200), 429, 200]);
}
