// What a session does: pure, so that it can be read and tested.

/** @typedef {{ do: 'messages', count: number, every: number, size: number } | { do: 'publish' }
 * 	| { do: 'silence', ms: number }} Step */
/** @typedef {object} Profile a path
 * @property {string} name
 * @property {string} sentence
 * @property {string[]} [faults] of sluice-obstacle
 * @property {string} [product] the program that stands in the way, where it is a real one
 * @property {boolean} [forward] a forward proxy
 * @property {boolean} [secure] it speaks TLS to the gateway
 * @property {boolean} [quick] it shows what it has within a few seconds
 * @property {boolean} [refuses] what it does not pass it refuses at once
 * @property {number} [stall_seconds] the fault itself delays the first message by so much
 * @property {string} [unseen] why a diagnosis of a few seconds cannot know what is dead there
 * @property {number} [burst] messages of 4 KB, where it takes many
 * @property {number} [heartbeat] s, where what happens shows at a heartbeat
 * @property {Record<string, 'works' | 'degraded' | 'dead'>} expected by transport */

const BURST = 6;
const BURST_BYTES = 4000;

/** The steps after the first message has arrived.
 * @param {Profile} profile @param {boolean} isQuick
 * @returns {Step[]} */
export function planSession({ quick, burst = BURST }, isQuick) {
	/** @type {Step[]} */
	const steps = [
		{ do: 'messages', count: 10, every: 150, size: 20 },
		{ do: 'publish' },
		{ do: 'messages', count: burst, every: 50, size: BURST_BYTES },
		{ do: 'silence', ms: quick || isQuick ? 6000 : 32000 },
		{ do: 'messages', count: 6, every: 150, size: 20 },
		{ do: 'publish' },
	];
	if (!isQuick)
		steps.push({ do: 'messages', count: 80, every: 250, size: 100 }, { do: 'silence', ms: 8000 },
			{ do: 'messages', count: 40, every: 250, size: 20 }, { do: 'publish' });
	return steps;
}

/** How long is waited for what, in ms.
 * @param {Profile} profile @param {boolean} isQuick @param {string} column */
export function planWaits({ stall_seconds: stall = 0 }, isQuick, column) {
	const client = column === 'client';
	return {
		first: stall * 1000 + (client ? 8000 : 6000),
		last: stall * 1000 + (isQuick ? 10000 : 60000),
	};
}
