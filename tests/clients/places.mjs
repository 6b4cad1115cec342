// Where an app runs: in this process, or in the page of a real browser. Both have the methods of player.mjs, and all
// of them answer later.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import http from 'node:http';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { io } from 'socket.io-client';
import { createPlayer } from './player.mjs';

const require = createRequire(import.meta.url);
/** The client as its package has it for pages. */
export const clientFile = require.resolve('socket.io-client/dist/socket.io.js');

const METHODS = ['open', 'emit', 'ask', 'getLog', 'getState', 'disconnect', 'connect', 'close'];

export class NodePlace {
	name = 'node';
	/** Its client sends no Origin. */
	origin = null;

	constructor() {
		const player = createPlayer(io);
		for (const method of METHODS)
			this[method] = async (...args) => structuredClone(await player[method](...args));
	}

	async start() {
		return this;
	}

	async stop() {
		await this.close();
	}
}

/** Serves a few files, as {path: [type, text]}. */
export async function serveFiles(files) {
	const server = http.createServer(({ url }, response) => {
		const [type, text] = files[url] ?? ['text/plain', null];
		response.writeHead(text === null ? 404 : 200, { 'Content-Type': type }).end(text);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** The browser, Debian's unless CHROMIUM names another. @param {...string} more arguments */
export function launch(...more) {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
			'--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
	});
}

const PAGE = `<!DOCTYPE html><title>app</title><link rel="icon" href="data:,">
<script src="/socket.io.js"></script>
<script type="module">
	import { createPlayer } from '/player.mjs';
	window.player = createPlayer(io);
</script>`;

/** A page whose origin is not the server's. */
export class ChromiumPlace {
	name = 'chromium';

	/** @param {object} [context] options of the browser's context @param {...string} more arguments of the browser */
	constructor(context = {}, ...more) {
		this.contextOptions = context;
		this.arguments = more;
		for (const method of METHODS)
			this[method] = (...args) => this.page.evaluate(([name, words]) => window.player[name](...words), [method, args]);
	}

	async start() {
		const player = readFileSync(fileURLToPath(new URL('player.mjs', import.meta.url)), 'utf8');
		({ server: this.server, origin: this.origin } = await serveFiles({
			'/': ['text/html', PAGE],
			'/socket.io.js': ['text/javascript', readFileSync(clientFile, 'utf8')],
			'/player.mjs': ['text/javascript', player],
		}));
		this.browser = await launch(...this.arguments);
		this.page = await (await this.browser.newContext(this.contextOptions)).newPage();
		await this.page.goto(this.origin);
		await this.page.waitForFunction('window.player');
		return this;
	}

	async stop() {
		await this.browser?.close();
		this.server?.closeAllConnections();
		this.server?.close();
	}
}
