// Programs of a set-up: each ends with the test, by its process id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const PATIENCE_MS = 5000; // between the request to end and the end
const LOWEST_PORT = 20000;
const PORTS = 12000; // Linux gives away those from 32768

/** @returns {Promise<number>} one that is free now, and below those that connections are given */
export function findPort() {
	const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
	return new Promise((done) => {
		const server = createServer().on('error', () => done(findPort()))
			.listen(port, '127.0.0.1', () => server.close(() => done(port)));
	});
}

/** Waits until `check()` says nothing any more; what it said last is why it was in vain. The limit is
 * for what never comes: a busy machine takes its time. */
export async function until(check, ms = 60000) {
	for (const end = Date.now() + ms; ;) {
		const missing = await check();
		if (!missing)
			return;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain: ${missing}`);
		await new Promise((done) => setTimeout(done, 50));
	}
}

/** @type {Set<Program>} */
const running = new Set();
process.on('exit', () => running.forEach((program) => program.kill()));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));

export class Program {
	said = ''; // on both outputs
	#child;

	/** @param {string} path @param {string[]} args @param {import('node:child_process').SpawnOptions} [options] */
	constructor(path, args, options) {
		this.name = path.replace(/^.*\//, '');
		this.#child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
		running.add(this);
		this.#child.on('exit', () => running.delete(this)).on('error', (error) => { this.said += error.message; });
		for (const output of [this.#child.stdout, this.#child.stderr])
			output.setEncoding('utf8').on('data', (text) => { this.said += text; });
	}

	get hasEnded() {
		return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
	}

	get pid() {
		return this.#child.pid;
	}

	/** Until it has said what matches. @param {RegExp} words @returns {Promise<string[]>} the groups */
	async untilSaid(words) {
		await until(() => {
			if (this.hasEnded)
				throw new Error(`${this.name} has ended: ${this.said}`);
			return words.test(this.said) ? '' : `${this.name} to say ${words}; it said: ${this.said}`;
		});
		return words.exec(this.said).slice(1);
	}

	kill(signal = 'SIGKILL') {
		if (!this.hasEnded)
			this.#child.kill(signal);
	}

	async stop() {
		if (this.hasEnded)
			return;
		const gone = once(this.#child, 'exit');
		this.kill('SIGTERM');
		const timer = setTimeout(() => this.kill(), PATIENCE_MS);
		await gone;
		clearTimeout(timer);
	}
}
