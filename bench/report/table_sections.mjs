// The sections that are tables alone: of each scenario the title and what was measured.

/** @type {[scenario: string, title: string, text: string][]} */
export const TABLE_SECTIONS = [
	['channels', 'A channel for each subscriber',
		'There are thousands of channels with one subscriber each, and publishes go to them ' +
		'in turn. CPU is per publish with its one delivery. Memory is per channel, with its ' +
		'subscriber and its messages.'],
	['opening', 'CPU to open a connection',
		'This is the CPU time that the server spends on one connection that waits for messages. ' +
		'Dozens of clients connect at once, so the server never sleeps between them.'],
	['connect', 'Time to open a connection',
		'Clients open connections one after another, and then many at once. The time runs from ' +
		'connect() to the first message.'],
	['handshake', 'CPU of a new connection',
		'This is the CPU time that the server spends on a new connection with one poll. Under ' +
		'TLS it includes the handshake. Dozens of clients connect together.'],
	['storm', 'A storm of reconnects',
		'Thousands of idle clients reconnect, 2,000 per second, while other clients receive ' +
		'messages. The table shows the latency of these messages and the longest turn of the ' +
		'gateway.'],
	['request', 'A plain request',
		'One request and its answer, on a new connection each time and on a kept connection: ' +
		'compare the transports with this.'],
	['publish', 'CPU of a publish',
		'This is the CPU time that the server spends on a message that a client posts over a ' +
		'kept connection. Dozens of messages arrive at once, so the server never sleeps between ' +
		'them.'],
	['token', 'A request with a token',
		'This is the CPU time that the server spends on a poll or a publish over a kept ' +
		'connection. The token is one that the gateway has verified before, or a new one each ' +
		'time.'],
	['upgrade', 'From polling to a WebSocket',
		'Sessions of Socket.IO that poll change to a WebSocket, 200 per second. Each has a held ' +
		'poll. The time runs from connect() of the WebSocket to its first message.'],
	['deflate', 'Compressed messages',
		'This shows what permessage-deflate costs and saves: the same gateway sends JSON of ' +
		'three sizes to one websocket and to many, with the extension and without. The gateway ' +
		'compresses a message once for all its subscribers. The first subscriber inflates its ' +
		'messages and checks them.'],
	['renewal', 'A crowd whose tokens expire',
		'The tokens of thousands of streams expire in the same second. In one case the clients ' +
		'renew them in time over a second connection. In another the gateway ends the streams, ' +
		'and the clients return. In the third all streams have one subject, which an operator ' +
		'disconnects. Other clients wait for the gateway’s longest turn. The time is compressed: ' +
		'a real client renews its token 30 to 60 s before the end.'],
	['cluster', 'Many gateways',
		'A bus in the gateway’s memory, beside a bus on NATS servers that gateways share. Lone: ' +
		'one publish at a time, until its ack. Publishes: 64 under way on one WebSocket. ' +
		'Delivery: from a publish at one gateway to a reader at another. Tailed: the CPU time of ' +
		'a gateway for a message without a subscriber there.'],
	['page', 'Loading the page',
		'A client loads the gateway’s page with all its files over six kept connections, as a ' +
		'browser does.'],
	['switch', 'Changing transports',
		'Readers change their transport at random, and the bench cuts them in mid-stream. Every ' +
		'message must arrive once and in order.'],
];
