// Chromium behind a forward proxy, as in an office: everything that is fetched goes to the
// proxy as an absolute URL, and a WebSocket, be it ws: or wss:, by CONNECT.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { ForwardProxy } from './forward.mjs';
import { Gateway, names, until } from './gateway.mjs';

let browser, gateway, proxy;

beforeEach(async () => {
	gateway = await new Gateway().start();
	proxy = new ForwardProxy();
});

afterEach(async () => {
	await browser?.close();
	browser = undefined;
	await proxy.stop();
	await gateway.stop();
});

/** @param {string} title @param {keyof import('./forward.mjs').programs} program
 * @param {(gatewayPort: number) => number[] | undefined} getPorts where CONNECT may go
 * @param {string[]} dead transports */
function testBehind(title, program, getPorts, dead) {
	const alive = names.filter((name) => !dead.includes(name));

	test(`${title}: the page loads, ${dead.join(' and ') || 'nothing'} is dead, the client settles on ${alive[0]}`, async () => {
		await proxy.start(program, getPorts(Number(new URL(gateway.url).port)));
		browser = await launch(`--proxy-server=${proxy.url}`, '--proxy-bypass-list=<-loopback>');
		const page = await browser.newPage();
		await page.goto(gateway.url);
		const read = (selector) => page.$$eval('.lane', (lanes, within) => Object.fromEntries(lanes.map((lane) =>
			[lane.dataset.transport, within ? Number(lane.querySelector(within).textContent.replaceAll(',', '')) : lane.dataset.state])), selector);
		await until(`messages over ${alive}`, async () => {
			const counts = await read('.messages');
			return alive.every((name) => counts[name] > 3);
		});
		const counts = await read('.messages');
		assert.deepEqual(names.filter((name) => counts[name] === 0), dead);

		await page.goto(`${gateway.url}healthz`);
		await page.evaluate(async () => {
			const { Sluice } = await import('/client/sluice.js');
			window.sluice = new Sluice('/', { channels: ['behind.proxy'], since: '0' });
			window.data = [];
			window.sluice.addEventListener('message', (event) => window.data.push(event.data));
			await new Promise((resolve) => window.sluice.addEventListener('open', resolve, { once: true }));
		});
		await until(`the client on ${alive[0]}`, () => page.evaluate((name) => window.sluice.transport === name, alive[0]));
		for (let number = 1; number <= 20; number++)
			await gateway.publish('behind.proxy', String(number), 'application/json');
		await page.evaluate(() => window.sluice.publish('behind.proxy', 21));
		await until('the messages', () => page.evaluate(() => window.data.length >= 21));
		assert.deepEqual(await page.evaluate(() => window.data), Array.from({ length: 21 }, (_, i) => i + 1));
		assert.equal(await page.evaluate(() => window.sluice.transport), alive[0]);
	});
}

testBehind('squid as Debian sets it up', 'squid', () => undefined, ['websocket']);
testBehind('squid that lets CONNECT through to the gateway\'s port', 'squid', (port) => [443, port], []);
testBehind('tinyproxy as Debian sets it up', 'tinyproxy', () => undefined, []);
testBehind('tinyproxy with CONNECT for 443 alone', 'tinyproxy', () => [443], ['websocket']);
testBehind('privoxy as Debian sets it up', 'privoxy', () => undefined, ['sse']);
testBehind('privoxy with CONNECT for 443 alone', 'privoxy', () => [443], ['websocket', 'sse']);
