// Plots over uPlot: they follow the width of the page and its colour scheme.
import { el } from './elements.mjs';
import { TRANSPORTS } from './networks.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./networks.mjs').Result} Result */
/** @typedef {(width: number) => { options: any, data: any[] }} Build */
/** @typedef {{ host: any, build: Build, chart: any }} Plot */

const DASHES = [undefined, [7, 4], [2, 3], [9, 3, 2, 3], [12, 5], [4, 2]];
const FONT = '12px system-ui, sans-serif';
/** @type {Plot[]} */
const plots = [];

/** Draws a plot in an element, again when the page or the scheme changes.
 * @param {any} host @param {Build} build */
export function plot(host, build) {
	const entry = { host, build, chart: null };
	plots.push(entry);
	redraw(entry);
}

/** Draws the plots of an element again. @param {any} host */
export function redrawIn(host) {
	plots.filter((entry) => entry.host === host).forEach(redraw);
}

/** Empties an element and forgets the plots in it. @param {any} host */
export function forget(host) {
	for (let i = plots.length; i-- > 0;)
		if (host.contains(plots[i].host))
			plots.splice(i, 1)[0].chart?.destroy();
	host.replaceChildren();
}

/** @returns {any} uPlot; undefined in a build that could not get it from npm */
export function library() {
	return /** @type {any} */ (globalThis).uPlot;
}

/** @param {Plot} entry */
function redraw(entry) {
	const Chart = library();
	if (!Chart) {
		entry.host.replaceChildren(el('p', { class: 'server' }, 'There is no plot, because uPlot ' +
			'is missing. Run `make www` while npm can reach its registry, then run ' +
			'`sluice-bench` again.'));
		return;
	}
	entry.chart?.destroy();
	const { options, data } = entry.build(entry.host.clientWidth);
	entry.chart = new Chart({ width: entry.host.clientWidth, ...options }, data, entry.host);
}

/** Lets the plots follow the page; to be called once. */
export function followPage() {
	let resizing = 0;
	addEventListener('resize', () => {
		clearTimeout(resizing);
		resizing = setTimeout(() => plots.forEach(({ chart, host }) =>
			chart?.setSize({ width: host.clientWidth, height: chart.height })), 100);
	});
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
		plots.forEach(redraw));
}

/** @param {string} name of a custom property */
function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** An axis in the page's colours. @param {any} more */
export function axis(more) {
	return { stroke: colour('quiet'), grid: { stroke: colour('line'), width: 1 },
		ticks: { stroke: colour('line'), width: 1 }, font: FONT, labelFont: FONT, ...more };
}

/** How a line is dashed: each server differently. @param {Report} report @param {Result} result */
export function dashOf(report, result) {
	const servers = [...new Set(report.results.map((other) => other.server))];
	return DASHES[servers.indexOf(result.server) % DASHES.length];
}

/** @param {Result} result */
export function strokeOf(result) {
	return colour(TRANSPORTS.includes(result.transport) ? result.transport : 'other');
}
