// What the sections ask the report: results by scenario and case, their figures, and why there are
// none. No elements: node tests it as it is.
import { caseInWords } from './words.mjs';

/** @typedef {import('./networks.mjs').Result} Result */
/** @typedef {{ params: Record<string, string | number>, results: Result[] }} Case */
/** @typedef {{ name: string, heading: string, meaning: string, unit: string }} Figure */
/** What sluice-bench wrote. A part that only one section reads has no type here.
 * @typedef {Record<string, any> & { results: Result[],
 *   figures: Record<string, Figure[]> }} Report */

/** @param {Report} report @param {string} scenario */
export function resultsOf(report, scenario) {
	return report.results.filter((result) => result.scenario === scenario);
}

/** The results of a scenario by case, in the order in which they were measured.
 * @param {Report} report @param {string} scenario @returns {Case[]} */
export function casesOf(report, scenario) {
	/** @type {Map<string, Case>} */
	const cases = new Map();
	for (const result of resultsOf(report, scenario)) {
		const params = { ...result.network && { network: result.network.name }, ...result.case };
		const key = JSON.stringify(params);
		/** @type {Case} */
		const known = cases.get(key) ?? { params, results: [] };
		known.results.push(result);
		cases.set(key, known);
	}
	return [...cases.values()];
}

/** @param {Report} report whether it is of more than one server */
export function hasSeveralServers(report) {
	return new Set(report.results.map((result) => result.server)).size > 1;
}

/** @param {Report} report @param {Result} result */
export function nameOf(report, result) {
	return hasSeveralServers(report) ? `${result.transport}, ${result.server}` : result.transport;
}

/** @param {Result} result @param {string} name
 * @returns {import('./words.mjs').Spread | undefined} */
export function figure(result, name) {
	return result.summary[name];
}

/** @param {Result[]} results @param {string} name */
export function has(results, name) {
	return results.some((result) => figure(result, name));
}

/** The figures that a table of these results shows. Bytes of TLS only where there are some.
 * @param {Report} report @param {string} scenario @param {Result[]} results */
export function columnsOf(report, scenario, results) {
	return (report.figures[scenario] ?? []).filter(({ name }) => has(results, name) &&
		(!name.endsWith('_tls') || results.some((result) => figure(result, name)?.median)));
}

/** @param {Report} report @param {{ scenario: string, figure: string }} row of a comparison */
export function unitOf(report, row) {
	return report.figures[row.scenario].find(({ name }) => name === row.figure)?.unit ?? '';
}

/** Why a result has no figures, or ''. @param {Result} result @returns {string} */
export function refusal(result) {
	if (Object.keys(result.summary).length)
		return '';
	if (result.refused)
		return `no figures, because they would be of less work: ${result.refused}`;
	const failed = result.repeats.find((repeat) => repeat.error);
	const skipped = result.repeats.find((repeat) => repeat.skipped)?.skipped ?? 'no figures';
	return failed ? `failed: ${failed.error}` : skipped;
}

/** The cases that have a timeline, each with the results that have one.
 * @param {Report} report @param {string} scenario @returns {Case[]} */
export function timelinesOf(report, scenario) {
	return casesOf(report, scenario).map(({ params, results }) => ({ params,
		results: results.filter(timelineOf) })).filter(({ results }) => results.length);
}

/** Pairs of ms and deliveries, of the first repeat that has some.
 * @param {Result} result @returns {[number, number][] | undefined} */
export function timelineOf(result) {
	return result.repeats.find((repeat) => repeat.timeline?.length)?.timeline;
}

/** The first case of each of these scenarios, in words.
 * @param {Report} report @param {string[]} scenarios */
export function firstCases(report, scenarios) {
	return scenarios.map((scenario) => `${scenario.replace('fanout', 'fan-out')}: ` +
		caseInWords(casesOf(report, scenario)[0].params)).join('; ');
}
