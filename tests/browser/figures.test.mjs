// What the page counts and how it writes it, in the browser but without the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway } from './gateway.mjs';

let browser, gateway, page;

before(async () => {
	gateway = await new Gateway().start();
	browser = await launch();
	page = await browser.newPage();
	await page.goto(`${gateway.url}healthz`);
});

after(async () => {
	await browser?.close();
	await gateway?.stop();
});

test('quantiles are of the last minute', async () => {
	const got = await page.evaluate(async () => {
		const { Latency } = await import('/demo/latency.js');
		const latency = new Latency();
		latency.add(0, 5000); // too old
		for (let ms = 100; ms >= 1; ms--)
			latency.add(70000, ms);
		return [latency.quantiles(70001, 0.5, 0.99, 1), latency.quantiles(140000, 0.5)];
	});
	assert.deepEqual(got, [[50, 99, 100], [undefined]]);
});

test('a distribution has every latency once, those beyond its ends too', async () => {
	const counts = await page.evaluate(async () => {
		const { Latency } = await import('/demo/latency.js');
		const latency = new Latency();
		for (const ms of [-3, 0, 0.4, 15, 15, 9999, 60000])
			latency.add(1, ms);
		return latency.histogram(1);
	});
	assert.equal(counts.reduce((sum, count) => sum + count), 7);
	assert.equal(counts[0], 3);
	assert.equal(counts.at(-1), 2);
	assert.equal(counts.indexOf(2), 7, '15 ms: in the seventh bin after 1 ms, of six a decade');
});

test('a curve has a hole where nothing came', async () => {
	const [seconds, values] = await page.evaluate(async () => {
		const { Latency } = await import('/demo/latency.js');
		const latency = new Latency();
		for (const at of [1000, 1100, 9000])
			latency.add(at, 100);
		return latency.curve(10000);
	});
	assert.deepEqual(seconds, [-9, -8.9, -1, -1]);
	assert.deepEqual(values, [2, 2, null, 2]);
});

test('a message\'s share is payload, framing, heads and TLS of what was sent meanwhile', async () => {
	const got = await page.evaluate(async () => {
		const { Traffic } = await import('/demo/traffic.js');
		const traffic = new Traffic();
		const totals = (requests, heads, bodies) => ({ connections: 1, requests,
			received: { heads, bodies: 0 }, sent: { heads, bodies } });
		const shares = [];
		traffic.clear(1000);
		traffic.sample(500, totals(1, 9000, 9000)); // the opening
		traffic.sample(1000, totals(1, 9000, 9000));
		shares.push(traffic.share());
		for (let i = 0; i < 10; i++)
			traffic.addMessage(40);
		traffic.sample(2000, totals(6, 10000, 10000));
		shares.push(traffic.share());
		traffic.sample(3000, totals(2, 100, 100)); // another life of the gateway
		shares.push(traffic.share());
		return shares;
	});
	assert.deepEqual(got, [undefined, { messages: 10, payload: 40, framing: 60, heads: 200, tls: 0, requests: 0.5 }, undefined]);
});

test('figures are written shortly, with their units', async () => {
	const got = await page.evaluate(async () => {
		const { countBytes, describe, formatBytes, formatMs, formatShare } = await import('/demo/format.js');
		return [
			[undefined, -0.2, 4.26, 9.96, 320.4, 1234, 12345].map(formatMs),
			[0, 46.4, 1118, 20480].map(formatBytes),
			[0, 0.111, 1, 2.34, 1000].map(formatShare),
			['é', { a: 1 }, new Uint8Array(5)].map(countBytes),
			['x', { symbol: 'ALFA', price: 50, change: -1 }, { utc: '10:00:00' }, { other: 1 }, new Uint8Array(5)].map(describe),
		];
	});
	assert.deepEqual(got, [
		['–', '0.0 ms', '4.3 ms', '10 ms', '320 ms', '1.23 s', '12.3 s'],
		['0 B', '46 B', '1,118 B', '20.0 KiB'],
		['0', '0.11', '1', '2.3', '1,000'],
		[2, 7, 5],
		['x', 'ALFA 50.00 ▼', '10:00:00 UTC', '{"other":1}', '5 bytes'],
	]);
});
