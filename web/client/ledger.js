// Counts the messages of one connection and compares them with the gateway's count (`sent`;
// PROTOCOL.md, Verifying). So the client finds out that a path loses or alters frames.
import { parseCursor } from './deliver.js';

export class Ledger {
	#count = 0;
	#top = 0; // the highest number when the counts agreed last
	#highest = 0;
	/** @type {Set<number | string>} */
	#since = new Set(); // the counts agreed: each counts once

	/** How many messages and gaps are not verified yet. */
	get unverified() {
		return this.#since.size;
	}

	/** @param {any} object */
	take({ type, id, channel, resumed }) {
		const { seq = 0 } = parseCursor(id) ?? {};
		const key = type === 'gap' ? `${channel} ${resumed}` : channel && seq > this.#top && seq;
		if (!key || this.#since.has(key))
			return;
		this.#since.add(key);
		this.#count++;
		this.#highest = Math.max(this.#highest, seq);
	}

	/** How many are missing by the gateway's count. 0: none; -1: there is no count.
	 * @param {any} sent the gateway's count */
	check(sent) {
		if (typeof sent !== 'number')
			return -1;
		const missing = sent - this.#count;
		if (!missing) {
			this.#since.clear();
			this.#top = this.#highest;
		}
		return missing;
	}
}
