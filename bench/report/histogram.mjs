// Latency by percentile from the histograms of the repeats. No elements: node tests it as it is.
// A place is 1/(1-p) of a percentile p: 10 is the p90, 100 the p99.

/** @typedef {[upper: number, count: number][]} Histogram in order of `upper`, µs */

const BEYOND = 10; // samples beyond a percentile, or it is not shown

/** @param {import('./networks.mjs').Result} result @returns {Histogram[]} of its repeats */
export function histogramsOf(result) {
	return result.refused ? [] :
		result.repeats.map((repeat) => repeat.histogram).filter((list) => list?.length);
}

/** @param {Histogram} histogram */
function samplesOf(histogram) {
	return histogram.reduce((total, [, count]) => total + count, 0);
}

/** A histogram's value at each place; null where too few samples lie beyond.
 * @param {Histogram} histogram @param {number[]} places @returns {(number | null)[]} */
export function curve(histogram, places) {
	const total = samplesOf(histogram);
	let at = 0, seen = histogram[0]?.[1] ?? 0;
	return places.map((place) => {
		const rank = Math.max(1, Math.ceil(total * (1 - 1 / place) - 1e-9));
		if (total - rank < BEYOND)
			return null;
		while (seen < rank)
			seen += histogram[++at][1];
		return Math.max(histogram[at][0], .1);
	});
}

/** @param {Histogram[]} histograms @returns {Histogram} */
export function merged(histograms) {
	/** @type {Map<number, number>} */
	const sums = new Map();
	for (const [upper, count] of histograms.flat())
		sums.set(upper, (sums.get(upper) ?? 0) + count);
	return [...sums].sort((a, b) => a[0] - b[0]);
}

/** The highest or the lowest of several curves at each place; null where one has no value.
 * @param {(number | null)[][]} curves @param {(...values: number[]) => number} pick */
export function extreme(curves, pick) {
	return curves[0].map((_, i) => {
		const values = curves.flatMap((each) => each[i] ?? []);
		return values.length < curves.length ? null : pick(...values);
	});
}

/** The last place at which one of these results has a value. @param {Histogram[][]} shown */
export function lastPlace(shown) {
	return Math.max(20, Math.max(...shown.map((list) => samplesOf(merged(list)))) / BEYOND);
}

/** The places of an axis' labels. @param {number} end @param {number} width of the plot, pixels */
export function percentilesTo(end, width) {
	const places = width < 600 ? [2] : [1, 2, 4];
	for (let place = 10; place <= end; place *= 10)
		places.push(place);
	return places;
}

/** "99.9 %" of the place 1000. @param {number} place */
export function percent(place) {
	const nines = Math.max(0, Math.ceil(Math.log10(place) - 1e-6) - 2);
	return `${(100 * (1 - 1 / place)).toFixed(nines)} %`;
}
