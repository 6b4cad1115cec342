// What a transport has to show before it counts: a 101 is no proof, nor is the head of a
// stream. For each gate: what has to be seen, how many ms after the one before, and what it
// means if it is not.

/** @type {Record<string, [string, number, string][]>} */
export const gates = {
	websocket: [
		['handshake', 3000, 'the upgrade was not answered within 3 s'],
		['open', 1000,
			'the upgrade was answered, but nothing of the gateway came within 1 s after it'],
		['small', 1500, 'what is sent over the socket is not answered within 1.5 s'],
		['large', 1500, 'frames of 4 KB do not get through within 1.5 s'],
	],
	sse: [
		['open', 3000, 'the stream did not begin within 3 s'],
		['mark', 1350, 'the stream is held back on its way'],
		['echo', 3000, 'what is sent beside the stream is not answered within 3 s'],
	],
	// Some paths take 20 s for a connection; while a poll waits, the others are tried again.
	longpoll: [['answer', 25000, 'no answer within 25 s']],
};
gates.stream = gates.sse;
gates.poll = gates.longpoll;
