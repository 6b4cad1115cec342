// Programs that the lab starts and ends, and the folders they work in: by their process id,
// never by name. What is left when the lab itself ends, goes with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const READY_MS = 10000;
const PATIENCE_MS = 3000; // between the request to end and the end
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** @type {Set<Program>} */
const running = new Set();
/** @type {Set<string>} */
const folders = new Set();

/** However this process ends, but for SIGKILL: its programs end and their folders go.
 * @param {string} name told before what went wrong */
export function cleanUpAtExit(name) {
	process.on('exit', () => {
		running.forEach((program) => program.kill('SIGTERM'));
		const end = performance.now() + PATIENCE_MS;
		while (performance.now() < end && [...running].some((program) => program.isAlive))
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20); // a sleep: no event comes any more
		running.forEach((program) => program.kill());
		folders.forEach((folder) => {
			try {
				removeFolder(folder);
			} catch {} // the others go nevertheless
		});
	});
	for (const signal of SIGNALS)
		process.on(signal, () => process.exit(128 + constants.signals[signal]));
	process.on('uncaughtException', (error) => { // rejections that nobody handles come here too
		try {
			writeSync(2, `${name}: ${error?.stack ?? error}\n`);
		} finally {
			process.exit(2);
		}
	});
}

/** A new temporary one.
 * @param {string} name part of its own */
export function createFolder(name) {
	const folder = mkdtempSync(join(tmpdir(), `sluice-lab-${name}-`));
	folders.add(folder);
	return folder;
}

/** @param {string} folder */
export function removeFolder(folder) {
	rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); // who is being killed may write yet
	folders.delete(folder);
}

export class Program {
	#child;
	#tail = '';

	/** @param {string} path @param {string[]} args @param {object} [options] of spawn */
	constructor(path, args, options) {
		// A process group of its own: what it starts itself ends with it.
		this.#child = spawn(path, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
		this.name = path.replace(/^.*\//, '');
		if (this.#child.pid !== undefined)
			running.add(this);
		this.#child.on('exit', () => running.delete(this));
		this.#child.on('error', (error) => { this.#tail += error.message; });
		this.#child.stderr.on('data', (text) => { this.#tail = (this.#tail + text).slice(-2000); });
	}

	get hasEnded() {
		return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
	}

	/** What `hasEnded` cannot tell when no event comes any more (Linux, proc(5)). */
	get isAlive() {
		try {
			return !/\) Z /.test(readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8'));
		} catch {
			return false;
		}
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
		const timer = setTimeout(() => this.kill(), READY_MS);
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
		const timer = setTimeout(() => this.kill(), PATIENCE_MS);
		await gone;
		clearTimeout(timer);
	}

	/** Ends it and what it started, at once.
	 * @param {NodeJS.Signals} [signal] */
	kill(signal = 'SIGKILL') {
		if (this.hasEnded)
			return;
		try {
			process.kill(-(/** @type {number} */ (this.#child.pid)), signal);
		} catch {} // it has ended just now
	}
}
