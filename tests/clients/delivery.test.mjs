// What curl publishes reaches an unmodified socket.io-client over whatever it chooses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pack } from './player.mjs';
import { CHOICES, assertObject, inEachWorld, newChannel } from './world.mjs';

const BYTES = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

inEachWorld({}, (world, title) => {
	for (const [choice, transports] of Object.entries(CHOICES)) {
		const open = (namespace, options) => world.connect(namespace, { ...transports && { transports }, ...options });

		test(`${title}, ${choice}: what curl publishes arrives under its event name`, async () => {
			const channel = newChannel();
			const app = await open('/', { query: { channels: channel } });
			await world.server.publish(channel, { price: 12.5, of: ['a', null, true] }, { event: 'price' });
			await world.server.publish(channel, 'Grüße 🌊 "quoted" \\ \n', { event: 'a name, with: signs/🎈' });
			await world.server.publish(channel, 7, { event: 'price' });
			await world.server.publish(channel, [1, { two: 2 }, 'three'], { event: 'several', args: 'list' });
			await world.server.publish(channel, [], { event: 'none', args: 'list' });
			await world.server.publish(channel, [1, 2], { event: 'one list' });
			assert.deepEqual(await app.untilEvents(6), [
				['price', { price: 12.5, of: ['a', null, true] }],
				['a name, with: signs/🎈', 'Grüße 🌊 "quoted" \\ \n'],
				['price', 7],
				['several', 1, { two: 2 }, 'three'],
				['none'],
				['one list', [1, 2]],
			]);
		});

		test(`${title}, ${choice}: a message without an event name arrives whole`, async () => {
			const channel = newChannel();
			const app = await open('/', { query: { channels: channel } });
			await world.server.publish(channel, { n: 1 });
			await world.server.publish(channel, 'text');
			const [first, second] = await app.untilEvents(2);
			assertObject(first, channel, { data: { n: 1 } });
			assertObject(second, channel, { data: 'text' });
		});

		test(`${title}, ${choice}: many messages arrive once and in order`, async () => {
			const channel = newChannel();
			const app = await open('/', { query: { channels: channel } });
			const wanted = Array.from({ length: 200 }, (_, n) => ['n', n]);
			for (const [event, n] of wanted)
				await world.server.publish(channel, n, { event });
			assert.deepEqual(await app.untilEvents(200), wanted);
		});

		test(`${title}, ${choice}: binary goes both ways`, async () => {
			const name = newChannel();
			const [one, other] = [await open(`/${name}`), await open(`/${name}`)];
			await world.server.publish(name, BYTES, { event: 'bytes' });
			await one.untilEvents(1);
			await other.untilEvents(1);
			await one.emit('upload', BYTES, { nested: [BYTES.subarray(0, 3), 'text'] }, BYTES.subarray(0, 0));
			const wanted = [['bytes', pack(BYTES)],
				['upload', pack(BYTES), { nested: [pack(BYTES.subarray(0, 3)), 'text'] }, pack(BYTES.subarray(0, 0))]];
			assert.deepEqual(await other.untilEvents(2), wanted);
			assert.deepEqual(await one.untilEvents(2), wanted);
		});

		test(`${title}, ${choice}: a large message arrives whole`, async () => {
			const channel = newChannel();
			const app = await open('/', { query: { channels: channel } });
			const text = 'é'.repeat(30000);
			await world.server.publish(channel, text, { event: 'large' });
			assert.deepEqual(await app.untilEvents(1), [['large', text]]);
		});
	}
});
