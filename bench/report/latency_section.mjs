// Latency by percentile: a plot of one case, and its table.
import { el } from './elements.mjs';
import {
	curve, extreme, histogramsOf, lastPlace, merged, percent, percentilesTo,
} from './histogram.mjs';
import { chooser, section } from './page.mjs';
import { axis, dashOf, plot, redrawIn, strokeOf } from './plots.mjs';
import { casesOf, nameOf } from './results.mjs';
import { tableOf } from './tables.mjs';
import { decades, inWords, plain } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./results.mjs').Case} Case */

const STEPS = 240; // of a line

/** @param {Report} report */
export function drawLatency(report) {
	const cases = casesOf(report, 'latency').filter(({ results }) =>
		results.some((result) => histogramsOf(result).length));
	if (!cases.length)
		return;
	const { element, head } = section('latency', 'Latency', 'The time from the moment when a ' +
		'message is due until a subscriber has it. The bench publishes at a fixed rate that ' +
		'nothing slows down, so a stall counts in every message that is due meanwhile. Both axes ' +
		'are logarithmic. A line is all repeats together; the shade around it is their range. A ' +
		'line ends where fewer than ten samples lie beyond it.');
	const host = el('div', { class: 'figure' }), rest = el('div');
	element.append(host, rest);
	let chosen = cases[0];
	chooser(head, cases, (one) => {
		chosen = one;
		rest.replaceChildren(tableOf(report, 'latency', one.results));
		redrawIn(host);
	});
	plot(host, () => latencyPlot(report, chosen));
}

/** @param {Report} report @param {Case} chosen */
function latencyPlot(report, { results }) {
	const shown = results.filter((result) => histogramsOf(result).length);
	const end = lastPlace(shown.map(histogramsOf));
	const places = Array.from({ length: STEPS + 1 }, (_, i) => end ** (i / STEPS));
	/** @type {(chart: any, place: number | null) => string} */
	const value = (_, place) => place === null ? '–' : percent(place);
	/** @type {any[][]} */
	const [data, series, bands] = [[places], [{ label: 'percentile', value }], []];
	for (const result of shown)
		addLine(report, result, { places, data, series, bands });
	return { data, options: optionsOf(end, series, bands) };
}

/** Adds the line of a result, and of several repeats the band of their range.
 * @param {Report} report @param {import('./networks.mjs').Result} result
 * @param {{ places: number[], data: any[], series: any[], bands: any[] }} to */
function addLine(report, result, { places, data, series, bands }) {
	const each = histogramsOf(result).map((histogram) => curve(histogram, places));
	const stroke = strokeOf(result);
	/** @type {(chart: any, us: number | null) => string} */
	const value = (_, us) => us === null ? '–' : inWords(us, 'µs');
	data.push(curve(merged(histogramsOf(result)), places));
	series.push({ label: nameOf(report, result), stroke, width: 2, dash: dashOf(report, result),
		spanGaps: false, points: { show: false }, value });
	if (each.length < 2)
		return;
	data.push(extreme(each, Math.max), extreme(each, Math.min));
	const edge = { class: 'band', stroke: 'transparent', width: 0, points: { show: false } };
	series.push(edge, { ...edge });
	bands.push({ series: [series.length - 2, series.length - 1], fill: `${stroke}22` });
}

/** @param {number} end @param {any[]} series @param {any[]} bands */
function optionsOf(end, series, bands) {
	return { height: 380, series, bands, cursor: { drag: { x: false, y: false } },
		scales: { x: { time: false, distr: 3, range: [1, end] }, y: { distr: 3 } },
		axes: axesTo(end), hooks: { setSeries: [toggleBand] },
		legend: { markers: { dash: (/** @type {any} */ chart, /** @type {number} */ i) =>
			chart.series[i].dash ? 'dashed' : 'solid' } } };
}

/** @param {number} end */
function axesTo(end) {
	/** @type {(chart: any, splits: number[]) => number[]} */
	const all = (_, splits) => splits;
	/** @type {(chart: any, index: number, from: number, to: number) => number[]} */
	const times = (_, index, from, to) => decades(from, to);
	/** @type {(chart: any, splits: number[]) => string[]} */
	const percents = (_, splits) => splits.map(percent);
	/** @type {(chart: any, splits: number[]) => string[]} */
	const inTime = (_, splits) => splits.map(plain);
	return [
		axis({ label: 'percentile of the deliveries', filter: all, values: percents,
			splits: (/** @type {any} */ { width }) => percentilesTo(end, width) }),
		axis({ size: 64, filter: all, splits: times, values: inTime }),
	];
}

/** A band goes with its line. @param {any} chart @param {number | null} index
 * @param {{ show?: boolean }} changed */
function toggleBand(chart, index, changed) {
	if (index === null || changed.show === undefined || chart.series[index].class === 'band')
		return;
	for (let i = index + 1; chart.series[i]?.class === 'band'; i++)
		if (chart.series[i].show !== changed.show)
			chart.setSeries(i, { show: changed.show });
}
