// Where the marks of the picture of all networks stand: round trip across, latency up, both
// logarithmic. No elements: node tests it as it is. Places are in pixels, times in µs.
import { decades, plain } from './words.mjs';

/** @typedef {import('./networks.mjs').Network} Network */
/** @typedef {{ network: number, x: number, y: number, high: number, radius: number,
 *   p50: number, p90: number }} Mark `y` to `high`: the whisker, from p50 to p90 */
/** @typedef {{ at: number, label: string }} Tick */

const LEFT = 70, RIGHT = 12, BOTTOM = 46, ROW = 15;
const LETTER = 6.6; // width of one at the labels' size, about
const NEAREST = 100; // µs: a shorter round trip stands here, since the axis has no zero

/** @param {number} loss a share @returns {number} of a mark: its area grows with the loss */
export function radiusOf(loss) {
	return Math.sqrt(8 + 700 * loss);
}

/** @param {number} from @param {number} to @param {number} start @param {number} end pixels
 * @returns {(value: number) => number} */
function logScale(from, to, start, end) {
	const span = Math.log(to / from);
	return (value) => start + (end - start) * Math.log(value / from) / span;
}

/** Puts each label into the first row where it stands beside the others.
 * @param {{ x: number, text: string }[]} labels by place, ascending @param {number} width
 * @returns {{ x: number, row: number }[]} */
export function rowsOf(labels, width) {
	/** @type {number[]} */
	const ends = []; // of each row
	return labels.map(({ x, text }) => {
		const half = text.length * LETTER / 2 + 3;
		const place = Math.min(Math.max(x, half), width - half);
		let row = ends.findIndex((end) => end <= place - half);
		if (row < 0)
			row = ends.length;
		ends[row] = place + half;
		return { x: place, row };
	});
}

/** @param {Network} network */
function distanceOf({ kind }) {
	return Math.max(kind.rtt_ms * 1000, NEAREST);
}

/** All times of the picture. @param {Network[]} networks @param {number} rate
 * @param {string[]} transports */
function timesShown(networks, rate, transports) {
	return networks.flatMap((network) => [distanceOf(network) / 2, ...network.entries
		.filter(({ transport }) => transports.includes(transport))
		.flatMap(({ latency }) => {
			const { p50, p90 } = latency[rate] ?? {};
			return p50 ? [p50.median, p90?.median ?? p50.median] : [];
		})]);
}

/** @param {number[]} values @param {number} margin a factor on both sides
 * @returns {[number, number]} */
function rangeOf(values, margin) {
	return [Math.min(...values) / margin, Math.max(...values) * margin];
}

/** The marks of one transport; null where a network has no figure of it: its line breaks there.
 * @param {string} transport @param {number} shift beside the others' marks
 * @param {{ networks: Network[], rate: number, across: (us: number) => number,
 *   up: (us: number) => number }} of @returns {(Mark | null)[]} */
function marksOf(transport, shift, { networks, rate, across, up }) {
	return networks.map((network, i) => {
		const { p50, p90 } = network.entries.find((entry) => entry.transport === transport)
			?.latency[rate] ?? {};
		if (!p50)
			return null;
		const high = Math.max(p90?.median ?? 0, p50.median);
		return { network: i, x: across(distanceOf(network)) + shift, y: up(p50.median),
			high: up(high), radius: radiusOf(network.kind.loss ?? 0), p50: p50.median, p90: high };
	});
}

/** @param {{ networks: Network[], rate: number, transports: string[], width: number,
 *   height: number }} wanted networks by distance; transports: those that are shown */
export function layoutOf({ networks, rate, transports, width, height }) {
	const distances = networks.map(distanceOf);
	const [from, to] = rangeOf(distances, distances.length > 1 ? 1.7 : 4);
	const [least, most] = rangeOf(timesShown(networks, rate, transports), 1.4);
	const across = logScale(from, to, LEFT, width - RIGHT);
	const rows = rowsOf(networks.map(({ kind }, i) =>
		({ x: across(distances[i]), text: kind.name })), width);
	const top = (Math.max(...rows.map(({ row }) => row)) + 1) * ROW + 8, bottom = height - BOTTOM;
	const up = logScale(least, most, bottom, top);
	const step = Math.min(Math.max(width / 110, 3.2), 7);
	return {
		left: LEFT, right: width - RIGHT, top, bottom,
		networks: networks.map(({ kind }, i) => ({ name: kind.name, x: across(distances[i]),
			labelX: rows[i].x, labelY: 11 + rows[i].row * ROW })),
		series: transports.map((transport, i) => ({ transport, marks: marksOf(transport,
			(i - (transports.length - 1) / 2) * step, { networks, rate, across, up }) })),
		/** The least that a message can take: half of the round trip. */
		oneWay: rangeOf(distances, 1.3).map((us) => [across(us), up(us / 2)]),
		xTicks: ticksOf(from, to, across), yTicks: ticksOf(least, most, up),
	};
}

/** @param {number} from @param {number} to @param {(us: number) => number} scale
 * @returns {Tick[]} */
function ticksOf(from, to, scale) {
	return decades(from, to).map((us) => ({ at: scale(us), label: plain(us) }));
}

/** The network whose marks are nearest to a place. @param {{ x: number }[]} networks
 * @param {number} x */
export function nearestTo(networks, x) {
	return networks.reduce((best, network, i) =>
		Math.abs(network.x - x) < Math.abs(networks[best].x - x) ? i : best, 0);
}

/** The outline of a transport's mark: they differ in shape, not in colour alone.
 * @param {string} transport @param {number} x @param {number} y @param {number} r */
export function outlineOf(transport, x, y, r) {
	/** @type {Record<string, [number, number][]>} corners, in radii */
	const shapes = { sse: [[-.9, -.9], [.9, -.9], [.9, .9], [-.9, .9]],
		stream: [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]],
		longpoll: [[0, -1.2], [1.15, .85], [-1.15, .85]],
		poll: [[0, 1.2], [1.15, -.85], [-1.15, -.85]] };
	const round = (/** @type {number} */ value) => Number(value.toFixed(1));
	const corners = shapes[transport];
	const arc = (/** @type {number} */ dx) => `a${round(r)} ${round(r)} 0 1 0 ${round(dx)} 0`;
	return corners ?
		`M${corners.map(([dx, dy]) => `${round(x + dx * r)} ${round(y + dy * r)}`).join('L')}Z` :
		`M${round(x - r)} ${round(y)}${arc(2 * r)}${arc(-2 * r)}Z`;
}
