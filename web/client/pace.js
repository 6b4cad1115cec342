// How fast a transport may ask: at most 5 requests in any second without a new message. Only a
// path that answers wrongly asks for more.

const SECOND_MS = 1000;
const REQUESTS = 5;
const FREE = 2; // more in the first second, in which a transport proves itself

export class Pace {
	/** @type {number[]} */
	#starts = [];
	#first = Infinity; // ms, the first request

	/** Runs what starts a request: at once, or as soon as it may.
	 * @param {() => void} then
	 * @returns {() => void} calls it off */
	start(then) {
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		const look = () => {
			const wait = this.#getWait(Date.now());
			if (wait > 0) {
				timer = setTimeout(look, wait);
				return;
			}
			this.#starts.push(Date.now());
			then();
		};
		look();
		return () => clearTimeout(timer);
	}

	/** @param {number} now ms */
	#getWait(now) {
		this.#first = Math.min(this.#first, now);
		this.#starts = this.#starts.filter((start) => start > now - SECOND_MS && start <= now);
		const most = now < this.#first + SECOND_MS ? REQUESTS + FREE : REQUESTS;
		return this.#starts.length < most ? 0 : this.#starts[this.#starts.length - most] + SECOND_MS - now;
	}

	/** There was something new. */
	reset() {
		this.#starts = [];
	}
}
