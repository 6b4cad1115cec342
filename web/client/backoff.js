// Full jitter: a wait is anything between nothing and a bound that doubles, so that the
// clients of a server that fell do not all come back at once.

export class Backoff {
	#tries = 0;

	/** @param {number} [first] ms, the first bound
	 * @param {number} [most] ms, the last
	 * @param {() => number} [random] 0 to below 1 */
	constructor(first = 500, most = 30000, random = Math.random) {
		this.first = first;
		this.most = most;
		this.random = random;
	}

	/** How often it was waited. */
	get tries() {
		return this.#tries;
	}

	/** The next wait in ms. What the server asked for is the least of it.
	 * @param {number} [retry] ms @param {number} [most] ms */
	next(retry = 0, most = this.most) {
		const bound = Math.min(this.first * 2 ** this.#tries++, most);
		return retry ? retry + this.random() * Math.min(retry, 1000) / 10 : this.random() * bound;
	}

	reset() {
		this.#tries = 0;
	}
}
