// Delivery is verified: on a path that drops or garbles messages (sluice-obstacle, before a real
// gateway) every message comes, once, and what had been lost is late.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Gateway, RealObstacle, listen, until } from './setup.mjs';

let gateway;
let count = 0;

before(async () => {
	gateway = await new Gateway().start();
});

after(() => gateway.stop());

const PROVED = '@age=1500ms'; // a connection's first messages pass, so that the transport is chosen

/** A client behind an obstacle, and 100 messages to it. */
async function send(t, faults, options, publish = 100) {
	const obstacle = await new RealObstacle().start(gateway.port, faults);
	t.after(() => obstacle.stop());
	const channel = `verify.${++count}`;
	const sluice = listen(obstacle.url, { channels: [channel], heartbeat: 4, ...options });
	t.after(() => sluice.close());
	await sluice.opened;
	await new Promise((done) => setTimeout(done, 1200));
	for (let number = 1; number <= publish; number++)
		await gateway.publish(channel, number);
	return { sluice };
}

const numbers = (length) => Array.from({ length }, (_, i) => i + 1);

/** Each once; in order but for what is late. */
function checkAll({ log }, length) {
	assert.deepEqual(log.messages.map(({ data }) => data).sort((a, b) => a - b), numbers(length));
	let top = 0;
	for (const { data, late } of log.messages) {
		assert.equal(late, data < top, `${data} after ${top}`);
		top = Math.max(top, data);
	}
	assert.deepEqual(log.gaps, []);
}

describe('on a path that loses or alters messages', { concurrency: true }, () => {
	for (const transport of ['websocket', 'sse', 'stream'])
		test(`${transport}: every fifth message is dropped; the client finds out, and gets them late`, async (t) => {
			const { sluice } = await send(t, [`drop-every=5@transport=${transport}${PROVED}`], { transports: [transport, 'longpoll'] });
			await until('all', () => sluice.log.messages.length >= 100, 60000);
			checkAll(sluice, 100);
			assert.ok(sluice.log.messages.some(({ late }) => late));
			const [loss] = sluice.log.errors.filter(({ code }) => code === 'path_loses');
			assert.equal(loss.transport, transport);
			assert.match(loss.message, /\d+ of \d+ did not arrive/);
				assert.ok(sluice.log.transports.some(({ to }) => to === 'longpoll'));
		});

	for (const transport of ['websocket', 'sse', 'stream'])
		test(`${transport}: text is put before every fifth message; the client leaves it, then demotes it`, async (t) => {
			const { sluice } = await send(t, [`garble-every=5@transport=${transport}${PROVED}`], { transports: [transport, 'longpoll'] });
			await until('all', () => sluice.log.messages.length >= 100, 60000);
			checkAll(sluice, 100);
			await until('the other transport', () => sluice.transport === 'longpoll', 60000);
			assert.ok(sluice.log.errors.some(({ message }) => /cannot be parsed/.test(message)));
		});

	test('all transports lose messages but polls: all come, whatever is tried', async (t) => {
		const { sluice } = await send(t, [`drop-every=5@transport=websocket${PROVED}`, `drop-every=5@transport=sse${PROVED}`,
			`drop-every=5@transport=stream${PROVED}`], {}, 200);
		await until('all', () => sluice.log.messages.length >= 200, 20000);
		checkAll(sluice, 200);
	});

	test('a clean path verifies without an error, and nothing is late', async (t) => {
		const { sluice } = await send(t, [], {});
		await until('all', () => sluice.log.messages.length >= 100);
		await new Promise((done) => setTimeout(done, 5000)); // a heartbeat
		checkAll(sluice, 100);
		assert.ok(sluice.log.messages.every(({ late }) => late === false));
		assert.deepEqual(sluice.log.errors, []);
		assert.equal(sluice.log.transports.length, 1);
	});
});
