// The sections that are tables alone: of each scenario the title and what was measured.

/** @type {[scenario: string, title: string, text: string][]} */
export const TABLE_SECTIONS = [
	['channels', 'A channel for each subscriber',
		'Thousands of channels with one subscriber each; publishes go to them in turn. CPU is of ' +
		'a publish and its one delivery, memory of a channel with its subscriber and messages.'],
	['opening', 'CPU of opening',
		'What the server spends on one connection that waits for messages. It finds some dozens ' +
		'of clients together, so that it never sleeps between them.'],
	['connect', 'Opening a connection',
		'Connections opened one after another and at once; the time runs from connect() to the ' +
		'first message.'],
	['handshake', 'CPU of a new connection',
		'What the server spends on a new connection that asks for messages once, under TLS with ' +
		'its handshake. It finds some dozens of clients together.'],
	['storm', 'A storm of reconnects',
		'Thousands of idle clients reconnect, 2,000 a second, while others are sent messages: how ' +
		'long those take, and the gateway’s longest turn.'],
	['request', 'A plain request',
		'What the transports are compared with: one request and its answer, on a new connection ' +
		'each time and on one that stays.'],
	['publish', 'CPU of publishing',
		'What the server spends on a message that is posted over a connection which is kept. It ' +
		'finds some dozens of them together, so that it never sleeps between them.'],
	['token', 'A request with a token',
		'What the server spends on a poll or a publish over a connection which is kept: with a ' +
		'token that it has seen before, and each time with a new one.'],
	['upgrade', 'From polling to a WebSocket',
		'Sessions of Socket.IO on polling, each with a poll that is held, go on over a WebSocket, ' +
		'200 a second. The time runs from connect() of the WebSocket to its first message.'],
	['deflate', 'Compressed messages',
		'What permessage-deflate costs and saves: JSON of three sizes to one websocket and to ' +
		'many, with the extension and without, on the same gateway. A message is compressed once, ' +
		'whatever the number of its subscribers. The first subscriber’s messages are inflated and ' +
		'checked.'],
	['renewal', 'A crowd whose tokens end',
		'Thousands of streams whose tokens end in the same second. They renew them before, on a ' +
		'second link, within the window; or they are ended and come back; or all are of one ' +
		'subject that is disconnected. The gateway’s longest turn is what others wait for ' +
		'meanwhile. The time is compressed: a real client renews 30 to 60 s before its token ' +
		'ends.'],
	['cluster', 'Many gateways',
		'A bus in the gateway’s memory beside one on NATS servers that gateways share. Lone: one ' +
		'publish at a time, until its ack. Publishes: 64 under way on one WebSocket. Delivery: ' +
		'published through one gateway and received from another. Tailed: what a gateway spends ' +
		'on a message that nobody there wants.'],
	['page', 'Loading the page',
		'The gateway’s page with all its files, over six kept connections, as a browser loads it.'],
	['switch', 'Changing transports',
		'Readers hop between transports at random and are cut in mid-stream; every message must ' +
		'arrive once and in order.'],
];
