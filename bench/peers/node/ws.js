// ws as its README has it: "External HTTP/S server" and "Server broadcast"
// (https://github.com/websockets/ws#usage-examples), the broadcast going to the clients of one
// channel. Compression is off, which is the default and the README's advice; bufferutil is
// installed, as it says under "Opt-in for performance".
import { WebSocket, WebSocketServer } from 'ws';
import { createPublishServer, listen } from './publish.js';

/** @type {Map<string, Set<WebSocket>>} */
const channels = new Map();

const server = createPublishServer((channel, payload) => {
	for (const client of channels.get(channel) ?? [])
		if (client.readyState === WebSocket.OPEN)
			client.send(payload);
});
const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket, request) => {
	const name = new URL(request.url, 'http://127.0.0.1').searchParams.get('channel');
	const clients = channels.get(name) ?? new Set();
	channels.set(name, clients.add(socket));
	socket.on('error', console.error);
	socket.on('close', () => {
		clients.delete(socket);
		if (clients.size === 0)
			channels.delete(name);
	});
});

listen(server);
