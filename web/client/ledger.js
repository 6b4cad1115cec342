// What one connection has brought, held against the gateway's own count of it (`sent`;
// PROTOCOL.md, the json format). A path that loses, or alters, some frames is found out so.
import { parseCursor } from './deliver.js';

export class Ledger {
	#count = 0;
	#top = 0; // the highest number when the counts agreed last
	#highest = 0;
	/** @type {Set<number | string>} */
	#since = new Set(); // the counts agreed: each counts once

	/** Of messages and gaps, how many are not yet verified. */
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

	/** How many are missing by the gateway's count; 0: everything up to here has come; -1: that
	 * cannot be told.
	 * @param {any} sent */
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
