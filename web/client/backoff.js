// Full jitter: a wait is anything between nothing and a bound that doubles, so that the
// clients of a server that fell do not all come back at once.

const FIRST_MS = 500; // the first bound
const MOST_MS = 30000; // the last

export class Backoff {
	#tries = 0;

	/** @param {() => number} [random] 0 to below 1 */
	constructor(random = Math.random) {
		this.random = random;
	}

	/** How often it was waited. */
	get tries() {
		return this.#tries;
	}

	/** The next wait in ms. What the server asked for is the least of it.
	 * @param {number} [retry] ms @param {number} [most] ms */
	next(retry = 0, most = MOST_MS) {
		const bound = Math.min(FIRST_MS * 2 ** this.#tries++, most);
		return retry ? retry + this.random() * Math.min(retry, 1000) / 10 : this.random() * bound;
	}

	reset() {
		this.#tries = 0;
	}
}
