// Tables of all figures of a scenario: a row for each transport and server.
import { el } from './elements.mjs';
import { figuresTable, labelOf, scroller, section } from './page.mjs';
import { casesOf, columnsOf, figure, refusal } from './results.mjs';
import { caseInWords, inWords, spreadInWords } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./networks.mjs').Result} Result */

/** @param {Result} result @param {{ name: string, unit: string }} column */
export function cell(result, { name, unit }) {
	const spread = figure(result, name);
	const range = spread ? spreadInWords(spread, unit) : '';
	return el('td', {}, spread ? inWords(spread.median, unit) : '–',
		range ? el('span', { class: 'spread' }, range) : null);
}

/** @param {Report} report @param {Result} result
 * @param {{ name: string, unit: string }[]} columns */
function rowOf(report, result, columns) {
	const why = refusal(result), head = el('th', { scope: 'row' }, labelOf(report, result));
	if (!why)
		return el('tr', {}, head, ...columns.map((column) => cell(result, column)));
	const isSkipped = result.repeats.every((repeat) => repeat.skipped);
	return el('tr', {}, head,
		el('td', { class: isSkipped ? 'none' : 'said', colspan: columns.length }, why));
}

/** @param {Report} report @param {string} scenario @param {Result[]} results
 * @param {string} [caption] */
export function tableOf(report, scenario, results, caption) {
	const columns = columnsOf(report, scenario, results);
	return scroller(caption ?? scenario, figuresTable(caption ?? null, ['transport',
		...columns.map(({ heading, meaning }) =>
			el('th', { scope: 'col', title: meaning }, heading))],
	results.map((result) => rowOf(report, result, columns))));
}

/** A section with a table for each case of a scenario.
 * @param {Report} report @param {string} scenario @param {string} title @param {string} text */
export function drawTables(report, scenario, title, text) {
	const cases = casesOf(report, scenario);
	if (!cases.length)
		return;
	const { element } = section(scenario, title, text);
	for (const { params, results } of cases)
		element.append(tableOf(report, scenario, results, caseInWords(params)));
}
