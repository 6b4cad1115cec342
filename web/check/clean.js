// Computes how long a message would take on a path without obstacles that is as long as this one.
// Pure.

const INTERVAL_MS = 1000; // between two short polls, as the check sends them
const SPACING_MS = 200; // between two messages of the check

/** How each is computed, in words. */
export const formulas = /** @type {Record<string, string>} */ ({
	websocket: 'one round trip: half of it up to the gateway, half of it down',
	sse: 'one round trip: half of it up to the gateway, half of it down',
	stream: 'one round trip: half of it up to the gateway, half of it down',
	longpoll: 'one round trip; up to two for a message within one round trip of the last',
	poll: 'one round trip, and half the time from one poll to the next',
});

/** @param {number | null} base ms, a round trip of a small request
 * @param {{ interval?: number, spacing?: number }} [pace] ms between polls, between messages
 * @returns {Record<string, number | null>} ms by transport, in the usual order */
export function computeClean(base, { interval = INTERVAL_MS, spacing = SPACING_MS } = {}) {
	if (base === null)
		return { websocket: null, sse: null, stream: null, longpoll: null, poll: null };
	// The connection is there: up and down are half a round trip each.
	const live = base;
	// The poll after an answer is at the gateway one round trip later. Where messages come more
	// often than that, one waits there for half a round trip on average.
	const longpoll = spacing < base ? 1.5 * base : base;
	// Polls reach the gateway `interval` and a round trip apart. A message waits there for half of
	// that on average.
	const poll = base + (interval + base) / 2;
	return { websocket: live, sse: live, stream: live, longpoll, poll };
}
