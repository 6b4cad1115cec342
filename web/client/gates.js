// What a transport must show before the client uses it: neither a 101 nor the head of a stream is
// a proof. For each gate: the stage, the most ms after the previous gate, and what is wrong if the
// stage does not come in time.

/** @type {Record<string, [string, number, string][]>} */
export const gates = {
	websocket: [
		['handshake', 3000, 'no answer to the upgrade within 3 s'],
		['open', 1000, 'the upgrade was answered, but no data came from the gateway within 1 s'],
		['small', 1500, 'a small frame got no answer within 1.5 s'],
		['large', 1500, 'a frame of 4 KB got no answer within 1.5 s'],
	],
	sse: [
		['open', 3000, 'the stream did not begin within 3 s'],
		['mark', 1350, 'a proxy holds the stream back'],
		['echo', 3000, 'a request beside the stream got no answer within 3 s'],
	],
	// Some paths take 20 s for a connection; while a poll waits, the others are tried again.
	longpoll: [['answer', 25000, 'no answer within 25 s']],
};
gates.stream = gates.sse;
gates.poll = gates.longpoll;
