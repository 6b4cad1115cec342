// The browser client over https: and wss: through each set-up: Chromium, under the public name, trusting
// nothing but these set-ups' own keys.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { transports } from './clients.mjs';
import { hostName, Place, setups } from './setups.mjs';

const wanted = [...Object.keys(transports), 'automatic'];
/** @type {Map<string, Place>} */
const places = new Map();
let browser;

/** As Chromium names a key. @param {Place} place */
function nameKey(place) {
	const { publicKey } = new X509Certificate(readFileSync(place.path('live/fullchain.pem')));
	return createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
}

before(async () => {
	for (const [name, setup] of Object.entries(setups))
		places.set(name, await new Place(setup).start());
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--headless',
		'--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
		`--host-resolver-rules=MAP ${hostName} 127.0.0.1`,
		`--ignore-certificate-errors-spki-list=${[...places.values()].map(nameKey)}`] });
});

after(async () => {
	await browser?.close();
	await Promise.all([...places.values()].map((place) => place.stop()));
});

/** Runs in the page: a client for each of the names listens and publishes three numbers to a channel of
 * its own. */
async function useClients(names) {
	const { Sluice } = await import('/client/sluice.js');
	const use = async (name) => {
		const sluice = new Sluice('/', { channels: [`browser.${name}`], ...name === 'automatic' ? {} : { transports: [name] } });
		const data = [];
		const errors = [];
		sluice.addEventListener('error', ({ message }) => errors.push(message));
		const done = new Promise((resolve) => sluice.addEventListener('message', (event) => data.push(event.data) === 3 && resolve()));
		await new Promise((resolve) => sluice.addEventListener('open', resolve, { once: true }));
		for (const number of [1, 2, 3])
			await sluice.publish(`browser.${name}`, number);
		await done;
		sluice.close();
		return [name, { data, errors, transport: sluice.transport }];
	};
	const limit = new Promise((resolve, reject) => setTimeout(reject, 60000, new Error('no message')));
	return Promise.race([limit, Promise.all(names.map(use)).then(Object.fromEntries)]);
}

describe('the browser client', { concurrency: 2 }, () => {
	for (const name of Object.keys(setups))
		test(`${name}: every transport, and the client that chooses settles on websocket`, async () => {
			const page = await browser.newPage();
			const sockets = [];
			page.on('websocket', (socket) => sockets.push(new URL(socket.url()).origin));
			await page.goto(`${places.get(name).origin}/healthz`);
			const seen = await page.evaluate(useClients, wanted);
			for (const transport of wanted)
				assert.deepEqual(seen[transport].data, [1, 2, 3], `${transport}: ${seen[transport].errors}`);
			assert.deepEqual(sockets.filter((origin) => origin !== places.get(name).origin.replace('https:', 'wss:')), []);
			assert.ok(sockets.length >= 2);
			await page.close();
		});
});
