// Goals of many gateways, and how many of them a number of clients needs.
import { el } from './elements.mjs';
import { figuresTable, scroller, section } from './page.mjs';

/** @param {import('./results.mjs').Report} report */
export function drawCluster(report) {
	const { goals, sizes, load } = report.cluster ?? {};
	if (!goals)
		return;
	const { element } = section('cluster-goals', 'Many gateways: goals and sizes', '');
	element.append(plainTable('Goals', ['', 'measured', 'goal', ''], goals.map(goalRow)));
	if (!sizes)
		return;
	element.append(el('p', {}, 'These sizes are computed. Each client publishes once every ' +
		`${Math.round(1 / load.publishes_per_client_s)} s, and each message reaches ` +
		`${load.receivers} clients. A host has ${load.cores} cores and ${load.memory_gib} GiB, ` +
		`of which ${100 * load.share} % are used. doc/cluster.md has the formulae.`),
	plainTable('Sizes', ['clients', 'publishes/s', 'buses', 'gateways', 'NATS servers',
		'first limit'], sizes.map(sizeRow)));
}

/** @param {number} number */
function grouped(number) {
	return Math.round(number).toLocaleString('en');
}

/** @param {any} goal @returns {string[]} */
function goalRow({ what, value, unit, least, limit, verdict }) {
	const measured = value === null ? '–' :
		`${Number(value.toPrecision(3)).toLocaleString('en')} ${unit}`;
	return [what, measured, `${least ? 'at least' : 'at most'} ${limit} ${unit}`, verdict];
}

/** @param {any} size @returns {string[]} */
function sizeRow({ clients, publishes_per_s, buses, gateways, servers, first }) {
	return [...[clients, publishes_per_s, buses, gateways, servers].map(grouped), first];
}

/** @param {string} caption @param {string[]} heads @param {string[][]} rows */
function plainTable(caption, heads, rows) {
	return scroller(caption, figuresTable(caption, heads, rows.map(([first, ...rest]) =>
		el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((text) =>
			el('td', {}, text))))));
}
