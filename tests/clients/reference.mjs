// The server that the client was made for, with an app that does what the gateway does by itself: channels are
// rooms, and POST /publish reaches them. What holds of it must hold of the gateway, and shows that the tests
// can pass with an unmodified server.
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'socket.io';
import { publishTo } from './publish.mjs';

/** @param {unknown} value a name, several with commas, a list of them @returns {string[]} */
function namesIn(value) {
	const list = Array.isArray(value) ? value : String(value ?? '').split(',');
	return list.filter(Boolean);
}

/** What native clients get as JSON of a message without an event name. */
function objectOf(id, channel, payload) {
	const content = Buffer.isBuffer(payload) ? { base64: payload.toString('base64') } : { data: payload };
	return { id, channel, time: Date.now() * 1000, ...content };
}

async function readBody(request) {
	const pieces = [];
	for await (const piece of request)
		pieces.push(piece);
	const bytes = Buffer.concat(pieces);
	const type = request.headers['content-type'];
	if (type === 'application/json')
		return JSON.parse(bytes.toString());
	return type === 'text/plain' ? bytes.toString() : bytes;
}

export class Reference {
	name = 'reference';
	#port = 0;
	#count = 0;
	#options;
	#channel;

	/** @param {{ channel?: string, recovery?: boolean, server?: object }} [options] the channel of the namespace `/`;
	 * further options of the server */
	constructor({ channel, recovery = false, server = {} } = {}) {
		this.#channel = channel;
		this.#options = { cors: { origin: true, credentials: true }, maxHttpBufferSize: 1e6, serveClient: false,
			...recovery && { connectionStateRecovery: { maxDisconnectionDuration: 120000 } }, ...server };
	}

	async start() {
		this.http = http.createServer((request, response) => this.#answer(request, response));
		this.io = new Server(this.http, this.#options);
		this.io.of('/').on('connection', (socket) => this.#serve(socket));
		this.io.of(/^\/.+$/).on('connection', (socket) => this.#serve(socket));
		this.http.listen(this.#port, '127.0.0.1');
		await once(this.http, 'listening');
		this.#port = this.http.address().port;
		this.url = `http://127.0.0.1:${this.#port}`;
		return this;
	}

	get port() {
		return this.#port;
	}

	async #answer(request, response) {
		const { pathname, searchParams } = new URL(request.url, 'http://localhost');
		if (request.method !== 'POST' || pathname !== '/publish')
			return response.writeHead(404).end();
		const event = searchParams.get('event');
		const payload = await readBody(request);
		const id = this.#spread(searchParams.get('channel'), event, searchParams.get('args') === 'list' ? payload : [payload]);
		return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ id }));
	}

	/** To all who have the channel, whatever their namespace. */
	#spread(channel, event, args) {
		const id = `00000000-${++this.#count}`;
		for (const namespace of this.io._nsps.values())
			if (event)
				namespace.to(channel).emit(event, ...args);
			else
				namespace.to(channel).emit('message', objectOf(id, channel, args[0]));
		return id;
	}

	#serve(socket) {
		const { name } = socket.nsp;
		const own = name === '/' ? this.#channel : name.slice(1);
		socket.join([...own ? [own] : [], ...namesIn(socket.handshake.query.channels), ...namesIn(socket.handshake.auth.channels)]);
		const answer = (ack, content) => typeof ack === 'function' && ack(content);
		socket.on('subscribe', (names, ...rest) => {
			socket.join(namesIn(names));
			answer(rest.at(-1), { channels: namesIn(names), cursor: `00000000-${this.#count}` });
		});
		socket.on('unsubscribe', (names, ack) => {
			namesIn(names).forEach((one) => socket.leave(one));
			answer(ack, { channels: namesIn(names), cursor: `00000000-${this.#count}` });
		});
		socket.on('publish', (channel, payload, ...rest) =>
			answer(rest.at(-1), { id: this.#spread(channel, typeof rest[0] === 'string' ? rest[0] : null, [payload]) }));
		socket.onAny((event, ...args) => {
			if (['subscribe', 'unsubscribe', 'publish'].includes(event))
				return;
			const ack = typeof args.at(-1) === 'function' ? args.pop() : null;
			answer(ack, own ? { id: this.#spread(own, event, args) } : { error: { code: 'no_channel', message: 'no channel' } });
		});
	}

	publish(channel, payload, how) {
		return publishTo(this.url, channel, payload, how);
	}

	async stop() {
		await this.io.close();
		this.http.closeAllConnections();
	}

	async restart() {
		await this.stop();
		return this.start();
	}
}
