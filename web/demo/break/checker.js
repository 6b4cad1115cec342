// Checks a delivery: messages numbered from 1 in the order in which they were published. One
// that comes after a later one is out of order, unless the client says that it recovered it
// late. One that is missing counts as on the way while the client may still recover it, then
// as lost.

export class Checker {
	/** @type {Map<number, number>} by number: when a later one arrived, ms */
	#missing = new Map();
	#patience;
	#top = 0;
	#received = 0;
	doubled = 0;
	reordered = 0;
	recovered = 0;
	published = 0;

	/** @param {number} patience ms that the client has to recover one */
	constructor(patience) {
		this.#patience = patience;
	}

	/** The highest number that was published.
	 * @param {number} number */
	expect(number) {
		this.published = Math.max(this.published, number);
	}

	/** @param {number} number of a message that arrived @param {number} now ms
	 * @param {boolean} isLate as the client says */
	take(number, now, isLate) {
		if (number > this.#top) {
			for (let between = this.#top + 1; between < number; between++)
				this.#missing.set(between, now);
			this.#top = number;
		} else if (!this.#missing.delete(number)) {
			this.doubled++;
			return;
		} else if (!isLate)
			this.reordered++;
		this.recovered += Number(isLate);
		this.#received++;
	}

	/** Different messages that arrived. */
	get received() {
		return this.#received;
	}

	/** @param {number} now ms */
	countLost(now) {
		let lost = 0;
		for (const since of this.#missing.values())
			lost += Number(now - since >= this.#patience);
		return lost;
	}

	/** Published, and neither here nor known to be lost.
	 * @param {number} now ms */
	countUnderway(now) {
		return Math.max(this.published, this.#top) - this.#received - this.countLost(now);
	}
}

/** @param {number} lost @param {number} doubled @param {number} reordered */
export const describeVerdict = (lost, doubled, reordered) =>
	`${lost} lost, ${doubled} duplicated, ${reordered} out of order`;
