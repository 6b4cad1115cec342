// Numbers at random that can be had again: the same seed, the same run.

/** @param {number} seed
 * @returns {() => number} 0 to below 1 (xorshift, Marsaglia 2003) */
export function createRandom(seed) {
	let state = (seed * 2654435761 >>> 0) || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state = (state ^ state << 5) >>> 0;
		return state / 2 ** 32;
	};
}
