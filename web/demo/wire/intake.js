// What one side of a connection said, as the trace gives it: writes, of which only the
// beginning may have been captured. What was not is a hole of known length, so that a frame
// or a chunk whose head was captured is followed to its end all the same.

/** @typedef {object} Taken
 * @property {Uint8Array} bytes the beginning, up to the first hole
 * @property {number} length of all
 * @property {number} captured bytes of it, wherever they are
 * @property {number} time µs, of the write it began in
 * @property {number} n of the event it began in
 * @property {number} writes that carried it
 * @property {number} tls bytes that TLS added to the writes which end in it */

export class Intake {
	#bytes = new Uint8Array(0);
	/** @type {{ start: number, end: number }[]} */
	#holes = [];
	/** @type {{ start: number, time: number, n: number, tls: number }[]} */
	#writes = [];

	get length() {
		return this.#bytes.length;
	}

	/** @param {Uint8Array} bytes captured @param {number} length of the write
	 * @param {number} time @param {number} n @param {number} [tls] bytes that TLS added to it */
	push(bytes, length, time, n, tls = 0) {
		const start = this.#bytes.length;
		const all = new Uint8Array(start + length);
		all.set(this.#bytes);
		all.set(bytes.subarray(0, length), start);
		this.#bytes = all;
		this.#writes.push({ start, time, n, tls });
		if (bytes.length < length)
			this.#holes.push({ start: start + bytes.length, end: start + length });
	}

	/** Bytes from the front that are known, up to the first hole. */
	get known() {
		return this.#bytes.subarray(0, this.#holes[0]?.start ?? this.#bytes.length);
	}

	/** How many bytes are left of the write at the front. */
	get write() {
		return (this.#writes[1]?.start ?? this.#bytes.length);
	}

	/** @param {number} length
	 * @returns {Taken} */
	take(length) {
		const end = Math.min(length, this.#bytes.length);
		const holes = this.#holes.filter(({ start }) => start < end);
		const writes = this.#writes.filter(({ start }) => start < end);
		const missing = holes.reduce((sum, hole) => sum + Math.min(hole.end, end) - hole.start, 0);
		const ended = writes.filter((_, i) => this.#endOf(i) <= end);
		const { time, n } = this.#writes[0] ?? { time: 0, n: 0 };
		const taken = { bytes: this.#bytes.slice(0, Math.min(end, holes[0]?.start ?? end)),
			length: end, captured: end - missing, time, n, writes: writes.length,
			tls: ended.reduce((sum, { tls }) => sum + tls, 0) };
		this.#drop(end);
		return taken;
	}

	/** A write ends where the next begins. @param {number} i */
	#endOf(i) {
		return this.#writes[i + 1]?.start ?? this.#bytes.length;
	}

	/** @param {number} count */
	#drop(count) {
		this.#bytes = this.#bytes.slice(count);
		this.#holes = this.#holes.filter(({ end }) => end > count)
			.map(({ start, end }) => ({ start: Math.max(0, start - count), end: end - count }));
		// A write ends where the next begins; the one that is cut goes on at the front.
		this.#writes = this.#writes
			.filter((_, i, all) => (all[i + 1]?.start ?? count + this.#bytes.length) > count)
			.map((write) => ({ ...write, start: Math.max(0, write.start - count) }));
	}
}
