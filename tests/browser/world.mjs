// What a file of tests in the browser stands on: one browser, and for each test a gateway and
// a fresh profile. One a process, as node runs each file in its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach } from 'node:test';
import { launch } from './browser.mjs';
import { Gateway } from './gateway.mjs';

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

/** A page whose errors are complaints, and what it writes to the console of these types.
 * @param {(type: string) => boolean} isComplaint */
export async function openPage(isComplaint = (type) => ['error', 'warning'].includes(type)) {
	const page = await context.newPage();
	page.on('console', (message) => isComplaint(message.type()) && complaints.push(`${message.type()}: ${message.text()}`));
	page.on('pageerror', (error) => complaints.push(String(error)));
	return page;
}

/** axe finds nothing wrong in the page. @param {string[]} [include] only within these */
export async function assertAccessible(page, include) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate((within) => window.axe.run(within ? { include: within } : document,
		{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }), include);
	assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`), []);
}
