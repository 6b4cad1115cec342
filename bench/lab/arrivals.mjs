// What has arrived of numbered messages: pure. Each is wanted once and in order; one that the
// client recovered says so (`late: true`) and may come after later ones.

export class Arrivals {
	/** @type {Map<number, number>} by number: when it came first */
	got = new Map();
	doubled = 0;
	reordered = 0;
	recovered = 0;
	#top = -1;

	/** @param {number} n @param {{ late?: boolean }} event @param {number} now ms */
	take(n, { late }, now) {
		if (this.got.has(n)) {
			this.doubled++;
			return;
		}
		this.got.set(n, now);
		if (late)
			this.recovered++;
		else if (n < this.#top)
			this.reordered++;
		this.#top = Math.max(this.#top, n);
	}
}
