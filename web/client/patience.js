// Learns how long the path lets a connection be silent: two cuts after similar silences teach the
// limit. The client forgets the limit after half an hour, so that it notices a repaired path.

const MS = 30 * 60000;
const ALIKE = 0.1;

/** @typedef {{ heartbeat?: number, hold?: number, learned?: number }} Known
 * 	in s; learned: ms, when */

export class Patience {
	/** @type {Map<string, number>} */
	#cuts = new Map(); // ms of silence before the last cut
	#asked;
	#learned = 0;

	/** @param {Known} asked @param {Known} [known] from before */
	constructor({ heartbeat, hold = 25 }, known = {}) {
		this.#asked = { heartbeat, hold };
		this.heartbeat = heartbeat;
		this.hold = hold;
		if (known.learned) {
			this.#learned = known.learned;
			this.heartbeat = Math.min(heartbeat ?? 60, known.heartbeat ?? 60);
			this.hold = Math.min(hold, known.hold ?? hold);
		}
	}

	/** The learned limits, to be remembered.
	 * @returns {Known} */
	get known() {
		return this.#learned ?
			{ heartbeat: this.heartbeat, hold: this.hold, learned: this.#learned } : {};
	}

	/** A connection ended. If it survived a longer silence before, this silence was not the reason.
	 * @param {string} name of the transport @param {number} silent ms before the end
	 * @param {number} survived ms, the longest silence before @param {number} now ms
	 * @returns {boolean} whether the client allows less silence from now on */
	learn(name, silent, survived, now) {
		const before = this.#cuts.get(name) ?? 0;
		if (silent < 1000 || silent < survived * (1 - ALIKE))
			return false;
		this.#cuts.set(name, silent);
		if (Math.abs(silent - before) > ALIKE * Math.max(silent, before))
			return false;
		const { heartbeat = 60, hold } = this;
		const s = 0.7 * Math.min(silent, before) / 1000;
		if (name === 'longpoll')
			this.hold = Math.min(hold, s < 2 ? s : Math.floor(s));
		else
			this.heartbeat = Math.min(heartbeat, Math.max(4, Math.floor(s)));
		const isLess = this.hold < hold || (this.heartbeat ?? 60) < heartbeat;
		if (isLess)
			this.#learned = now;
		return isLess;
	}

	/** @param {number} now ms */
	forgetOld(now) {
		if (this.#learned && Math.abs(now - this.#learned) >= MS)
			this.forget();
	}

	/** Allows as much silence as at first. One more cut like the last teaches the limit again. */
	forget() {
		this.#learned = 0;
		Object.assign(this, this.#asked);
	}
}
