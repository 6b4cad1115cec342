// Backoff with full jitter: a wait is random, from 0 to a bound that doubles. So the clients of a
// gateway that failed do not all come back at once.

const FIRST_MS = 500; // the first bound
const MOST_MS = 30000; // the last

export class Backoff {
	#tries = 0;

	/** @param {() => number} [random] 0 to below 1 */
	constructor(random = Math.random) {
		this.random = random;
	}

	/** How many waits there were since reset(). */
	get tries() {
		return this.#tries;
	}

	/** The next wait in ms. It is never shorter than `retry`.
	 * @param {number} [retry] ms that the gateway asks for @param {number} [most] ms */
	next(retry = 0, most = MOST_MS) {
		const bound = Math.min(FIRST_MS * 2 ** this.#tries++, most);
		return retry ? retry + this.random() * Math.min(retry, 1000) / 10 : this.random() * bound;
	}

	reset() {
		this.#tries = 0;
	}
}
