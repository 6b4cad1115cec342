// Latencies of the last minute: for the curve, the distribution and its quantiles.

export const WINDOW_S = 60;
export const DECADES = 4; // from 1 ms to 10 s
const BINS_A_DECADE = 6;
export const BINS = DECADES * BINS_A_DECADE;
const HOLE_MS = 2500;
const MOST = 6000; // samples kept

export class Latency {
	/** @type {number[]} of performance.now() */
	#at = [];
	/** @type {number[]} */
	#ms = [];

	/** @param {number} at performance.now() @param {number} ms */
	add(at, ms) {
		this.#at.push(at);
		this.#ms.push(ms);
		if (this.#at.length > MOST)
			this.#drop(this.#at.length - MOST / 2);
	}

	clear() {
		this.#drop(this.#at.length);
	}

	/** @param {number} count */
	#drop(count) {
		this.#at.splice(0, count);
		this.#ms.splice(0, count);
	}

	/** Forgets what is older than the window.
	 * @param {number} now */
	#age(now) {
		const first = this.#at.findIndex((at) => at >= now - WINDOW_S * 1000);
		this.#drop(first < 0 ? this.#at.length : first);
	}

	/** Seconds before now, and log10 of ms, for a curve that has a hole where nothing came.
	 * @param {number} now
	 * @returns {[number[], (number | null)[]]} */
	curve(now) {
		this.#age(now);
		/** @type {[number[], (number | null)[]]} */
		const [seconds, values] = [[], []];
		this.#at.forEach((at, i) => {
			if (i && at - this.#at[i - 1] > HOLE_MS) {
				seconds.push((at - now) / 1000);
				values.push(null);
			}
			seconds.push((at - now) / 1000);
			values.push(place(this.#ms[i]));
		});
		return [seconds, values];
	}

	/** How many samples each bin of log10 has, for a distribution.
	 * @param {number} now */
	histogram(now) {
		this.#age(now);
		const counts = new Array(BINS).fill(0);
		for (const ms of this.#ms)
			counts[Math.min(BINS - 1, Math.floor(place(ms) * BINS_A_DECADE))]++;
		return counts;
	}

	/** @param {number} now @param {...number} wanted from 0 to 1
	 * @returns {(number | undefined)[]} ms */
	quantiles(now, ...wanted) {
		this.#age(now);
		const sorted = Float64Array.from(this.#ms).sort();
		const { length } = sorted;
		return wanted.map((q) =>
			length ? sorted[Math.min(length - 1, Math.ceil(q * length) - 1)] : undefined);
	}
}

/** Where a latency lies on the axis, in decades above 1 ms.
 * @param {number} ms */
export function place(ms) {
	return Math.min(DECADES, Math.log10(Math.max(1, ms)));
}
