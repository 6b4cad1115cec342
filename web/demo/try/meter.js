// What a transport costs while messages of a size come at a rate: latency, and the bytes of
// the wire beside those of the payload. Pure. Latency is of the last few
// seconds; the overhead of all since it settled, since what is under way when the bytes are
// read counts the less the longer it is.

/** @typedef {{ at: number, latency: number, payload: number }} Arrival */
/** @typedef {{ at: number, wire: number }} Reading bytes of the wire so far, both ways */
/** @typedef {{ messages: number, median: number, high: number, payload: number,
 * 	overhead: number }} Figures
 * 	ms; bytes a message, overhead NaN while it is not known */

const FEWEST = 5; // messages that tell anything

export class Meter {
	/** @type {Arrival[]} */
	#arrivals = [];
	/** @type {(Reading & { payload: number, messages: number })[]} */
	#readings = [];
	#payload = 0;
	messages = 0;

	/** @param {number} window ms */
	constructor(window) {
		this.window = window;
	}

	/** @param {Arrival} arrival */
	arrive(arrival) {
		this.messages++;
		this.#payload += arrival.payload;
		this.#arrivals.push(arrival);
	}

	/** What a message costs is measured anew: its size is another. */
	settle() {
		this.#readings = [];
	}

	/** @param {Reading} reading */
	read(reading) {
		this.#readings.splice(1); // the first and the last tell all
		this.#readings.push({ ...reading, payload: this.#payload, messages: this.messages });
	}

	/** @param {number} now
	 * @returns {Figures | null} null: nothing came of late */
	view(now) {
		const begin = now - this.window;
		this.#arrivals = this.#arrivals.filter(({ at }) => at > begin);
		if (!this.#arrivals.length)
			return null;
		const ages = this.#arrivals.map(({ latency }) => latency).sort((a, b) => a - b);
		const payloads = this.#arrivals.reduce((sum, arrival) => sum + arrival.payload, 0);
		const [first, last] = [this.#readings[0], this.#readings.at(-1)];
		const messages = last ? last.messages - first.messages : 0;
		const overhead = last && messages >= FEWEST ?
			Math.max(0, (last.wire - first.wire - (last.payload - first.payload)) / messages) : NaN;
		return { messages: this.messages, median: ages[ages.length >> 1],
			high: ages[Math.floor(ages.length * .95)], payload: payloads / this.#arrivals.length,
			overhead };
	}
}
