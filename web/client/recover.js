// Recovers messages that ended links did not verify, by a poll: its answer arrives whole or not at
// all.
import { now } from './clock.js';
import { ask, createKey } from './transports/request.js';

const ANSWER_MS = 5000;
const EVERY_MS = 1000; // at most, whatever is answered
const VAIN = 6; // polls without an answer of the gateway's own, in a row

/** @typedef {import('./transports/request.js').Answer} Answer */

export class Recovery {
	#isAsking = false;
	#asked = -Infinity; // ms, when
	#vain = 0;

	/** @param {typeof fetch} fetch
	 * @param {(params: { wait: number, n: string }) => string} url of the poll, at the verified
	 * 	cursor */
	constructor(fetch, url) {
		this.fetch = fetch;
		this.url = url;
	}

	/** Polls, at most once at a time and once per second. If the poll fails, a later call tries
	 * again.
	 * @param {(answer: Answer) => void} take gets the answer
	 * @param {() => void} giveUp called after several polls without an answer */
	async run(take, giveUp) {
		if (this.#isAsking || now() - this.#asked < EVERY_MS)
			return;
		this.#isAsking = true;
		this.#asked = now();
		const answer = await this.#ask().catch(({ retry }) => {
			if (retry) { // the gateway will answer, later
				this.#asked = now() + retry - EVERY_MS;
				this.#vain--;
			}
		});
		this.#isAsking = false;
		this.#vain = answer ? 0 : this.#vain + 1;
		if (answer)
			take(answer);
		else if (this.#vain >= VAIN)
			giveUp();
	}

	/** Polls by POST, which no cache answers.
	 * @returns {Promise<Answer | undefined>} */
	async #ask() {
		const n = createKey();
		const response = await ask(this.fetch, this.url({ wait: 0, n }), ANSWER_MS, 'POST');
		const answer = await response.json();
		return answer.n === n ? answer : undefined;
	}
}

/** The objects of an answer to a poll, in the order in which a stream would send them.
 * @param {Answer} answer
 * @returns {object[]} */
export function listObjects({ cursor, limits, gaps, messages }) {
	return [...gaps, ...messages, { type: 'position', cursor, limits }];
}
