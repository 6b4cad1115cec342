// A native EventSource over a limit of its client: it hears why, comes back by itself after the time that it was
// told, and receives; in Chromium and in Firefox.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './browser.mjs';
import { openFirefox } from './firefox.mjs';
import { Gateway, until } from './gateway.mjs';

/** Both drivers' pages have these functions. @param {any} page */
async function checkEventSource(page, gateway, channel) {
	await page.goto(`${gateway.url}healthz`);
	await page.evaluate(async (address) => { // the page and this test are one client
		window.byes = [];
		window.data = [];
		// A request for /stats costs four, so what is owed outlasts the second in which the gateway reads nothing.
		const owes = async () => Number((await fetch('/stats')).headers.get('Retry-After')) >= 3;
		const open = () => new Promise((resolve) => {
			const source = new EventSource(address);
			source.addEventListener('bye', ({ data }) => resolve(window.byes.push(JSON.parse(data))));
			source.addEventListener('message', ({ data }) => window.data.push(JSON.parse(data).data));
			source.addEventListener('open', () => setTimeout(() => { // it was not refused: once more
				if (window.byes.length === 0)
					source.close();
				resolve();
			}, 2000), { once: true });
		});
		while (window.byes.length === 0) {
			while (!await owes())
				;
			await open();
		}
	}, gateway.address('sse', { channels: channel, since: '0' }));
	await until('the refusal', () => page.evaluate(() => window.byes.length > 0));
	const [{ reason, retry }] = await page.evaluate(() => window.byes);
	assert.equal(reason, 'rate_limited');
	assert.ok(retry >= 1000, String(retry));
	await gateway.publish(channel, 'one');
	await until('the message', () => page.evaluate(() => window.data.includes('one')), 120000);
}

describe('a page over the limit of requests', () => {
	let gateway;

	before(async () => {
		gateway = await new Gateway('--limits', 'on', '--request-rate', '1').start();
	});

	after(() => gateway?.stop());

	test('Chromium: an EventSource comes back', async () => {
		const browser = await launch();
		try {
			const page = await browser.newPage();
			await checkEventSource(page, gateway, 'limits.chromium');
		} finally {
			await browser.close();
		}
	});

	test('Firefox: an EventSource comes back', async () => {
		const { page, close } = await openFirefox();
		try {
			await checkEventSource(page, gateway, 'limits.firefox');
		} finally {
			await close();
		}
	});
});
