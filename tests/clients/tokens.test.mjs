// Tokens in the auth object: permission as everywhere.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Gateway } from './gateway.mjs';
import { ChromiumPlace, NodePlace } from './places.mjs';
import { App, CHOICES, isWanted, newChannel, until } from './world.mjs';

const KEY = randomBytes(48).toString('base64url');
const LEEWAY = 30; // s, after which a token that has expired counts no more
const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

/** @param {object} rights patterns @param {object} [claims] */
function mint({ subscribe = ['*'], publish = ['*'], admin }, { ttl = 3600, sub = 'ann', key = KEY } = {}) {
	const now = Math.floor(Date.now() / 1000);
	const text = [{ alg: 'HS256', typ: 'JWT' }, { sub, iat: Math.min(now, now + ttl), exp: now + ttl,
		sluice: { subscribe, publish, ...admin && { admin } } }].map(encode).join('.');
	return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

if (isWanted('sluice')) {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'));
	const operator = mint({ admin: true }, { sub: 'operator' });
	const places = [new NodePlace(), new ChromiumPlace()];
	let server;

	before(async () => {
		writeFileSync(join(folder, 'key'), KEY, { mode: 0o600 });
		await Promise.all(places.map((place) => place.start()));
		server = await new Gateway('--token-key', join(folder, 'key'), '--secret', join(folder, 'secret'), '--shards', '2',
			'--anonymous-subscribe', 'open.*', '--anonymous-publish', 'open.wall.*', '--client-publish', 'open.wall.*',
			'--allow-origin', places[1].origin).start();
	});

	beforeEach(() => Promise.all(places.map((place) => place.close())));

	after(async () => {
		await Promise.all(places.map((place) => place.stop()));
		await server?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	const publish = (channel, n) => server.publish(channel, n, { event: 'n', token: operator });
	const disconnect = (subject) => fetch(`${server.url}/admin/disconnect`, { method: 'POST', body: JSON.stringify({ subject }),
		headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${operator}` } });

	for (const place of places)
		for (const [choice, transports] of Object.entries(CHOICES)) {
			const open = (namespace, options) => new App(place).open(server.url + namespace, { ...transports && { transports }, ...options });
			const title = `${place.name}, ${choice}`;

			test(`${title}: a token in auth opens what it says and nothing else`, async () => {
				const name = newChannel();
				const token = mint({ subscribe: [`${name}.*`, name], publish: [name] });
				const app = await open(`/${name}`, { auth: { token, channels: [`${name}.more`] } });
				await app.untilConnected();
				await publish(name, 1);
				await publish(`${name}.more`, 2);
				assert.deepEqual(await app.untilEvents(2), [['n', 1], ['n', 2]]);
				const refused = await app.ask('subscribe', 'other');
				assert.deepEqual([Object.keys(refused), refused.error.code], [['error'], 'forbidden']);
				assert.equal((await app.ask('publish', `${name}.more`, 1)).error.code, 'forbidden');
				assert.match((await app.ask('publish', name, 3, 'n')).id, /-\d+$/);
				assert.match((await app.ask('relayed', 4)).id, /-\d+$/);
				assert.deepEqual(await app.untilEvents(4), [['n', 1], ['n', 2], ['n', 3], ['relayed', 4]]);
			});

			test(`${title}: without permission the connect is refused with a code, and the client is told why`, async () => {
				const name = newChannel();
				for (const [auth, code] of [
					[{}, 'unauthorized'],
					[{ token: 'nonsense' }, 'unauthorized'],
					[{ token: mint({}, { key: 'another key, of somebody else, long enough for it' }) }, 'unauthorized'],
					[{ token: mint({}, { ttl: -LEEWAY - 60 }) }, 'token_expired'],
					[{ token: mint({ subscribe: ['other'] }) }, 'forbidden'],
				]) {
					const app = await open(`/${name}`, { auth });
					await until('a refusal', async () => (await app.find('connect_error')).length > 0);
					const [{ message, data }] = await app.find('connect_error');
					assert.equal(data?.code, code, `${message} ${JSON.stringify(data)}`);
					assert.deepEqual(await app.find('connect'), []);
				}
			});

			test(`${title}: without a token the rules for anonymous clients count`, async () => {
				const name = `open.wall.${newChannel()}`;
				const [app, reader] = [await open(`/${name}`), await open(`/open.${newChannel()}`)];
				await app.untilConnected();
				await reader.untilConnected();
				assert.match((await app.ask('said', 1)).id, /-\d+$/);
				assert.deepEqual(await app.untilEvents(1), [['said', 1]]);
				assert.ok((await reader.ask('said', 1)).error, 'reading is allowed, publishing is not');
				assert.ok((await reader.ask('subscribe', 'secret')).error);
			});

			test(`${title}: a revoked subject is ended, and a new token lets it in again`, async () => {
				const [name, sub] = [newChannel(), `user-${newChannel()}`];
				const app = await open(`/${name}`, { auth: { token: mint({}, { sub }) }, reconnectionDelay: 1500, reconnectionDelayMax: 1500 });
				await app.untilConnected();
				await publish(name, 1);
				await app.untilEvents(1);
				assert.equal((await disconnect(sub)).status, 200);
				await until('the end', async () => (await app.find('disconnect')).length > 0);
				await publish(name, 2);
				await until('a refusal', async () => (await app.find('connect_error')).length > 0);
				assert.deepEqual(await app.getEvents(), [['n', 1]]);
			});
		}

	test('a token that expires ends the connection, and the client comes back with the next one', async () => {
		const name = newChannel();
		for (const transports of Object.values(CHOICES)) {
			const app = await new App(places[0]).open(`${server.url}/${name}`, { ...transports && { transports },
				auth: { token: mint({}, { ttl: 2 - LEEWAY }) }, authLater: { token: mint({}) } });
			await app.untilConnected(2);
			await publish(name, 1);
			assert.deepEqual(await app.untilEvents(1), [['n', 1]]);
			await app.place.disconnect(app.name);
		}
	});

	test('the token of a second namespace must be of the same subject', async () => {
		const [one, other] = [newChannel(), newChannel()];
		const first = await new App(places[0]).open(`${server.url}/${one}`, { auth: { token: mint({}) } });
		await first.untilConnected();
		const second = await new App(places[0]).open(`${server.url}/${other}`, { beside: first.name, auth: { token: mint({}, { sub: 'bob' }) } });
		await until('a refusal', async () => (await second.find('connect_error')).length > 0);
		await publish(one, 1);
		assert.deepEqual(await first.untilEvents(1), [['n', 1]]);
	});

	test('a token in the request counts too: a header, the query', async () => {
		const name = newChannel();
		const token = mint({ subscribe: [name], publish: [] });
		for (const options of [{ extraHeaders: { Authorization: `Bearer ${token}` } }, { query: { token } }]) {
			const app = await new App(places[0]).open(`${server.url}/${name}`, options);
			await app.untilConnected();
			assert.equal((await app.ask('publish', name, 1)).error.code, 'forbidden');
		}
	});
}
