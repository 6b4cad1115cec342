// What an app asks for over the client: channels, publishing, acks, namespaces.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHOICES, assertObject, inEachWorld, newChannel } from './world.mjs';

const CURSOR = /^[0-9a-f]{8}-\d+$/;

inEachWorld({}, (world, title) => {
	for (const [choice, transports] of Object.entries(CHOICES)) {
		const open = (namespace, options) => world.connect(namespace, { ...transports && { transports }, ...options });

		test(`${title}, ${choice}: subscribe and unsubscribe are acknowledged and count from then on`, async () => {
			const [one, two, three] = [newChannel(), newChannel(), newChannel()];
			const app = await open('/');
			const answer = await app.ask('subscribe', one);
			assert.deepEqual([Object.keys(answer), answer.channels], [['channels', 'cursor'], [one]]);
			assert.match(answer.cursor, CURSOR);
			assert.deepEqual((await app.ask('subscribe', [two, three])).channels, [two, three]);
			await world.server.publish(one, 1, { event: 'n' });
			await world.server.publish(two, 2, { event: 'n' });
			await app.untilEvents(2);
			assert.deepEqual((await app.ask('unsubscribe', [one, three])).channels, [one, three]);
			await world.server.publish(one, 3, { event: 'n' });
			await world.server.publish(three, 4, { event: 'n' });
			await world.server.publish(two, 5, { event: 'n' });
			assert.deepEqual(await app.untilEvents(3), [['n', 1], ['n', 2], ['n', 5]]);
		});

		test(`${title}, ${choice}: what an app publishes is acknowledged with its id and reaches all`, async () => {
			const channel = newChannel();
			const [app, other] = [await open('/', { query: { channels: channel } }), await open('/', { auth: { channels: [channel] } })];
			assert.match((await app.ask('publish', channel, { n: 1 }, 'named')).id, CURSOR);
			assert.match((await app.ask('publish', channel, 'unnamed')).id, CURSOR);
			await app.emit('publish', channel, 3, 'without an ack');
			for (const one of [app, other]) {
				const [first, second, third] = await one.untilEvents(3);
				assert.deepEqual([first, third], [['named', { n: 1 }], ['without an ack', 3]]);
				assertObject(second, channel, { data: 'unnamed' });
			}
		});

		test(`${title}, ${choice}: a channel by auth, one by query, several with commas`, async () => {
			const [one, two, three] = [newChannel(), newChannel(), newChannel()];
			const app = await open('/', { query: { channels: `${one},${two}` }, auth: { channels: three } });
			for (const [n, channel] of [one, two, three].entries())
				await world.server.publish(channel, n, { event: 'n' });
			assert.deepEqual(await app.untilEvents(3), [['n', 0], ['n', 1], ['n', 2]]);
		});

		test(`${title}, ${choice}: an event goes to the channel of its namespace, and its ack has the id`, async () => {
			const [name, elsewhere] = [newChannel(), newChannel()];
			const [app, other] = [await open(`/${name}`), await open(`/${name}`)];
			const stranger = await open(`/${elsewhere}`);
			assert.match((await app.ask('chat message', 'hello')).id, CURSOR);
			await app.emit('several', 1, { two: [2] }, null);
			await app.emit('none');
			const wanted = [['chat message', 'hello'], ['several', 1, { two: [2] }, null], ['none']];
			assert.deepEqual(await other.untilEvents(3), wanted);
			assert.deepEqual(await app.untilEvents(3), wanted);
			await world.server.publish(elsewhere, 1, { event: 'only this' });
			assert.deepEqual(await stranger.untilEvents(1), [['only this', 1]]);
		});

		test(`${title}, ${choice}: many events of one client arrive once, in its order, each acknowledged`, async () => {
			const name = newChannel();
			const [app, other] = [await open(`/${name}`), await open(`/${name}`)];
			const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => app.ask('n', n)));
			assert.equal(new Set(answers.map(({ id }) => id)).size, 50);
			assert.deepEqual(await other.untilEvents(50), Array.from({ length: 50 }, (_, n) => ['n', n]));
		});

		test(`${title}, ${choice}: namespaces share a connection and keep their events apart`, async () => {
			const [red, blue] = [newChannel(), newChannel()];
			const first = await open(`/${red}`);
			const second = await open(`/${blue}`, { beside: first.name });
			assert.notEqual((await first.getState()).id, (await second.getState()).id);
			await world.server.publish(red, 1, { event: 'n' });
			await world.server.publish(blue, 2, { event: 'n' });
			await second.emit('mine', 3);
			assert.deepEqual(await second.untilEvents(2), [['n', 2], ['mine', 3]]);
			assert.deepEqual(await first.untilEvents(1), [['n', 1]]);
		});

		test(`${title}, ${choice}: a channel in two namespaces comes once in each`, async () => {
			const [red, blue, shared] = [newChannel(), newChannel(), newChannel()];
			const first = await open(`/${red}`);
			const second = await open(`/${blue}`, { beside: first.name, auth: { channels: [shared] } });
			await first.ask('subscribe', shared);
			await first.ask('subscribe', shared); // again: no message comes twice
			await world.server.publish(shared, 1, { event: 'n' });
			await second.untilEvents(1);
			await second.ask('unsubscribe', shared);
			await world.server.publish(shared, 2, { event: 'n' });
			await world.server.publish(blue, 3, { event: 'n' });
			assert.deepEqual(await second.untilEvents(2), [['n', 1], ['n', 3]]);
			assert.deepEqual(await first.untilEvents(2), [['n', 1], ['n', 2]]);
		});

		test(`${title}, ${choice}: a namespace that is left says nothing more, the others go on, and it can be had again`, async () => {
			const [red, blue] = [newChannel(), newChannel()];
			const first = await open(`/${red}`);
			const second = await open(`/${blue}`, { beside: first.name });
			await world.place.disconnect(first.name);
			await world.server.publish(red, 1, { event: 'n' });
			await world.server.publish(blue, 2, { event: 'n' });
			assert.deepEqual(await second.untilEvents(1), [['n', 2]]);
			await world.place.connect(first.name);
			await first.untilConnected(2);
			await world.server.publish(red, 3, { event: 'n' });
			assert.deepEqual(await first.untilEvents(1), [['n', 3]]);
			assert.deepEqual((await first.find('disconnect')).map(({ reason }) => reason), ['io client disconnect']);
			assert.deepEqual(await second.find('disconnect'), []);
		});
	}
});
