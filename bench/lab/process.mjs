// Programs that the lab starts and ends: by their process id, never by name.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY_MS = 10000;
const PATIENCE_MS = 3000; // between the request to end and the end

export class Program {
	#child;
	#tail = '';

	/** @param {string} path @param {string[]} args @param {object} [options] of spawn */
	constructor(path, args, options) {
		this.#child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
		this.name = path.replace(/^.*\//, '');
		this.#child.on('error', (error) => { this.#tail += error.message; });
		this.#child.stderr.on('data', (text) => { this.#tail = (this.#tail + text).slice(-2000); });
	}

	get hasEnded() {
		return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
	}

	/** What it said last on its standard error. */
	get said() {
		return this.#tail.trim().split('\n').slice(-3).join(' ');
	}

	/** Reads its output until every pattern has been seen.
	 * @param {RegExp[]} patterns each with one group
	 * @returns {Promise<string[]>} the groups */
	async read(...patterns) {
		const found = /** @type {string[]} */ (patterns.map(() => ''));
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), READY_MS);
		try {
			for await (const line of createInterface({ input: this.#child.stdout })) {
				patterns.forEach((pattern, i) => { found[i] ||= pattern.exec(line)?.[1] ?? ''; });
				if (found.every(Boolean))
					return found;
			}
			throw new Error(`${this.name} did not start: ${this.said}`);
		} finally {
			clearTimeout(timer);
			this.drain();
		}
	}

	/** Nobody reads its output: it must not wait for that. */
	drain() {
		this.#child.stdout.resume();
	}

	async stop() {
		if (this.hasEnded)
			return;
		const gone = once(this.#child, 'exit');
		this.#child.kill('SIGTERM');
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
		await gone;
		clearTimeout(timer);
	}
}
