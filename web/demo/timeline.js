// Who spoke when: arrows between the gateway, on top, and the client, below, as the trace
// tells them. Heads of HTTP are heavy arrows, everything else light ones.
import { Colours } from './colours.js';
import { formatCount } from './format.js';

const PIXELS_A_SECOND = 60; // ten messages a second can be told apart
const SAID_S = 8;
const LATE_MS = 800; // the trace is asked twice a second: what is drawn is complete
const SLANT = 3;
const HEAD = 5;
const KEPT_US = 12e6;
const JOINED_US = 8000;
const MARGIN = 2; // to the lines of the two
const reduced = matchMedia('(prefers-reduced-motion: reduce)');

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./trace.js').TraceEvent} TraceEvent */

export class Timeline {
	#page;
	#canvas;
	#words;
	#colours;
	/** @type {TraceEvent[]} */
	#events = [];
	#last = 0;
	#said = 0;

	/** @param {Page} page @param {string} name of the trace
	 * @param {HTMLCanvasElement} canvas @param {HTMLElement} words */
	constructor(page, name, canvas, words) {
		this.#page = page;
		this.#canvas = canvas;
		this.#words = words;
		this.#colours = new Colours(canvas);
		page.trace.addEventListener('trace', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (detail.name === name)
				this.#take(detail);
		});
		page.frames.addChart(canvas, reduced.matches ? 1000 : 100, () => this.#draw());
	}

	/** @param {import('./trace.js').TraceOfName} trace */
	#take({ events, next }) {
		if (next < this.#last)
			this.#last = 0; // another life of the gateway
		const fresh = events.filter(({ n }) => n > this.#last);
		this.#last = fresh.at(-1)?.n ?? this.#last;
		this.#events.push(...fresh);
		const oldest = this.#page.time() - KEPT_US;
		const first = this.#events.findIndex(({ time }) => time > oldest);
		this.#events.splice(0, first < 0 ? this.#events.length : first);
		if (performance.now() - this.#said > 2000)
			this.#page.frames.write(() => this.#say());
	}

	#say() {
		this.#said = performance.now();
		const since = this.#page.time() - SAID_S * 1e6;
		const recent = this.#events.filter(({ time, what }) =>
			time > since && (what === 'head' || what === 'bytes'));
		const asked = recent.filter(({ from }) => from === 'client').length;
		const [client, gateway] = [asked, recent.length - asked].map(formatCount);
		const words = `in ${SAID_S} s: client ${client}×, gateway ${gateway}×`;
		this.#words.textContent = words;
		this.#canvas.setAttribute('aria-label', `Who sent when, ${words}`);
	}

	#draw() {
		const { clientWidth: width, clientHeight: height } = this.#canvas;
		const ratio = devicePixelRatio;
		if (this.#canvas.width !== Math.round(width * ratio) ||
			this.#canvas.height !== Math.round(height * ratio)) {
			this.#canvas.width = Math.round(width * ratio);
			this.#canvas.height = Math.round(height * ratio);
		}
		const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
		context.setTransform(ratio, 0, 0, ratio, 0, 0);
		context.clearRect(0, 0, width, height);
		const now = this.#page.time() - LATE_MS * 1000;
		const speed = PIXELS_A_SECOND / 1e6;
		const place = (/** @type {number} */ time) => width - 4 - (now - time) * speed;
		this.#drawScale(context, width, height, now, place);
		for (const event of this.#join()) {
			const x = place(event.time);
			if (x > 0 && x < width)
				this.#drawEvent(context, event, x, height);
		}
	}

	/** What one side says at once is one arrow: a head and its body.
	 * @returns {TraceEvent[]} */
	#join() {
		/** @type {TraceEvent[]} */
		const joined = [];
		for (const event of this.#events) {
			const last = joined.at(-1);
			const isSame = last && last.from === event.from && event.time - last.time < JOINED_US;
			if (!isSame || last.what === 'open' || event.what !== 'bytes')
				joined.push(event);
		}
		return joined;
	}

	/** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height
	 * @param {number} now @param {(time: number) => number} place */
	#drawScale(context, width, height, now, place) {
		context.strokeStyle = this.#colours.get('line');
		context.lineWidth = 1;
		context.beginPath();
		for (let second = Math.floor(now / 1e6) * 1e6; place(second) > 0; second -= 1e6) {
			const x = Math.round(place(second)) + 0.5;
			context.moveTo(x, MARGIN);
			context.lineTo(x, height - MARGIN);
		}
		context.stroke();
		context.strokeStyle = this.#colours.get('quiet');
		context.beginPath();
		for (const y of [MARGIN - 0.5, height - MARGIN + 0.5]) {
			context.moveTo(0, y);
			context.lineTo(width, y);
		}
		context.stroke();
	}

	/** @param {CanvasRenderingContext2D} context @param {TraceEvent} event
	 * @param {number} x @param {number} height */
	#drawEvent(context, { from, what }, x, height) {
		const [top, bottom] = [MARGIN, height - MARGIN];
		const colour = this.#colours.get(from === 'client' ? 'ink' : 'tint');
		context.strokeStyle = context.fillStyle = colour;
		if (what === 'open' || what === 'close') {
			context.strokeStyle = this.#colours.get('ink');
			context.lineWidth = 1.5;
			context.beginPath();
			if (what === 'open')
				context.arc(x, bottom, 3, 0, 7);
			else {
				context.moveTo(x - 3, bottom - 3);
				context.lineTo(x + 3, bottom + 3);
				context.moveTo(x - 3, bottom + 3);
				context.lineTo(x + 3, bottom - 3);
			}
			context.stroke();
			return;
		}
		// Time is the gateway's, so an arrow has its true place at the upper line.
		const up = from === 'client';
		const [x0, y0, x1, y1] = up ? [x - SLANT, bottom, x, top] : [x, top, x + SLANT, bottom];
		const back = up ? HEAD : -HEAD;
		context.lineWidth = what === 'head' ? 1.75 : 1;
		context.beginPath();
		context.moveTo(x0, y0);
		context.lineTo(x1, y1);
		context.stroke();
		context.beginPath();
		context.moveTo(x1, y1);
		context.lineTo(x1 - 2.5, y1 + back);
		context.lineTo(x1 + 2, y1 + back);
		context.fill();
	}
}
