// Pages of another origin, as browsers ask for them: credentials, headers that need a preflight, an origin that is not
// allowed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChromiumPlace } from './places.mjs';
import { App, CHOICES, defaultServers, inEachWorld, isWanted, newChannel, until } from './world.mjs';
import { Gateway } from './gateway.mjs';

inEachWorld({ servers: defaultServers(['--allow-credentials']), places: [ChromiumPlace] }, (world, title) => {
	for (const [choice, transports] of Object.entries(CHOICES))
		for (const [what, options] of Object.entries({
			'with credentials': { withCredentials: true },
			// Those of polling need a preflight; a page cannot set those of a WebSocket.
			'with headers of its own': { extraHeaders: { 'X-App-Version': '3' } },
		}))
			test(`${title}, ${choice}: a page ${what}`, async () => {
				const name = newChannel();
				const app = await world.connect(`/${name}`, { ...transports && { transports }, ...options });
				await app.emit('said', 1);
				assert.deepEqual(await app.untilEvents(1), [['said', 1]]);
			});
});

if (isWanted('sluice'))
	test('sluice: a page whose origin is not allowed gets nothing, over no transport', async () => {
		const server = await new Gateway().start();
		const place = await new ChromiumPlace().start();
		try {
			for (const transports of Object.values(CHOICES)) {
				const app = await new App(place).open(`${server.url}/${newChannel()}`, { ...transports && { transports } });
				await until('an error', async () => (await app.find('connect_error')).length > 1);
				assert.deepEqual(await app.find('connect'), []);
			}
		} finally {
			await place.stop();
			await server.stop();
		}
	});
