// A lane's latencies: over the last minute, and how often each occurs. Both on the same
// logarithmic scale in every lane, so that lanes can be compared by eye.
import { Colours } from './colours.js';
import { formatMs } from './format.js';
import { BINS, DECADES, WINDOW_S, place } from './latency.js';
import uPlot from './vendor/uplot/uPlot.esm.js';

const labels = ['1 ms', '10', '100', '1 s', '10 s'];
const FEW = 40; // samples that would not make a line
const FONT = '10px system-ui, sans-serif';
const decades = Array.from({ length: DECADES + 1 }, (_, i) => i);

/** Without it a chart cannot be drawn: what a build without npm serves stands for uPlot. */
export const hasCharts = Boolean(uPlot);

/** @typedef {import('./latency.js').Latency} Latency */
/** @typedef {import('./frames.js').Frames} Frames */

export class LatencyChart {
	#latency;
	#curve;
	#histogram;
	#hosts;
	/** @type {(number | undefined)[]} */
	#marks = [];

	/** @param {Frames} frames @param {Latency} latency
	 * @param {HTMLElement} over @param {HTMLElement} spread where they are drawn */
	constructor(frames, latency, over, spread) {
		const colours = new Colours(over);
		const ink = () => colours.get('quiet');
		const line = () => colours.get('line');
		const tint = () => colours.get('tint');
		const axis = { stroke: ink, font: FONT, ticks: { show: false },
			grid: { stroke: line, width: 1 } };
		const shared = { legend: { show: false }, cursor: { show: false } };
		this.#latency = latency;
		this.#hosts = { over, spread };
		this.#curve = new uPlot({
			...shared, ...size(over), padding: [8, 12, 0, 0],
			scales: { x: { time: false, range: [-WINDOW_S, 0] }, y: { range: [0, DECADES] } },
			axes: [
				{ ...axis, size: 16, gap: 2, splits: () => [-45, -30, -15, 0],
					values: () => ['−45 s', '−30', '−15', 'now'] },
				{ ...axis, size: 34, gap: 4, splits: () => decades, values: () => labels },
			],
			series: [{}, { stroke: tint, width: 1.25,
				points: { size: 4, fill: tint, show: (chart) => chart.data[0].length < FEW } }],
		}, [[], []], over);
		const createBars = /** @type {uPlot.Series.BarsPathBuilderFactory} */ (uPlot.paths?.bars);
		this.#histogram = new uPlot({
			...shared, ...size(spread), padding: [4, 12, 0, 34],
			scales: { x: { time: false, range: [0, DECADES] },
				y: { range: (_, __, most) => [0, Math.max(1, most)] } },
			axes: [
				{ ...axis, size: 16, gap: 2, splits: () => decades, values: () => labels },
				{ show: false },
			],
			series: [{}, { fill: tint, width: 0, points: { show: false },
				paths: createBars({ size: [1, Infinity], align: 1, gap: 1 }) }],
			hooks: { draw: [(chart) => this.#mark(chart, colours)] },
		}, [bins(), new Array(BINS).fill(0)], spread);
		frames.addChart(over, 250, () => this.#drawCurve());
		frames.addChart(spread, 500, () => this.#drawHistogram());
		new ResizeObserver(() => frames.write(() => this.#fit())).observe(over);
	}

	#drawCurve() {
		this.#curve.setData(this.#latency.curve(performance.now()));
	}

	#drawHistogram() {
		const now = performance.now();
		this.#marks = this.#latency.quantiles(now, 0.5, 0.99);
		this.#histogram.setData([bins(), this.#latency.histogram(now)]);
		const [middle, most] = this.#marks.map(formatMs);
		const words = middle === '–' ? 'no message yet' :
			`half within ${middle}, 99 of 100 within ${most}`;
		this.#hosts.over.setAttribute('aria-label', `Latency over the last minute: ${words}`);
		this.#hosts.spread.setAttribute('aria-label', `How often each latency occurred: ${words}`);
	}

	/** Lines at p50 and p99.
	 * @param {any} chart @param {Colours} colours */
	#mark(chart, colours) {
		const { ctx, bbox } = chart;
		ctx.save();
		ctx.strokeStyle = colours.get('ink');
		ctx.lineWidth = devicePixelRatio;
		this.#marks.forEach((ms, i) => {
			if (ms === undefined)
				return;
			const x = Math.round(chart.valToPos(place(ms), 'x', true)) + 0.5;
			ctx.setLineDash(i ? [3 * devicePixelRatio, 3 * devicePixelRatio] : []);
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
		});
		ctx.restore();
	}

	#fit() {
		const { over, spread } = this.#hosts;
		this.#curve.setSize(size(over));
		this.#histogram.setSize(size(spread));
	}
}

/** In the place of the charts.
 * @param {HTMLElement} over @param {HTMLElement} spread */
export function sayNoChart(over, spread) {
	over.removeAttribute('role');
	over.removeAttribute('aria-label');
	over.classList.add('no-chart');
	over.textContent = 'No chart: uPlot is missing';
	spread.remove();
}

const bins = () => Array.from({ length: BINS }, (_, i) => i * DECADES / BINS);

/** @param {HTMLElement} host */
function size(host) {
	return { width: Math.max(120, host.clientWidth), height: host.clientHeight };
}
