// No sticky sessions: four shards, and each request of a client is a TCP connection of its own, so that it reaches
// whichever shard the system chooses.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { Gateway } from './gateway.mjs';
import { NodePlace } from './places.mjs';
import { CHOICES, inEachWorld, newChannel } from './world.mjs';

const APPS = 12;
const COUNT = 40;

inEachWorld({ servers: { sluice: () => new Gateway('--shards', '4') }, places: [NodePlace] }, (world, title) => {
	for (const [choice, transports] of Object.entries(CHOICES))
		test(`${title}, four shards, ${choice}: a new connection for each request, and no session is unknown`, async () => {
			const name = newChannel();
			const before = await world.server.getMetrics();
			// What engine.io-client does in Node by itself: agent false, and Connection: close.
			const apps = await Promise.all(Array.from({ length: APPS }, () =>
				world.connect(`/${name}`, { ...transports && { transports }, agent: false })));
			for (let n = 0; n < COUNT; n++) {
				await world.server.publish(name, n, { event: 'n' });
				await apps[n % APPS].emit('said', n);
			}
			for (const app of apps) {
				const events = await app.untilEvents(2 * COUNT);
				const of = (wanted) => events.filter(([event]) => event === wanted).map(([, n]) => n);
				const numbers = Array.from({ length: COUNT }, (_, n) => n);
				assert.deepEqual([of('n'), of('said').sort((a, b) => a - b)], [numbers, numbers]);
				assert.deepEqual([await app.find('disconnect'), await app.find('connect_error')], [[], []]);
			}
			const after = await world.server.getMetrics();
			const more = (metric) => after.get(metric) - before.get(metric);
			assert.equal(more('sluice_session_requests_unknown_total'), 0);
			if (choice !== 'websocket')
				assert.ok(more('sluice_session_requests_forwarded_total') > 0, 'no request came to another shard');
		});

	test(`${title}, four shards: requests by hand, each on a connection of its own, find their session`, async () => {
		const ask = (path, body) => new Promise((resolve, reject) => {
			const request = http.request(`${world.server.url}${path}`, { agent: false, method: body ? 'POST' : 'GET',
				headers: { Connection: 'close', ...body && { 'Content-Type': 'text/plain;charset=UTF-8' } } }, (response) => {
				let text = '';
				response.setEncoding('utf8').on('data', (piece) => text += piece);
				response.on('end', () => resolve({ status: response.statusCode, text }));
			});
			request.on('error', reject).end(body);
		});
		for (let n = 0; n < 20; n++) {
			const { text } = await ask('/engine.io/?EIO=4&transport=polling');
			const { sid } = JSON.parse(text.slice(1));
			const path = `/engine.io/?EIO=4&transport=polling&sid=${sid}`;
			assert.deepEqual(await ask(path, '4hello'), { status: 200, text: 'ok' });
			assert.deepEqual(await ask(path), { status: 200, text: '4hello' });
			assert.deepEqual(await ask(path, '1'), { status: 200, text: 'ok' });
			// A GET that was sent before the end and is late gets a noop, as if it had been held.
			const [first, second] = [await ask(path), await ask(path)];
			const gone = first.text === '6' ? second : first;
			assert.deepEqual([gone.status, JSON.parse(gone.text)], [400, { code: 1, message: 'Session ID unknown' }]);
		}
	});
});
