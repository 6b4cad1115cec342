// What came, against what was published: 1, 2, 3 ... to each channel.

/** @param {number[]} numbers in the order in which they came @param {number} last that was published
 * @returns {{ lost: number, doubled: number, disordered: number, foreign: number }} */
export function judge(numbers, last) {
	const seen = new Set();
	const found = { lost: 0, doubled: 0, disordered: 0, foreign: 0 };
	let highest = 0;
	for (const n of numbers) {
		if (!Number.isInteger(n) || n < 1 || n > last)
			found.foreign++;
		else if (seen.has(n))
			found.doubled++;
		else if (n < highest)
			found.disordered++;
		seen.add(n);
		highest = Math.max(highest, n);
	}
	for (let n = 1; n <= last; n++)
		found.lost += Number(!seen.has(n));
	return found;
}

/** The sum of several. */
export function sum(judgements) {
	const total = { lost: 0, doubled: 0, disordered: 0, foreign: 0 };
	for (const one of judgements)
		for (const name of Object.keys(total))
			total[name] += one[name];
	return total;
}

/** Numbers from 0 to 1 that are the same each time: mulberry32. @param {number} seed */
export function makeRandom(seed) {
	return () => {
		seed = (seed + 0x6D2B79F5) | 0;
		let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}
