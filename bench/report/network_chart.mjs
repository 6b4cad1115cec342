// The picture of all networks as an SVG: marks at p50, lines up to p90.
import { el, svg, tint } from './elements.mjs';
import { lossInWords, transportInWords } from './networks.mjs';
import { layoutOf, outlineOf, radiusOf } from './picture.mjs';
import { inWords } from './words.mjs';

/** @typedef {import('./networks.mjs').Network} Network */
/** @typedef {ReturnType<typeof layoutOf>} Layout */

/** What the picture's signs mean. @param {Network[]} networks */
export function keyOfChart(networks) {
	const losses = [...new Set(networks.map(({ kind }) => kind.loss ?? 0))].sort((a, b) => a - b);
	const sizes = losses.flatMap((loss) => [el('span', { class: 'held' },
		svg('svg', { class: 'mark', width: 16, height: 16, 'aria-hidden': 'true' },
			svg('path', { d: outlineOf('websocket', 8, 8, radiusOf(loss)) })),
		lossInWords(loss)), ' ']);
	return el('p', { class: 'note' }, 'A mark is the p50, its line goes up to the p90. The ' +
		'dotted line is half of the round trip, the lowest possible latency. ',
	...losses.length < 2 ? [] : ['A larger mark means more loss: ', ...sizes]);
}

/** @param {Network[]} networks @param {{ rate: number, transports: string[] }} shown
 * @param {number} width */
export function chartOf(networks, { rate, transports }, width) {
	const height = width < 480 ? 340 : 440;
	const layout = layoutOf({ networks, rate, transports, width: Math.max(width, 240), height });
	return svg('svg', { width: Math.max(width, 240), height, role: 'img',
		'aria-label': `Latency against round-trip time at ${rate} messages/s; ` +
			'the table has the same figures.' },
	...axes(layout, height),
	...layout.networks.map(({ x, labelX, labelY, name }) => svg('g', { class: 'network' },
		svg('line', { x1: x, x2: x, y1: labelY + 4, y2: layout.bottom }),
		svg('text', { x: labelX, y: labelY, 'text-anchor': 'middle' }, name))),
	svg('path', { class: 'least', d: line(layout.oneWay) }),
	...layout.series.map((series) => seriesOf(series, networks)));
}

/** @param {number[][]} places */
function line(places) {
	return places.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** @param {Layout} layout @param {number} height */
function axes({ left, right, top, bottom, xTicks, yTicks }, height) {
	return [
		...yTicks.map(({ at, label }) => svg('g', { class: 'tick' },
			svg('line', { x1: left, x2: right, y1: at, y2: at }),
			svg('text', { x: left - 8, y: at + 4, 'text-anchor': 'end' }, label))),
		...spaced(xTicks).map(({ at, label }) => svg('g', { class: 'tick' },
			svg('line', { x1: at, x2: at, y1: bottom, y2: bottom + 5 }),
			svg('text', { x: at, y: bottom + 19, 'text-anchor': 'middle' }, label))),
		svg('path', { class: 'frame', d: `M${left} ${top}V${bottom}H${right}` }),
		svg('text', { x: (left + right) / 2, y: height - 6, 'text-anchor': 'middle' },
			'round-trip time'),
		svg('text', { transform: `translate(11 ${(top + bottom) / 2}) rotate(-90)`,
			'text-anchor': 'middle' }, 'latency'),
	];
}

/** Without the ticks that would stand too near to the one before.
 * @param {Layout['xTicks']} ticks */
function spaced(ticks) {
	let last = -Infinity;
	return ticks.filter(({ at }) => {
		const fits = at - last >= 44;
		last = fits ? at : last;
		return fits;
	});
}

/** @param {Layout['series'][number]} series @param {Network[]} networks */
function seriesOf({ transport, marks }, networks) {
	const there = marks.flatMap((mark) => mark ?? []);
	const joined = marks.map((mark, i) => mark && `${i && marks[i - 1] ? 'L' : 'M'}` +
		`${mark.x.toFixed(1)} ${mark.y.toFixed(1)}`).filter(Boolean).join('');
	return svg('g', { class: 'series', style: tint(transport) },
		svg('path', { class: 'join', d: joined }),
		...there.map(({ network, x, y, high, radius, p50, p90 }) => svg('g', {},
			svg('path', { class: 'whisker', d: `M${x} ${y}V${high}M${x - 3} ${high}H${x + 3}` }),
			svg('path', { class: 'dot', d: outlineOf(transport, x, y, radius) }),
			svg('title', {}, `${transportInWords(transport)}, ${networks[network].kind.name}: ` +
				`p50 ${inWords(p50, 'µs')}, p90 ${inWords(p90, 'µs')}`))));
}
