// Deliveries over time: one plot for each result of a case, with one cursor.
import { el } from './elements.mjs';
import { chooser, labelOf, section } from './page.mjs';
import { axis, forget, library, plot, strokeOf } from './plots.mjs';
import { timelineOf, timelinesOf } from './results.mjs';
import { plain } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./results.mjs').Case} Case */
/** @typedef {import('./networks.mjs').Result} Result */

/** @param {Report} report */
export function drawTimeline(report) {
	const cases = ['fanout', 'latency', 'channels'].flatMap((scenario) =>
		timelinesOf(report, scenario));
	if (!cases.length)
		return;
	const { element, head } = section('timeline', 'Timeline of deliveries', 'Deliveries in each ' +
		'10 ms of the first repeat, from the first due time. A poll delivers several messages at ' +
		'once. Drag to zoom in, double-click to zoom out.');
	const host = el('div', { class: 'timelines' });
	element.append(host);
	chooser(head, cases, (one) => drawTimelines(report, host, one));
}

/** @param {Report} report @param {any} host @param {Case} chosen */
function drawTimelines(report, host, { results }) {
	const times = results.flatMap((result) => timelineOf(result) ?? []);
	const end = Math.max(...times.map(([ms]) => ms));
	const most = Math.max(...times.map(([, count]) => count));
	forget(host);
	results.forEach((result, i) => {
		const place = el('div'), said = el('span', { class: 'server' });
		host.append(el('h3', {}, labelOf(report, result), said), place);
		plot(place, () => timelinePlot(result, { end, most, said,
			isLast: i === results.length - 1 }));
	});
}

/** @param {Result} result
 * @param {{ end: number, most: number, isLast: boolean, said: any }} axes of all plots */
function timelinePlot(result, { end, most, isLast, said }) {
	const line = new Map(timelineOf(result));
	/** @type {[number[], number[]]} */
	const data = [[], []];
	for (let ms = 0; ms <= end; ms += 10) {
		data[0].push(ms);
		data[1].push(line.get(ms) ?? 0);
	}
	const stroke = strokeOf(result);
	const say = (/** @type {any} */ { cursor: { idx } }) => {
		said.textContent = idx === null || idx === undefined ? '' :
			`${data[1][idx].toLocaleString('en')} after ${plain(data[0][idx] * 1000)}`;
	};
	/** @type {(chart: any, from: number, to: number) => number[]} */
	const range = (_, from, to) => [from, to];
	return { data, options: { height: isLast ? 124 : 92, padding: [8, 20, isLast ? 0 : 10, 0],
		legend: { show: false }, cursor: { sync: { key: 'timeline' } }, hooks: { setCursor: [say] },
		scales: { x: { time: false, range }, y: { range: [0, most * 1.05] } },
		series: [{}, { stroke, fill: `${stroke}33`, width: 1.25,
			paths: library().paths.stepped({ align: 1 }), points: { show: false } }],
		axes: timelineAxes(isLast) } };
}

/** @param {boolean} isLast */
function timelineAxes(isLast) {
	/** @type {(chart: any, splits: number[]) => string[]} */
	const times = (_, splits) => splits.map((ms) => plain(ms * 1000));
	/** @type {(chart: any, splits: number[]) => string[]} */
	const counts = (_, splits) => splits.map((count) => count.toLocaleString('en'));
	return [axis({ show: isLast, values: times }), axis({ size: 56, space: 28, values: counts })];
}
