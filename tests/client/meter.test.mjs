// What the demo page's load box makes of arrivals and of the bytes of the wire.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { Meter } = await import(pathToFileURL(resolve(process.env.SLUICE_WEB, 'demo/try/meter.js')).href);

function run(meter, first, count, payload, wire) {
	meter.read({ at: first, wire });
	for (let i = 0; i < count; i++)
		meter.arrive({ at: first + i, latency: i, payload });
}

test('nothing came: there is nothing to say', () => {
	const meter = new Meter(1000);
	assert.equal(meter.view(0), null);
	run(meter, 0, 10, 100, 0);
	assert.equal(meter.view(2000), null);
});

test('latency: the middle and the 95th of a hundred', () => {
	const meter = new Meter(1000);
	run(meter, 0, 100, 10, 0);
	const { median, high, messages, payload } = meter.view(500);
	assert.deepEqual([median, high, messages, payload], [50, 95, 100, 10]);
});

test('overhead: what the wire carried beside the payload, a message', () => {
	const meter = new Meter(1000);
	run(meter, 0, 10, 100, 5000); // whatever was before the first reading does not count
	meter.read({ at: 20, wire: 5000 + 10 * 104 });
	assert.equal(meter.view(30).overhead, 4);
});

test('overhead is not known from too few messages, and is measured anew once it has settled', () => {
	const meter = new Meter(1000);
	run(meter, 0, 4, 100, 0);
	meter.read({ at: 10, wire: 500 });
	assert.ok(Number.isNaN(meter.view(20).overhead));
	meter.settle();
	run(meter, 20, 10, 1000, 500);
	meter.read({ at: 40, wire: 500 + 10 * 1008 });
	assert.equal(meter.view(50).overhead, 8);
});
