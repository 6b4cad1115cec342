// A gateway of the tests' own: a real process on a port of its own. SLUICE is the program, SLUICE_WEB the
// folder of the page.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { publishTo } from './publish.mjs';

const { SLUICE, SLUICE_WEB } = process.env;

export class Gateway {
	name = 'sluice';
	#process;
	#port = 0; // until the system has chosen one
	#options;

	/** With a --tls-listen among its options it listens at that alone. Clients may publish without a token, and
	 * have no limits, unless the options say so themselves.
	 * @param {...string} options */
	constructor(...options) {
		this.#options = options;
	}

	async start() {
		if (!SLUICE || !SLUICE_WEB)
			throw new Error('SLUICE and SLUICE_WEB must name the program and the folder of the page');
		const has = (option) => this.#options.includes(option);
		this.#process = spawn(SLUICE, [...has('--tls-listen') ? [] : ['--listen', `127.0.0.1:${this.#port}`], '--drain', '1',
			'--log-level', 'error', '--web', SLUICE_WEB, ...has('--limits') ? [] : ['--limits', 'off'],
			...has('--token-key') ? [] : ['--client-publish', '*'], ...this.#options], { stdio: ['ignore', 'pipe', 'inherit'] });
		for await (const line of createInterface({ input: this.#process.stdout })) {
			const found = /^listening (https?:\S+)$/.exec(line);
			if (found) {
				this.url = found[1].replace(/\/$/, '');
				this.#port = Number(new URL(this.url).port);
				return this;
			}
		}
		throw new Error('the gateway did not start');
	}

	get pid() {
		return this.#process.pid;
	}

	get port() {
		return this.#port;
	}

	/** Publishes as a backend does, see publish.mjs. */
	publish(channel, payload, how) {
		return publishTo(this.url, channel, payload, how);
	}

	/** The samples of /metrics, by name with labels. @returns {Promise<Map<string, number>>} */
	async getMetrics() {
		const text = await (await fetch(`${this.url}/metrics`)).text();
		return new Map([...text.matchAll(/^([a-z]\S*) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
	}

	signal(name) {
		this.#process.kill(name);
	}

	/** Ends it, and fails when it did not end well. @param {NodeJS.Signals} signal */
	async stop(signal = 'SIGTERM') {
		const { exitCode, signalCode } = this.#process;
		if (exitCode === null && signalCode === null) {
			const gone = once(this.#process, 'exit');
			this.#process.kill(signal);
			await gone;
		}
		const { exitCode: status, signalCode: killer } = this.#process;
		if (signal === 'SIGTERM' && status !== 0)
			throw new Error(`the gateway ended with ${status ?? killer}`);
	}

	/** Starts it again on the port that it had. */
	async restart(signal) {
		await this.stop(signal);
		return this.start();
	}
}
