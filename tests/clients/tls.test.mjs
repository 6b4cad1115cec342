// Over TLS, in Node and in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import https from 'node:https';
import { Gateway } from './gateway.mjs';
import { ChromiumPlace, NodePlace } from './places.mjs';
import { App, CHOICES, isWanted, newChannel } from './world.mjs';

if (isWanted('sluice')) {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
	const file = (name) => join(folder, name);
	const places = [new NodePlace(), new ChromiumPlace({ ignoreHTTPSErrors: true }, '--ignore-certificate-errors')];
	let server, ca;

	before(async () => {
		execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
			'-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file('key'), '-out', file('cert')], { stdio: 'ignore' });
		ca = readFileSync(file('cert'));
		await Promise.all(places.map((place) => place.start()));
		server = await new Gateway('--tls-listen', '127.0.0.1:0', '--tls-cert', file('cert'), '--tls-key', file('key'), '--shards', '4',
			'--allow-origin', places[1].origin).start();
		assert.match(server.url, /^https:/);
	});

	beforeEach(() => Promise.all(places.map((place) => place.close())));

	after(async () => {
		await Promise.all(places.map((place) => place.stop()));
		await server?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	const publish = (channel, n) => new Promise((resolve, reject) => {
		const request = https.request(`${server.url}/publish?channel=${channel}&event=n`, { method: 'POST', ca, agent: false,
			headers: { 'Content-Type': 'application/json' } }, (response) => response.resume().on('end', () => resolve(response.statusCode)));
		request.on('error', reject).end(JSON.stringify(n));
	});

	for (const place of places)
		for (const [choice, transports] of Object.entries(CHOICES))
			test(`${place.name}, ${choice}, over TLS: what curl publishes arrives, what the app says too`, async () => {
				const name = newChannel();
				const app = await new App(place).connect(`${server.url}/${name}`, { ...transports && { transports },
					...place.name === 'node' && { ca: [ca.toString()] } });
				const wanted = Array.from({ length: 30 }, (_, n) => ['n', n]);
				for (const [, n] of wanted)
					assert.equal(await publish(name, n), 200);
				await app.emit('said', Buffer.from([1, 2, 3]));
				assert.deepEqual(await app.untilEvents(31), [...wanted, ['said', { $base64: 'AQID' }]]);
				assert.deepEqual(await app.find('disconnect'), []);
			});
}
