// All that changes what is seen goes through one requestAnimationFrame: rows at once, charts
// in turns, so that no frame carries more than a few of them.

const CHARTS_A_FRAME = 2;

/** @typedef {{ draw: () => void, every: number, due: number, element: Element | null,
 * 	isSeen: boolean }} Chart */

export class Frames {
	/** @type {Set<() => void>} */
	#writes = new Set();
	/** @type {((at: number) => void)[]} */
	#painted = [];
	/** @type {Chart[]} */
	#charts = [];
	#asked = false;
	#running = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	#channel = new MessageChannel();
	/** @type {((at: number) => void)[]} */
	#waiting = [];
	#observer = new IntersectionObserver((entries) => {
		for (const { target, isIntersecting } of entries)
			for (const chart of this.#charts)
				if (chart.element === target)
					chart.isSeen = isIntersecting;
		this.#plan();
	}, { rootMargin: '100px' });

	constructor() {
		// A task that is posted in a frame runs after the frame was painted.
		this.#channel.port1.onmessage = () =>
			this.#waiting.splice(0).forEach((tell) => tell(performance.now()));
	}

	/** Calls `write` in the next frame, once however often it is asked for.
	 * @param {() => void} write */
	write(write) {
		this.#writes.add(write);
		this.#ask();
	}

	/** Calls `tell` with the time (of performance.now()) at which the next frame was painted.
	 * @param {(at: number) => void} tell */
	painted(tell) {
		this.#painted.push(tell);
		this.#ask();
	}

	/** Calls `draw` every so many ms while charts run and `element` is in view; without one,
	 * always.
	 * @param {Element | null} element @param {number} every @param {() => void} draw */
	addChart(element, every, draw) {
		this.#charts.push({ draw, every, due: 0, element, isSeen: !element });
		if (element)
			this.#observer.observe(element);
	}

	/** @param {boolean} running */
	run(running) {
		this.#running = running;
		this.#plan();
	}

	/** Draws every chart once, when its colours or its size are others. */
	redraw() {
		this.#charts.forEach((chart) => chart.due = 0);
		this.write(() => this.#charts.forEach((chart) => chart.draw()));
	}

	#ask() {
		if (this.#asked)
			return;
		this.#asked = true;
		requestAnimationFrame(() => this.#frame());
	}

	#plan() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (!this.#running)
			return;
		const seen = this.#charts.filter(({ isSeen }) => isSeen);
		const due = Math.min(...seen.map((chart) => chart.due));
		if (due < Infinity)
			this.#timer = setTimeout(() => this.#ask(), Math.max(0, due - performance.now()));
	}

	#frame() {
		this.#asked = false;
		const writes = [...this.#writes];
		this.#writes.clear();
		writes.forEach((write) => write());
		const now = performance.now();
		if (this.#running) {
			const due = this.#charts.filter((chart) => chart.isSeen && chart.due <= now)
				.sort((a, b) => a.due - b.due).slice(0, CHARTS_A_FRAME);
			for (const chart of due) {
				chart.draw();
				chart.due = Math.max(chart.due + chart.every, now + chart.every / 2);
			}
		}
		if (this.#painted.length) {
			this.#waiting.push(...this.#painted.splice(0));
			this.#channel.port2.postMessage(null);
		}
		this.#plan();
	}
}
