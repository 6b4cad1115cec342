// The same chat through two clients, the gateway's own and socket.io-client, and what a message
// costs each.
import { get, originAt, whileSeen } from '../panel.js';
import { NativeSide } from './native.js';
import { SocketIoSide, hasSocketIo } from './socketio.js';

/** @typedef {import('../page.js').Page} Page */

const CHANNEL = 'demo.chat.clients';
const EVENT = 'chat message';
const SPEAK_MS = 1000;
const DRAW_MS = 500;

export class Clients {
	#page;
	/** @type {import('./side.js').Side[]} */
	#sides;
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#timer;

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		this.#sides = [new NativeSide(page, CHANNEL, EVENT)];
		if (hasSocketIo)
			this.#sides.push(new SocketIoSide(page, CHANNEL, EVENT));
		get('clients-missing').hidden = hasSocketIo;
		get('clients-socketio').hidden = !hasSocketIo;
		this.#sides.forEach((side) => side.share(this.#sides));
		whileSeen(page, get('clients'), (seen) => this.#run(seen));
		page.frames.addChart(get('clients'), DRAW_MS,
			() => this.#sides.forEach((side) => side.draw()));
	}

	/** @param {boolean} running */
	#run(running) {
		clearInterval(this.#timer);
		this.#sides.forEach((side) => running ? side.start() : side.stop());
		if (running)
			this.#timer = setInterval(() => this.#speak(), SPEAK_MS);
	}

	/** As a backend does, which knows nothing of either. */
	async #speak() {
		if (!get('clients-backend').checked)
			return;
		const query = `channel=${CHANNEL}&event=${encodeURIComponent(EVENT)}`;
		const url = new URL(`publish?${query}`, originAt(this.#page, 4));
		const text = `It is ${new Date(this.#page.time() / 1000).toLocaleTimeString('en-GB')}.`;
		try {
			await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' },
				body: JSON.stringify({ name: 'backend', text }) });
		} catch {
			// the clients say so too
		}
	}
}
