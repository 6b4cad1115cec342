// Publishes 1, 2, 3, ... to a channel, each once the one before was taken. Through the client
// while it is connected, so that its publishes too are cut in the middle; else by a plain
// request. Both have the same key, so however often a number is sent it counts once.
import { createName } from '../panel.js';

/** @typedef {import('../../client/sluice.js').Sluice} Sluice */

const EVERY_MS = 100;
const SELDOM_MS = 5000;
const PATIENCE_MS = 1000; // with the client, then the plain request goes too
const AGAIN_MS = 500;

const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Numbers {
	#url;
	#channel;
	#onPublish;
	#number = 0;
	/** Only now and then, so that connections are silent. */
	isSeldom = false;
	#run = 0; // the loop that goes on; another ends
	/** @type {{ number: number, key: string } | null} sent, and not known to be taken */
	#open = null;

	/** @param {URL} base of the gateway @param {string} channel
	 * @param {(number: number) => void} onPublish */
	constructor(base, channel, onPublish) {
		this.#url = new URL('publish', base);
		this.#url.searchParams.set('channel', channel);
		this.#channel = channel;
		this.#onPublish = onPublish;
	}

	/** @param {() => Sluice | null} getClient */
	async start(getClient) {
		const run = ++this.#run;
		let due = performance.now();
		while (run === this.#run) {
			this.#open ??= { number: ++this.#number, key: createName() };
			this.#onPublish(this.#open.number);
			try {
				await this.#publish(this.#open, getClient());
				this.#open = null;
			} catch {
				await wait(AGAIN_MS);
			}
			due = Math.max(due + EVERY_MS, performance.now() - EVERY_MS);
			await wait(Math.max(0, due - performance.now()));
			while (run === this.#run && this.isSeldom &&
				performance.now() < due + SELDOM_MS - EVERY_MS)
				await wait(EVERY_MS);
		}
	}

	stop() {
		this.#run++;
	}

	/** @param {{ number: number, key: string }} message @param {Sluice | null} client */
	#publish({ number, key }, client) {
		const data = { number };
		if (client?.state !== 'open')
			return this.#post(data, key);
		const late = new AbortController();
		const plain = wait(PATIENCE_MS)
			.then(() => late.signal.aborted ? null : this.#post(data, key));
		return Promise.any([client.publish(this.#channel, data, { key }), plain])
			.finally(() => late.abort());
	}

	/** @param {{ number: number }} data @param {string} key */
	async #post(data, key) {
		const response = await fetch(this.#url, { method: 'POST', body: JSON.stringify(data),
			headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key } });
		if (!response.ok)
			throw new Error(`status ${response.status}`);
	}
}
