// Tokens in the set-ups of doc/deploy.md: each way in passes the proxies, and nobody passes without.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { ask, receiveTwo, transports } from './clients.mjs';
import { hostName, Place, setups } from './setups.mjs';

const COOKIE = 'push_token';
const SECRET = randomBytes(48).toString('base64');
const token = mint({ subscribe: ['deploy.*'], publish: ['deploy.*'] });

/** Set-ups whose clients are users, and one that has its key in its configuration. */
const asked = {
	'TLS in the process': { config: 'tokens.json', socket: 'sluice-tls.socket', front: [], speaks: 'http/1.1' },
	...Object.fromEntries(Object.entries(setups).filter(([, { config }]) => config === 'proxy.json')),
};

function mint(rights) {
	const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
	const now = Math.floor(Date.now() / 1000);
	const signed = [{ alg: 'HS256' }, { sub: 'ann', iat: now, exp: now + 3600, sluice: rights }].map(encode).join('.');
	return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

for (const [name, setup] of Object.entries(asked))
	describe(`${name}, with tokens`, () => {
		/** @type {Place} */
		let place;

		before(async () => {
			place = new Place(setup);
			const key = place.write('token.key', `${SECRET}\n`);
			const isNamed = setup.config === 'tokens.json';
			await place.start(...isNamed ? [] : ['--token-key', key], '--token-cookie', COOKIE);
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

		if (setup.config === 'tokens.json')
			test('who scrapes the listener of the administrators does', async () => {
				const answer = await fetch(`http://127.0.0.1:${place.adminPort}/metrics`);
				assert.equal(answer.status, 200);
				assert.match(await answer.text(), /^sluice_principals_total\{/m);
				assert.equal((await fetch(`http://127.0.0.1:${place.adminPort}/poll?channels=a`)).status, 404);
			});
	});
