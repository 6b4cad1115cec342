// Publishes 1, 2, 3, ... through the gateways in turn, each once the one before was taken. What has
// no answer is sent again, through the other gateway: with the same key, so that it counts once.
import { createName } from '../panel.js';

const EVERY_MS = 100;
const AGAIN_MS = 250;
const PATIENCE_MS = 3000; // then the other gateway is asked too
const LONG_MS = 1000; // a wait that is worth a line

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tells by `published` events (detail: the number) and `words` events. */
export class Writer extends EventTarget {
	#channel;
	#pick;
	#number = 0;
	#run = 0; // the loop that goes on; another ends
	/** @type {{ number: number, key: string } | null} sent, and not known to be taken */
	#open = null;
	taken = 0;
	again = 0; // sent once more, with the same key
	longest = 0; // ms that one waited
	/** @type {Map<string, number>} by gateway */
	through = new Map();
	#since = 0; // when the one that waits was sent first

	/** @param {string} channel
	 * @param {(turn: number) => { name: string, url: URL } | undefined} pick a gateway to ask */
	constructor(channel, pick) {
		super();
		this.#channel = channel;
		this.#pick = pick;
	}

	/** ms that the one on its way has waited; 0: none. */
	get waiting() {
		return this.#open && this.#since ? performance.now() - this.#since : 0;
	}

	async start() {
		const run = ++this.#run;
		let turn = this.#number;
		while (run === this.#run) {
			this.#open ??= { number: ++this.#number, key: createName() };
			this.dispatchEvent(new CustomEvent('published', { detail: this.#open.number }));
			const began = this.#since = performance.now();
			while (run === this.#run && !await this.#send(this.#open, turn++)) {
				this.again++;
				await wait(AGAIN_MS);
			}
			if (run !== this.#run)
				return; // it is sent again when this goes on
			this.#note(performance.now() - began);
			this.#open = null;
			await wait(Math.max(0, EVERY_MS - (performance.now() - began)));
		}
	}

	stop() {
		this.#run++;
		this.#since = 0;
	}

	/** @param {{ number: number, key: string }} message @param {number} turn
	 * @returns {Promise<boolean>} if it was taken */
	async #send({ number, key }, turn) {
		const gateway = this.#pick(turn);
		if (!gateway)
			return false;
		const url = new URL('publish', gateway.url);
		url.searchParams.set('channel', this.#channel);
		try {
			const response = await fetch(url, { method: 'POST', body: JSON.stringify({ number }),
				signal: AbortSignal.timeout(PATIENCE_MS),
				headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key } });
			if (response.ok)
				this.through.set(gateway.name, (this.through.get(gateway.name) ?? 0) + 1);
			return response.ok;
		} catch {
			return false;
		}
	}

	/** @param {number} ms that it took */
	#note(ms) {
		this.taken++;
		this.longest = Math.max(this.longest, ms);
		if (ms > LONG_MS)
			this.dispatchEvent(new CustomEvent('words', { detail: { kind: 'relief',
				words: `Publishing works again after ${(ms / 1000).toFixed(1)} s`, why: '' } }));
	}
}
