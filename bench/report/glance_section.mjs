// The first table of the page: for each transport the figures that a reader asks for first.
import { el } from './elements.mjs';
import { TRANSPORTS } from './networks.mjs';
import { figuresTable, labelOf, section } from './page.mjs';
import { casesOf, firstCases, has, nameOf, resultsOf } from './results.mjs';
import { cell } from './tables.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./networks.mjs').Result} Result */

const GLANCE = [
	['latency', 'p50_us', 'latency p50', 'µs'], ['latency', 'p99_us', 'p99', 'µs'],
	['fanout', 'cpu_us_per_delivery', 'CPU per delivery', 'µs'],
	['fanout', 'wakeups_per_delivery', 'wake-ups per delivery', 'ratio'],
	['overhead', 'down_total', 'bytes down', 'B'], ['overhead', 'up_total', 'bytes up', 'B'],
	['idle', 'process_kib', 'memory', 'KiB'],
	['connect', 'first_message_p50_us', 'first message', 'µs'],
];

/** @param {Report} report */
export function drawGlance(report) {
	const columns = GLANCE.filter(([scenario, name]) => has(resultsOf(report, scenario), name));
	const rows = [...new Map(report.results
		.filter((result) => TRANSPORTS.includes(result.transport))
		.map((result) => [nameOf(report, result), result])).values()];
	if (!columns.length || !rows.length)
		return;
	const scenarios = [...new Set(columns.map(([scenario]) => scenario))];
	const { element } = section('glance', 'At a glance', 'Medians of the repeats. Each figure is ' +
		`of the first case that its section shows: ${firstCases(report, scenarios)}.`);
	element.append(el('div', { class: 'scroll' }, figuresTable(null,
		['transport', ...columns.map(([, , heading]) => heading)],
		rows.map((row) => glanceRow(report, row, columns)))));
}

/** @param {Report} report @param {Result} row @param {string[][]} columns */
function glanceRow(report, row, columns) {
	return el('tr', {}, el('th', { scope: 'row' }, labelOf(report, row)),
		...columns.map(([scenario, name, , unit]) => {
			const result = casesOf(report, scenario).flatMap(({ results }) => results)
				.find((one) => nameOf(report, one) === nameOf(report, row));
			return result ? cell(result, { name, unit }) : el('td', {}, '–');
		}));
}
