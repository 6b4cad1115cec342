// Draws how long a message takes here, and on a clean path. The scale has powers of ten, since a
// short poll takes a hundred times as long as a WebSocket.
import { create } from './elements.js';
import { formatMs, names, ways } from './words.js';

/** @typedef {{ name: string, here: number | null, clean: number | null }} Pair */

const LEAST = 1; // ms, where the scale begins
const NARROWEST = .5; // per cent of the scale: a bar that can be seen

/** @param {Pair[]} pairs
 * @returns {number} ms: the power of ten at which the scale ends */
export function findEnd(pairs) {
	const most = Math.max(10, ...pairs.map(({ here, clean }) => Math.max(here ?? 0, clean ?? 0)));
	return 10 ** Math.ceil(Math.log10(most));
}

/** @param {number} ms @param {number} end
 * @returns {number} per cent of the scale */
export function scale(ms, end) {
	const share = Math.log10(Math.max(ms, LEAST) / LEAST) / Math.log10(end / LEAST);
	return Math.max(NARROWEST, Math.min(100, share * 100));
}

/** @param {string} label @param {number | null} ms @param {number} end
 * @param {string} none what stands where there is no time */
function createBar(label, ms, end, none) {
	const bar = create('span', { class: 'bar', 'aria-hidden': 'true' });
	const fill = create('span', 'fill');
	fill.style.width = ms === null ? '0' : `${scale(ms, end)}%`;
	bar.append(fill);
	return create('p', label, create('span', 'label', label), bar,
		create('span', 'value', ms === null ? none : formatMs(ms)));
}

/** @param {Element} list @param {Element} axis @param {Pair[]} pairs */
export function showBars(list, axis, pairs) {
	const end = findEnd(pairs);
	list.replaceChildren(...pairs.map(({ name, here, clean }) =>
		create('li', { 'data-transport': name }, create('b', {}, ways[name].title),
			createBar('here', here, end, 'none arrived'),
			createBar('clean', clean, end, 'unknown'))));
	const ticks = [];
	for (let ms = LEAST; ms <= end; ms *= 10) {
		const tick = create('span', {}, formatMs(ms));
		tick.style.left = `${Math.log10(ms / LEAST) / Math.log10(end / LEAST) * 100}%`;
		ticks.push(tick);
	}
	axis.replaceChildren(...ticks);
}

/** @param {import('./report.js').Report} report @param {Record<string, number | null>} clean
 * @returns {Pair[]} */
export function pairUp({ transports }, clean) {
	return names.map((name) => ({ name, here: transports[name].round_trip?.p50_ms ?? null,
		clean: clean[name] ?? null }));
}
