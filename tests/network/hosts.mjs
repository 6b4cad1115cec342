// What runs in the two hosts: the gateway in one, a process with the clients in the other.
// SLUICE is the program, SLUICE_WEB the folder that is served. The test itself speaks with
// the gateway over a Unix socket, which no network namespace has a part in.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const { SLUICE, SLUICE_WEB } = process.env;

export class Gateway {
	#folder = mkdtempSync(join(tmpdir(), 'sluice-network-'));
	#agent = new Agent({ keepAlive: true, maxSockets: 1 });
	#socketPath = join(this.#folder, 'gateway.sock');

	/** @param {import('./network.mjs').Network} network @param {string} address
	 * @param {string[]} options */
	async start(network, address, ...options) {
		const child = network.spawn('gateway', SLUICE, ['--listen', `unix:${this.#socketPath}`, '--listen', address,
			'--history-messages', '20000', '--history-bytes', '16M', '--drain', '1', '--log-level', 'error',
			'--web', SLUICE_WEB, '--limits', 'off', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
		for await (const line of createInterface({ input: child.stdout }))
			if (line === `listening http://${address}/`)
				return this;
		throw new Error('the gateway did not start');
	}

	finish() {
		this.#agent.destroy();
		rmSync(this.#folder, { recursive: true, force: true });
	}

	async publish(channel, data) {
		return this.#ask('POST', `/publish?channel=${channel}`, JSON.stringify(data));
	}

	/** All that was ever published to the channel. */
	async read(channel) {
		const all = [];
		for (let since = '0'; ;) {
			const { cursor, messages } = await this.#ask('GET', `/poll?channels=${channel}&wait=0&since=${since}`);
			all.push(...messages.map(({ data }) => data));
			if (!messages.length)
				return all;
			since = cursor;
		}
	}

	/** Connections that are being served, over all transports. */
	async countConnections() {
		const { transports } = await this.#ask('GET', '/stats');
		return Object.values(transports).reduce((sum, { connections }) => sum + connections, 0);
	}

	async #ask(method, path, body) {
		const asked = request({ socketPath: this.#socketPath, agent: this.#agent, method, path,
			headers: { Host: 'localhost', ...body && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } } });
		asked.end(body);
		const [response] = await once(asked, 'response');
		let text = '';
		for await (const piece of response.setEncoding('utf8'))
			text += piece;
		if (response.statusCode !== 200)
			throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
		return JSON.parse(text);
	}
}

/** One Sluice each for a list of options, in a process in the client's host; what they have
 * received, what they have published, what happened to them. */
export class Clients {
	/** @type {Map<string, { received: number[], published: number, failed: string[], moves: object[], gaps: object[], losses: string[] }>} */
	logs = new Map();
	#child;

	/** @param {import('./network.mjs').Network} network @param {string} url
	 * @param {string} channel @param {Record<string, object>} options by name */
	constructor(network, url, channel, options) {
		for (const name of Object.keys(options))
			this.logs.set(name, { received: [], published: 0, failed: [], moves: [], gaps: [], losses: [] });
		this.#child = network.spawn('client', process.execPath,
			[fileURLToPath(new URL('clients.mjs', import.meta.url)), JSON.stringify({ url, channel, options })],
			{ stdio: ['pipe', 'pipe', 'inherit'] });
		createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(JSON.parse(line)));
	}

	/** No more publishes after those under way. */
	stop() {
		this.#child.stdin.end();
	}

	/** @param {(log: object) => boolean} test
	 * @returns {string} the names of those whose log passes it */
	namesOf(test) {
		return [...this.logs].filter(([, log]) => test(log)).map(([name]) => name).join();
	}

	#take({ name, event, ...what }) {
		const log = this.logs.get(name);
		if (event === 'message')
			log.received.push(what.data);
		else if (event === 'published')
			log.published = what.number;
		else if (event === 'failed')
			log.failed.push(what.why);
		else if (event === 'transport')
			log.moves.push(what);
		else if (event === 'gap')
			log.gaps.push(what);
		else if (event === 'error')
			log.losses.push(what.message);
		else if (event === 'stopped')
			log.stopped = true;
	}
}
