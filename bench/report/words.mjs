// How the report writes figures and cases. No elements: node tests it as it is.

/** @typedef {{ median: number, min: number, max: number, count: number }} Spread */

/** By unit: from which value on, the suffix, the divisor.
 * @type {Record<string, [from: number, suffix: string, divisor: number][]>} */
const SCALES = {
	'µs': [[1e6, 's', 1e6], [1e3, 'ms', 1e3], [0, 'µs', 1]],
	ms: [[1e3, 's', 1e3], [0, 'ms', 1]],
	B: [[1048576, 'MiB', 1048576], [10240, 'KiB', 1024], [0, 'B', 1]],
	KiB: [[1024, 'MiB', 1024], [0, 'KiB', 1]],
	'/s': [[1e6, 'M/s', 1e6], [1e4, 'k/s', 1e3], [0, '/s', 1]],
	'B/s': [[1048576, 'MiB/s', 1048576], [10240, 'KiB/s', 1024], [0, 'B/s', 1]],
	share: [[0, '%', .01]],
	ratio: [[0, '', 1]],
	'': [[0, '', 1]],
};

/** @param {string} unit @param {number} value */
function scaleOf(unit, value) {
	return SCALES[unit].find(([from]) => Math.abs(value) >= from) ?? SCALES[unit][0];
}

/** @param {number} size @param {string} unit how many digits stand behind the point */
function placesOf(size, unit) {
	if (size >= 9.995)
		return size >= 99.95 ? 0 : 1;
	return unit === 'ratio' && size < 1 ? 3 : 2;
}

/** @param {number} value @param {number} size that decides how exact it is
 * @param {string} [unit] */
export function digits(value, size, unit = '') {
	if (Number.isInteger(value) && (size >= 1 || value === 0))
		return value.toLocaleString('en');
	return value.toFixed(placesOf(size, unit));
}

/** A value in the unit that suits `scale`: "1.24 ms".
 * @param {number} value @param {string} unit @param {number} [scale] */
export function inWords(value, unit, scale = value) {
	const [, suffix, divisor] = scaleOf(unit, scale);
	return `${digits(value / divisor, scale / divisor, unit)}${suffix && ` ${suffix}`}`;
}

/** The range of the repeats, in the unit of their median; '' when they agree.
 * @param {Spread} spread @param {string} unit */
export function spreadInWords(spread, unit) {
	const [, , divisor] = scaleOf(unit, spread.median);
	const size = spread.median / divisor;
	const [low, high] = [spread.min, spread.max].map((value) =>
		digits(value / divisor, size, unit));
	return spread.count < 2 || low === high ? '' : `${low}–${high}`;
}

/** @param {number} value @param {string} word */
function count(value, word) {
	return `${value.toLocaleString('en')} ${word}${value === 1 ? '' : 's'}`;
}

/** @type {Record<string, (value: any) => string>} */
const AXES = {
	network: (value) => `network ${value}`,
	burst: (value) => value === 1 ? 'single messages' : `bursts of ${value}`,
	rate: (value) => `${value} message${value === 1 ? '' : 's'}/s`,
	payload: (value) => `payload ${value >= 1024 && value % 1024 === 0 ? `${value / 1024} KiB` :
		`${value} B`}`,
	subscribers: (value) => count(value, 'subscriber'),
	connections: (value) => count(value, 'connection'),
	readers: (value) => count(value, 'reader'),
	channels: (value) => count(value, 'channel'),
	interval_s: (value) => `a poll every ${value} s`,
	cut_s: (value) => `a cut of ${value} s`,
};

/** @param {string} axis @param {string | number} value */
export function axisInWords(axis, value) {
	if (AXES[axis])
		return AXES[axis](value);
	return typeof value === 'string' ? value : `${axis} ${value}`;
}

/** @param {Record<string, string | number>} params */
export function caseInWords(params) {
	return Object.entries(params).map(([axis, value]) => axisInWords(axis, value)).join(', ');
}

/** "A", "A and B", "A, B and C".
 * @param {string[]} names */
export function listInWords(names) {
	return names.length < 2 ? names.join('') :
		`${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Whole powers of ten in a range, with 2 and 5 of each where there are few.
 * @param {number} from @param {number} to */
export function decades(from, to) {
	const steps = to / from > 2000 ? [1] : [1, 2, 5], places = [];
	for (let decade = Math.floor(Math.log10(from) + 1e-6); 10 ** decade <= to * 1.0001; decade++)
		places.push(...steps.map((step) => step * 10 ** decade)
			.filter((value) => value >= from * .9999 && value <= to * 1.0001));
	return places;
}

/** A time at an axis: "500 µs", "20 ms". @param {number} us */
export function plain(us) {
	const round = (/** @type {number} */ value) => Number(value.toPrecision(4));
	if (us === 0)
		return '0';
	if (us >= 1e6)
		return `${round(us / 1e6)} s`;
	return us >= 1e3 ? `${round(us / 1e3)} ms` : `${round(us)} µs`;
}

/** @param {Spread} ratio of two servers, its range '' where there is one repeat */
export function ratioInWords({ median, min, max, count: repeats }) {
	return { median: repeats ? median.toFixed(2) : '–',
		range: repeats > 1 ? `${min.toFixed(2)}–${max.toFixed(2)}` : '' };
}

/** What a figure may be at most, '' where there is no limit.
 * @param {{ limit: number | null, held: string }} row @param {string} unit of the figure */
export function limitInWords({ limit, held }, unit) {
	if (limit === null)
		return '';
	return held === 'ratio' ? limit.toFixed(2) : inWords(limit, unit);
}
