// Unmodified engine.io-client: payloads without Socket.IO in them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Server } from 'engine.io';
import { Socket } from 'engine.io-client';
import { Gateway } from './gateway.mjs';
import { CHOICES, isWanted, newChannel, until } from './world.mjs';

/** The reference echoes each message, as the gateway does without a channel. */
class EchoServer {
	async start() {
		this.http = http.createServer();
		this.engine = new Server();
		this.engine.attach(this.http);
		this.engine.on('connection', (socket) => socket.on('message', (one) => socket.send(one)));
		this.http.listen(0, '127.0.0.1');
		await once(this.http, 'listening');
		this.url = `http://127.0.0.1:${this.http.address().port}`;
		return this;
	}

	async stop() {
		this.engine.close();
		this.http.close();
		this.http.closeAllConnections();
	}
}

/** @param {string} url @param {object} options */
function open(url, options) {
	const socket = new Socket(url, options);
	const log = { messages: [], ends: [], upgrades: [] };
	socket.binaryType = 'arraybuffer';
	socket.on('message', (one) => log.messages.push(typeof one === 'string' ? one : Buffer.from(one)));
	socket.on('close', (reason) => log.ends.push(reason));
	socket.on('upgrade', ({ name }) => log.upgrades.push(name));
	return Object.assign(socket, { log });
}

const untilOpen = (socket, transport) => until(`open over ${transport}`, () =>
	socket.readyState === 'open' && socket.transport.name === transport);
const untilMessages = (socket, count) => until(() => `${count} messages, ${socket.log.messages.length} came`, () =>
	socket.log.messages.length >= count);

for (const [name, make] of Object.entries({ reference: () => new EchoServer(), sluice: () => new Gateway('--shards', '2') })
	.filter(([one]) => isWanted(one))) {
	let server;
	const sockets = [];
	const join = (options) => {
		const socket = open(server.url, options);
		sockets.push(socket);
		return socket;
	};

	before(async () => { server = await make().start(); });
	after(async () => {
		sockets.forEach((socket) => socket.close());
		await server?.stop();
	});

	for (const [choice, transports] of Object.entries(CHOICES)) {
		const options = transports && { transports };
		const last = transports?.at(-1) ?? 'websocket';

		test(`${name}, ${choice}: each message comes back, text and binary, in order`, async () => {
			const socket = join(options);
			await untilOpen(socket, last);
			const sent = Array.from({ length: 50 }, (_, n) => n % 3 ? `text ${n} 🌊 "\\` : Buffer.from([n, 0, 30, 255]));
			sent.forEach((one) => socket.send(one));
			await untilMessages(socket, sent.length);
			assert.deepEqual(socket.log.messages, sent);
			assert.deepEqual([socket.log.ends, socket.log.upgrades], [[], transports ? [] : ['websocket']]);
		});

		test(`${name}, ${choice}: what is sent while it upgrades comes back once and in order`, async () => {
			const socket = join(options);
			await once(socket, 'open');
			const sent = [];
			for (let n = 0; n < 100; n++) {
				sent.push(`n ${n}`);
				socket.send(sent[n]);
				if (n % 10 === 0)
					await new Promise((resolve) => setTimeout(resolve, 2));
			}
			await untilOpen(socket, last);
			await untilMessages(socket, 100);
			assert.deepEqual(socket.log.messages, sent);
		});
	}
}

if (isWanted('sluice')) {
	let server;
	before(async () => { server = await new Gateway('--shards', '2', '--engineio-ping-interval', '0.3', '--engineio-ping-timeout', '20').start(); });
	after(() => server?.stop());

	for (const [choice, transports] of Object.entries(CHOICES)) {
		test(`${choice}: with one channel its payloads come, and messages are published`, async () => {
			const channel = newChannel();
			const all = Array.from({ length: 2 }, () => open(server.url, { ...transports && { transports }, query: { channels: channel } }));
			for (const socket of all)
				await untilOpen(socket, transports?.at(-1) ?? 'websocket');
			await server.publish(channel, 'from curl');
			await untilMessages(all[0], 1);
			all[0].send('from a client');
			for (const socket of all) {
				await untilMessages(socket, 2);
				assert.deepEqual(socket.log.messages, ['from curl', 'from a client']);
				socket.close();
			}
		});

		test(`${choice}: it lives on by its pings and pongs alone`, async () => {
			const socket = open(server.url, transports && { transports });
			let pings = 0;
			socket.on('ping', () => pings++);
			await until('five pings', () => pings >= 5);
			assert.deepEqual([socket.readyState, socket.log.ends], ['open', []]);
			socket.close();
		});
	}
}
