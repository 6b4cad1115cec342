// The check page in Firefox.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFirefox } from './firefox.mjs';
import { Gateway, until } from './gateway.mjs';

test('in Firefox the button gives a verdict, and no transport is dead', async () => {
	const gateway = await new Gateway().start();
	try {
		const { page, complaints, close } = await openFirefox();
		try {
			await page.goto(`${gateway.url}check`);
			await page.click('#run');
			await until('the verdict', () => page.$('#result:not([hidden])'), 90000);
			const read = (selector) => page.$eval(selector, (element) => element.textContent);
			assert.match(await read('#headline'), /^This connection works/);
			assert.match(await read('#choice'), /WebSocket/);
			const states = await page.$$eval('#cards > li', (cards) => cards.map(({ dataset }) => dataset.state));
			assert.equal(states.length, 5);
			assert.ok(!states.includes('dead'), String(states)); // degraded: a busy machine is late
			assert.match(await read('#code'), /^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/);
			assert.deepEqual(complaints, []);
		} finally {
			await close();
		}
	} finally {
		await gateway.stop();
	}
});
