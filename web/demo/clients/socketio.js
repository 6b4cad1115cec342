// socket.io-client as npm has it. A namespace is a channel of the gateway.
import { countBytes } from '../format.js';
import { originAt } from '../panel.js';
import { io } from '../vendor/socket.io/socket.io.esm.min.js';
import { Side } from './side.js';

/** What the gateway calls the like of its transports. @type {Record<string, string>} */
const likes = { polling: 'longpoll', websocket: 'websocket' };
const ACK_MS = 5000;

/** The library is there. */
export const hasSocketIo = Boolean(io);

export class SocketIoSide extends Side {
	#channel;
	#event;
	/** @type {any} */
	#socket = null;

	/** @param {import('../page.js').Page} page @param {string} channel @param {string} event */
	constructor(page, channel, event) {
		super(page, 'socketio');
		this.#channel = channel;
		this.#event = event;
	}

	/** @param {string} demo @param {string} over */
	open(demo, over) {
		const { origin, pathname } = originAt(this.page, 4);
		const socket = this.#socket = io(`${origin}/${this.#channel}`, {
			path: `${pathname}socket.io`, query: { demo }, forceNew: true,
			...over && { transports: [over] },
		});
		socket.on(this.#event, (/** @type {any} */ line) => this.take(line, countBytes(line)));
		// The change may be over before the namespace is joined.
		socket.io.on('open', () => {
			const { engine } = socket.io;
			const { name } = engine.transport;
			this.use(likes[name], name);
			engine.once('upgrade', (/** @type {any} */ transport) =>
				this.use(likes[transport.name], transport.name, true));
		});
		socket.on('connect_error', (/** @type {any} */ { message, description }) => {
			if (description !== 404)
				return this.tell(`disconnected: ${message}`);
			socket.disconnect();
			this.tell('This gateway does not serve Socket.IO clients (option --no-engine-io).');
		});
		socket.on('disconnect', (/** @type {string} */ why) => {
			if (this.running && socket.active)
				this.tell(`disconnected: ${why}`);
		});
	}

	close() {
		this.#socket?.disconnect();
		this.#socket = null;
	}

	/** @param {import('./side.js').Line} line */
	async publish(line) {
		const answer = await this.#socket?.timeout(ACK_MS).emitWithAck(this.#event, line);
		if (answer?.error)
			throw new Error(answer.error.message);
	}
}
