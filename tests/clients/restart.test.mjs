// The server drains, restarts, dies: clients come back by themselves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Gateway } from './gateway.mjs';
import { NodePlace } from './places.mjs';
import { Reference } from './reference.mjs';
import { App, CHOICES, isWanted, newChannel, until } from './world.mjs';

const ENDS = { reference: ['SIGTERM'], sluice: ['SIGTERM', 'SIGKILL'] };

for (const [name, make] of Object.entries({
	reference: () => new Reference(),
	sluice: () => new Gateway('--shards', '2'),
}).filter(([one]) => isWanted(one))) {
	let server, place;

	before(async () => {
		server = await make().start();
		place = await new NodePlace().start();
	});

	after(async () => {
		await place?.stop();
		await server?.stop();
	});

	for (const signal of ENDS[name])
		test(`${name}: after ${signal} and a new start each client is back, and gets what is published then`, async () => {
			const channel = newChannel();
			const apps = await Promise.all(Object.values(CHOICES).map((transports) =>
				new App(place).connect(`${server.url}/${channel}`, { ...transports && { transports } })));
			await server.publish(channel, 1, { event: 'n' });
			for (const app of apps)
				await app.untilEvents(1);
			await server.restart(signal);
			for (const app of apps) {
				await app.untilConnected(2);
				// "io server disconnect" would be final.
				for (const { reason } of await app.find('disconnect'))
					assert.match(reason, /^transport (close|error)$/);
			}
			await server.publish(channel, 2, { event: 'n' });
			for (const app of apps)
				assert.deepEqual(await app.untilEvents(2), [['n', 1], ['n', 2]]);
		});
}

if (isWanted('sluice'))
	test('sluice: a drain ends what is connected within its time, and nobody new gets in', async () => {
		const own = await new Gateway('--drain', '5').start();
		const channel = newChannel();
		const where = await new NodePlace().start();
		const apps = await Promise.all(Object.values(CHOICES).map((transports) =>
			new App(where).connect(`${own.url}/${channel}`, { reconnection: false, ...transports && { transports } })));
		const ending = own.stop();
		for (const app of apps)
			await until('the end', async () => (await app.find('disconnect')).length === 1);
		for (const app of apps)
			assert.match((await app.find('disconnect'))[0].reason, /^transport (close|error)$/);
		await ending;
		await where.stop();
	});
