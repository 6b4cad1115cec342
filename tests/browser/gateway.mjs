// A gateway of the tests' own: a real process on a port of its own. SLUICE is the program,
// SLUICE_WEB the folder of the page.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { SLUICE, SLUICE_WEB } = process.env;

/** The transports, in their order. */
export const names = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

/** With a --tls-listen among its options it listens at that alone. Its clients have no limits unless --limits is
 * among them. */
export class Gateway {
	#process;
	#port = 0; // until the system has chosen one
	#options;

	constructor(...options) {
		this.#options = options;
	}

	async start() {
		if (!SLUICE || !SLUICE_WEB)
			throw new Error('SLUICE and SLUICE_WEB must name the program and the folder of the page');
		const listen = this.#options.includes('--tls-listen') ? [] : ['--listen', `127.0.0.1:${this.#port}`];
		const limits = this.#options.includes('--limits') ? [] : ['--limits', 'off'];
		this.#process = spawn(SLUICE, [...listen, '--demo', '--drain', '2', '--web',
			SLUICE_WEB, ...limits, ...this.#options], { stdio: ['ignore', 'pipe', 'inherit'] });
		for await (const line of createInterface({ input: this.#process.stdout })) {
			const found = /^listening (https?:\S+)$/.exec(line);
			if (found) {
				this.url = found[1];
				this.#port = new URL(this.url).port;
				return this;
			}
		}
		throw new Error('the gateway did not start');
	}

	/** What the gateway has started: the demo's obstacle. */
	killChildren() {
		const { pid } = this.#process;
		for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean))
			process.kill(Number(child), 'SIGKILL');
	}

	async stop(signal = 'SIGTERM') {
		const gone = once(this.#process, 'exit');
		this.#process.kill(signal);
		const [status] = await gone;
		return status;
	}

	address(path, params) {
		return `${this.url}${path}?${new URLSearchParams(params)}`;
	}

	async publish(channel, body, type = 'text/plain') {
		const response = await fetch(this.address('publish', { channel }),
			{ method: 'POST', headers: { 'Content-Type': type }, body });
		if (!response.ok)
			throw new Error(`publish: ${response.status} ${await response.text()}`);
		return (await response.json()).id;
	}

	async getStats() {
		return (await fetch(`${this.url}stats`)).json();
	}
}

/** Waits until `test()` gives something true, and returns it. The limit is for what never comes: a
 * busy machine takes its time. */
export async function until(what, test, ms = 60000) {
	for (const end = Date.now() + ms; ;) {
		const result = await test();
		if (result)
			return result;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
