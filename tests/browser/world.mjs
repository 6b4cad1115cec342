// What a file of tests in the browser stands on: one browser, and for each test a gateway and
// a fresh profile. One a process, as node runs each file in its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway, until } from './gateway.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @type {Gateway} */
export let gateway;
/** @type {import('playwright-core').BrowserContext} */
export let context;
/** What the pages of this test had to complain about. @type {string[]} */
export let complaints;

/** Call it once, before other hooks. @param {{ width?: number, options?: string[] }} [wanted]
 * of the window, of the gateway */
export function useWorld({ width = 1280, options = [] } = {}) {
	let browser;

	before(async () => {
		browser = await launch();
	});

	after(() => browser?.close());

	beforeEach(async () => {
		gateway = await new Gateway(...options).start();
		context = await browser.newContext({ viewport: { width, height: 900 } });
		complaints = [];
	});

	afterEach(async () => {
		await context.close();
		await gateway.stop();
	});
}

/** Chromium's warning when a page lets go of an upgrade of socket.io-client that is under way. */
const abandoned = /\/socket\.io\/.*closed before the connection is established/;

/** A page whose errors are complaints, and what it writes to the console of these types.
 * @param {(type: string) => boolean} isComplaint */
export async function openPage(isComplaint = (type) => ['error', 'warning'].includes(type)) {
	const page = await context.newPage();
	page.on('console', (message) => isComplaint(message.type()) && !abandoned.test(message.text()) &&
		complaints.push(`${message.type()}: ${message.text()}`));
	page.on('pageerror', (error) => complaints.push(String(error)));
	return page;
}

/** Pulls the plug for its 5 s. What is seen meanwhile is noted in the page itself, since a busy
 * machine may ask it too late: nothing in use, messages on the way. */
export async function pullPlug(page) {
	await page.evaluate(() => {
		const [ladder, underway] = ['break-ladder', 'break-underway'].map((id) => document.getElementById(id));
		const look = () => {
			if (!ladder.querySelector('[data-state="in use"]'))
				window.mostUnderway = Math.max(window.mostUnderway ?? 0, Number(underway.textContent));
		};
		new MutationObserver(look).observe(document.getElementById('break'),
			{ subtree: true, childList: true, characterData: true, attributes: true });
	});
	await page.click('#break-plug');
	await until('messages on the way, and nothing in use', () => page.evaluate(() => window.mostUnderway > 0));
}

/** axe finds nothing wrong in the page. @param {string[]} [include] only within these */
export async function assertAccessible(page, include) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate((within) => window.axe.run(within ? { include: within } : document,
		{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }), include);
	assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`), []);
}
