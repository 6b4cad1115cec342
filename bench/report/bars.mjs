// Bars of figures, without a plot: one figure with its range, or a stack of parts.
import { el, tint } from './elements.mjs';
import { labelOf } from './page.mjs';
import { figure, refusal } from './results.mjs';
import { digits, inWords } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./networks.mjs').Result} Result */
/** @typedef {import('./words.mjs').Spread} Spread */
/** @typedef {[name: string, value: number][]} Parts named as the colours of the page's style */

/** @param {Parts} parts */
export function sum(parts) {
	return parts.reduce((total, [, value]) => total + value, 0);
}

/** The range of the repeats as a thin line. @param {Spread} spread @param {number} widest */
function whisker(spread, widest) {
	return spread.count > 1 ? el('b', { style: { left: `${100 * spread.min / widest}%`,
		width: `${100 * (spread.max - spread.min) / widest}%` } }) : null;
}

/** Wake-ups of receivers add to the figure: they stand beside it. @param {Result} result */
function wakeupsOf(result) {
	const spread = figure(result, 'wakeups_per_delivery');
	return spread ? el('span', { class: 'spread' },
		`${inWords(spread.median, 'ratio')} wake-ups`) : null;
}

/** The cells of a result's bar. @param {Report} report @param {Result} result
 * @param {{ name: string, unit: string, widest: number }} what */
export function bar(report, result, { name, unit, widest }) {
	const spread = figure(result, name);
	if (!spread)
		return [labelOf(report, result), el('span', { class: 'said' }, refusal(result) || '–')];
	return [labelOf(report, result), el('span', { class: 'bar' },
		el('i', { style: { ...tint(result.transport),
			width: `${100 * spread.median / widest}%` } }),
		whisker(spread, widest)),
	el('span', {}, inWords(spread.median, unit), wakeupsOf(result))];
}

/** @param {Parts} parts @param {number} widest @param {boolean} [thin] */
export function stack(parts, widest, thin) {
	return el('span', { class: thin ? 'bar thin' : 'bar' },
		...parts.filter(([, value]) => value > 0).map(([name, value]) =>
			el('i', { title: `${name}: ${digits(value, value)}`,
				style: { '--tint': `var(--${name})`, width: `${100 * value / widest}%` } })));
}

/** What the colours of stacks mean. @param {string[][]} kinds pairs of name and words */
export function keyOf(kinds) {
	return el('ul', { class: 'key' }, ...kinds.map(([name, words]) =>
		el('li', {}, el('span', { class: 'swatch', style: { '--tint': `var(--${name})` } }),
			words)));
}
