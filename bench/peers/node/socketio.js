// Socket.IO with rooms (https://socket.io/docs/v4/rooms/) on a server of its own, defaults
// otherwise, and what https://socket.io/docs/v4/performance-tuning/ and
// https://socket.io/docs/v4/memory-usage/ advise that costs no feature: bufferutil, and the
// first request of a session not kept in memory. The channel comes in the credentials
// (https://socket.io/docs/v4/middlewares/#sending-credentials).
import { Server } from 'socket.io';
import { createPublishServer, listen } from './publish.js';

const server = createPublishServer((channel, payload) => io.to(channel).emit('m', payload));
const io = new Server(server, { serveClient: false });

io.engine.on('connection', (socket) => {
	socket.request = null;
});
io.on('connection', (socket) => {
	socket.join(socket.handshake.auth.channel);
});

listen(server);
