// Checks a delivery: messages numbered from 1 in the order in which they were published.
// One is lost only once a later one has arrived without it, since what is still on its way
// is not lost; one that comes after a later one is out of order instead.

export class Checker {
	/** @type {Set<number>} */
	#missing = new Set();
	#top = 0;
	#received = 0;
	doubled = 0;
	reordered = 0;
	published = 0;

	/** The highest number that was published.
	 * @param {number} number */
	expect(number) {
		this.published = Math.max(this.published, number);
	}

	/** @param {number} number of a message that arrived */
	take(number) {
		if (number > this.#top) {
			for (let between = this.#top + 1; between < number; between++)
				this.#missing.add(between);
			this.#top = number;
		} else if (this.#missing.delete(number))
			this.reordered++;
		else {
			this.doubled++;
			return;
		}
		this.#received++;
	}

	/** Different messages that arrived. */
	get received() {
		return this.#received;
	}

	get lost() {
		return this.#missing.size;
	}

	/** Published, and neither here nor known to be lost. */
	get underway() {
		return Math.max(0, this.published - this.#top);
	}

	get isClean() {
		return this.lost + this.doubled + this.reordered === 0;
	}
}
