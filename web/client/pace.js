// Limits how fast a transport sends requests: at most 5 in any second without a new message. A
// client exceeds that only on a path that answers wrongly.
import { now } from './clock.js';

const SECOND_MS = 1000;
const REQUESTS = 5;
const FREE = 2; // more in the first second, in which a transport proves itself

export class Pace {
	/** @type {number[]} */
	#starts = [];
	#first = Infinity; // ms, the first request

	/** Calls `then`, which starts a request: at once, or as soon as the pace allows it.
	 * @param {() => void} then
	 * @returns {() => void} cancels the call */
	start(then) {
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer;
		const look = () => {
			const wait = this.#getWait(now());
			if (wait > 0) {
				timer = setTimeout(look, wait);
				return;
			}
			this.#starts.push(now());
			then();
		};
		look();
		return () => clearTimeout(timer);
	}

	/** @param {number} at ms, now */
	#getWait(at) {
		this.#first = Math.min(this.#first, at);
		this.#starts = this.#starts.filter((start) => start > at - SECOND_MS && start <= at);
		const most = at < this.#first + SECOND_MS ? REQUESTS + FREE : REQUESTS;
		return this.#starts.length < most ? 0 :
			this.#starts[this.#starts.length - most] + SECOND_MS - at;
	}

	/** A new message arrived: the count starts again. */
	reset() {
		this.#starts = [];
	}
}
