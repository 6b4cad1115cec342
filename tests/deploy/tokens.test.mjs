// Tokens in the set-ups of doc/deploy.md: each way in passes the proxies, and nobody passes without.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { ask, receiveTwo, transports } from './clients.mjs';
import { hostName, Place, setups } from './setups.mjs';

const COOKIE = 'push_token';
/** Each configuration, and each proxy that reads requests. */
const asked = Object.fromEntries(Object.entries(setups).filter(([name]) => name !== 'a TLS relay')
	.map(([name, setup]) => [name, { ...setup, asksAll: true }]));

test('no configuration of the page serves users without a token', () => {
	const folder = join(process.env.SLUICE_DOC, 'deploy');
	const configs = readdirSync(folder).filter((name) => name.endsWith('.json'));
	assert.ok(configs.length >= 5);
	for (const name of configs) {
		const config = JSON.parse(readFileSync(join(folder, name), 'utf8'));
		assert.equal(config['token-key'], '/etc/sluice/token.key', name);
		assert.deepEqual(Object.keys(config).filter((key) => key.includes('anonymous')), [], name);
	}
});

function mint(secret, rights) {
	const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
	const now = Math.floor(Date.now() / 1000);
	const signed = [{ alg: 'HS256' }, { sub: 'ann', iat: now, exp: now + 3600, sluice: rights }].map(encode).join('.');
	return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

for (const [name, setup] of Object.entries(asked))
	describe(`${name}, with tokens`, () => {
		/** @type {Place} */
		let place;
		let token;

		before(async () => {
			place = await new Place(setup).start('--token-cookie', COOKIE);
			token = mint(place.secret, { subscribe: ['deploy.*'], publish: ['deploy.*'] });
		});

		after(() => place?.stop());

		const poll = (headers, more = '') => ask(place, { from: '127.0.0.31', headers },
			`/poll?channels=deploy.tokens&wait=0${more}`);

		for (const transport of Object.keys(transports))
			test(`Authorization passes, on ${transport}`, async () => {
				const who = { from: '127.0.0.32', headers: { Authorization: `Bearer ${token}` } };
				assert.deepEqual(await receiveTwo(place, who, transport, `deploy.${transport}`), [1, 2]);
			});

		test('without a token nobody is served, nor with a changed one', async () => {
			assert.equal((await poll({})).status, 401);
			assert.equal((await poll({ Authorization: `Bearer ${token}x` })).status, 401);
		});

		test('a cookie and the query pass', async () => {
			assert.equal((await poll({ Cookie: `a=b; ${COOKIE}=${token}` })).status, 200);
			assert.equal((await poll({}, `&token=${token}`)).status, 200);
		});

		test('the list of subprotocols passes, and none with a token comes back', async () => {
			const socket = new WebSocket(`wss://127.0.0.1:${place.port}/ws?channels=deploy.tokens`,
				['sluice.v1', `bearer.${token}`], { ca: place.authority, servername: hostName,
					headers: { Host: `${hostName}:${place.port}` } });
			await once(socket, 'open');
			assert.equal(socket.protocol, 'sluice.v1');
			socket.terminate();
		});

		test('no user reads the metrics', async () => {
			const { status } = await ask(place, { from: '127.0.0.33', headers: { Authorization: `Bearer ${token}` } }, '/metrics');
			assert.equal(status, 403);
		});

		test('Prometheus reads the metrics at the listener of the administrators', async () => {
			const answer = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
			assert.equal(answer.status, 200);
			assert.match(await answer.text(), /^sluice_principals_total\{/m);
			assert.equal((await fetch(`http://127.0.0.1:${place.adminPort}/poll?channels=a`)).status, 404);
		});
	});
