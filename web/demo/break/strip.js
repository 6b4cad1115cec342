// When which transport was in use: spans of time, the newest last. Pure; the chart draws it.

/** @typedef {{ lane: string, kind: 'use' | 'block', from: number, to: number }} Span
 * 	to: Infinity while it lasts; times in ms */

export class Strip {
	/** @type {Span[]} */
	#spans = [];

	/** @param {number} window ms that are kept */
	constructor(window) {
		this.window = window;
	}

	/** @param {string | null} lane null: none @param {number} now */
	use(lane, now) {
		const open = this.#spans.find(({ kind, to }) => kind === 'use' && to === Infinity);
		if (open?.lane === lane)
			return;
		if (open)
			open.to = now;
		if (lane)
			this.#spans.push({ lane, kind: 'use', from: now, to: Infinity });
	}

	/** @param {string[]} lanes all that are blocked now @param {number} now */
	block(lanes, now) {
		const open = this.#spans.filter(({ kind, to }) => kind === 'block' && to === Infinity);
		for (const span of open)
			if (!lanes.includes(span.lane))
				span.to = now;
		for (const lane of lanes)
			if (!open.some((span) => span.lane === lane))
				this.#spans.push({ lane, kind: 'block', from: now, to: Infinity });
	}

	/** What lies in the window, as shares of it: 0 its begin, 1 now.
	 * @param {number} now
	 * @returns {{ lane: string, kind: 'use' | 'block', start: number, end: number }[]} */
	view(now) {
		const begin = now - this.window;
		this.#spans = this.#spans.filter(({ to }) => to > begin);
		return this.#spans.map(({ lane, kind, from, to }) => ({ lane, kind,
			start: Math.max(0, (from - begin) / this.window),
			end: Math.min(1, (to - begin) / this.window) }));
	}
}
