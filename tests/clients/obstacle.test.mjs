// Paths that do not let WebSocket through: the client's default stays on polling there, and loses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Obstacle } from './obstacle.mjs';
import { App, inEachWorld, isFull, newChannel, until } from './world.mjs';

const COUNT = 60;
const NUMBERS = Array.from({ length: COUNT }, (_, n) => ['n', n]);

/** What stands in the way of an upgrade; that is all it touches. */
const FAULTS = {
	'swallows upgrades': 'hole@transport=websocket',
	'strips Upgrade': 'strip-upgrade',
	'refuses upgrades': 'refuse=403@transport=websocket',
	'resets upgrades': 'refuse=rst@transport=websocket',
	'answers with another Accept': 'wrong-accept',
	'passes 101 and nothing from the server': 'half-down',
	'passes 101 and nothing from the client': 'half-up',
	'passes 101 and nothing at all': 'dead-101',
};

/** `make check-clients` tries all of them everywhere, CI some in the browser, and of the reference the first. */
function isTried(title, what) {
	const [first, ...others] = Object.keys(FAULTS);
	return isFull || what === first || (title.startsWith('sluice')
		&& (title.endsWith('Node') || what === others.at(-1)));
}

inEachWorld({}, (world, title) => {
	for (const [what, fault] of Object.entries(FAULTS).filter(([one]) => isTried(title, one)))
		test(`${title}: behind an obstacle that ${what} the default stays on polling and loses nothing`, async () => {
			const obstacle = await new Obstacle().start(world.server.port, fault);
			try {
				const name = newChannel();
				const app = await new App(world.place).open(`${obstacle.url}/${name}`);
				await app.untilConnected();
				for (const [event, n] of NUMBERS) {
					await world.server.publish(name, n, { event });
					await new Promise((resolve) => setTimeout(resolve, 8));
				}
				assert.deepEqual(await app.untilEvents(COUNT), NUMBERS);
				assert.match((await app.ask('said', 'by polling')).id, /-\d+$/);
				assert.deepEqual((await app.untilEvents(COUNT + 1)).at(-1), ['said', 'by polling']);
				const log = await app.getLog();
				assert.deepEqual(log.filter(({ what: one }) => one === 'upgrade'), []);
				assert.deepEqual(log.filter(({ what: one }) => one === 'disconnect'), []);
				assert.equal((await app.getState()).transport, 'polling');
				const { faults: applied } = await obstacle.getCounts();
				assert.ok(Object.values(applied).every((times) => times > 0), 'the obstacle was not in the way');
			} finally {
				await world.place.close();
				await obstacle.stop();
			}
		});

	test(`${title}: a WebSocket that dies on its way is replaced, by polling at first`, async () => {
		const obstacle = await new Obstacle().start(world.server.port, 'cut-frames=12,fin');
		try {
			const name = newChannel();
			const app = await new App(world.place).connect(`${obstacle.url}/${name}`);
			await until('cut twice', async () => {
				await world.server.publish(name, 1, { event: 'n' });
				return (await app.find('disconnect')).length >= 2;
			});
			await app.untilConnected((await app.find('disconnect')).length + 1);
			for (const { reason } of await app.find('disconnect'))
				assert.match(reason, /^transport (close|error)$/);
		} finally {
			await world.place.close();
			await obstacle.stop();
		}
	});

	if (title.endsWith('Node'))
		test(`${title}: while an upgrade hangs, polling waits, and is no tight loop`, async () => {
			const obstacle = await new Obstacle().start(world.server.port, 'half-down');
			try {
				const app = await new App(world.place).open(`${obstacle.url}/${newChannel()}`);
				await app.untilConnected();
				await new Promise((resolve) => setTimeout(resolve, 300));
				const count = async () => (await obstacle.getCounts()).requests;
				const before = await count();
				await new Promise((resolve) => setTimeout(resolve, 2000));
				assert.ok(await count() - before < 100, `${await count() - before} requests in 2 s`);
			} finally {
				await world.place.close();
				await obstacle.stop();
			}
		});
});
