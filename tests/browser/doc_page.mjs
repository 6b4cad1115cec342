// The programs of the documents, as they stand but for ports: in Chromium, on a page of the gateway's origin or of a
// site of its own, and in Node. SLUICE_DOC is the folder of the documents.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { promisify } from 'node:util';
import { launch } from './browser.mjs';
import { Gateway } from './gateway.mjs';

const SHOWN = '127.0.0.1:8080'; // the gateway, in the documents
const SITE = '127.0.0.1:8000'; // the site of pages that are not the gateway's

/** A document, and which of its blocks are used. */
export class DocPage {
	#blocks;
	#used = new Set();

	/** @param {string} file beside or in the folder of documents @param {RegExp} [kinds] the languages that are tested */
	constructor(file, kinds = /^(js|html)$/) {
		const text = readFileSync(join(process.env.SLUICE_DOC, file), 'utf8');
		this.#blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, kind]) => kinds.test(kind));
	}

	/** The only block with these words. @param {RegExp} words */
	find(words) {
		const found = this.#blocks.filter(([, , text]) => words.test(text));
		assert.equal(found.length, 1, `${words} is in ${found.length} blocks`);
		this.#used.add(found[0]);
		return found[0][2];
	}

	get unused() {
		return this.#blocks.filter((block) => !this.#used.has(block)).map(([block]) => block);
	}
}

/** A program or command with the addresses of this run. @param {string} text @param {string} gateway its URL
 * @param {string} [site] */
export const place = (text, gateway, site = '') =>
	text.replaceAll(SHOWN, new URL(gateway).host).replaceAll(SITE, site);

/** What a command of a document says. @param {string} text as `place` makes it */
export const run = async (text) => (await promisify(execFile)('/bin/sh', ['-ec', text])).stdout;

/** Serves pages by their path, as `python3 -m http.server` does. @param {() => Record<string, string>} pages */
export async function startSite(pages) {
	const server = createServer(({ url }, response) => {
		const page = pages()[url];
		response.writeHead(page === undefined ? 404 : 200, { 'Content-Type': 'text/html; charset=utf-8' });
		response.end(page);
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	return { server, host: `127.0.0.1:${server.address().port}` };
}

/** For each test a gateway and a context of Chromium, which end with it. Call it once, before other hooks. */
export function useGateway() {
	/** @type {{ gateway: Gateway, context: import('playwright-core').BrowserContext }} */
	const world = {};
	let browser;
	before(async () => {
		browser = await launch();
	});
	beforeEach(async () => {
		world.gateway = await new Gateway().start();
		world.context = await browser.newContext();
	});
	afterEach(async () => {
		await world.context.close();
		await world.gateway.stop();
	});
	after(() => browser?.close());
	return world;
}

/** A page of the gateway's origin that runs a program, and keeps what it logs, each call as one text.
 * @param {import('playwright-core').BrowserContext} context @param {string} gateway its URL */
export async function openPage(context, gateway) {
	const page = await context.newPage();
	await page.addInitScript(() => {
		window.said = [];
		for (const name of ['log', 'warn'])
			console[name] = (...words) => window.said.push(
				words.map((word) => typeof word === 'string' ? word : JSON.stringify(word)).join(' '));
		addEventListener('unhandledrejection', ({ reason }) => window.said.push(`failed: ${reason}`));
	});
	await page.goto(`${gateway}healthz`);
	return page;
}

/** @param {import('playwright-core').Page} page @param {string} program a module's text */
export const start = (page, program) => page.addScriptTag({ type: 'module', content: program });

/** @param {import('playwright-core').Page} page @param {RegExp} line that it logs */
export async function untilSaid(page, line) {
	const wait = page.waitForFunction(([source]) => window.said.some((one) => new RegExp(source).test(one)), [line.source],
		{ timeout: 60000 });
	await wait.catch(async () => assert.fail(`${line} was not said, but ${await page.evaluate(() => window.said.join('\n'))}`));
}
