// The network functions of the check: the browser's own, ended together by one signal. They never
// use more delivery connections at a time than a channel of the check may have.

/** @typedef {{ fetch: typeof globalThis.fetch, WebSocket: any, EventSource: any }} Network */

const CONNECTIONS = 5; // of a channel at a time (PROTOCOL.md)
const FREE_MS = 2000; // is waited for one to end
const AGAIN_MS = 250; // what has ended here may not have ended there yet
const TRIES = 6;

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {Response} response
 * @returns {Promise<boolean>} the channel has as many connections as it may */
async function isFull(response) {
	if (response.status !== 429 || response.headers.get('Sluice') === null)
		return false;
	const { error } = await response.clone().json().catch(() => ({}));
	return error?.code === 'check_full';
}

/** The network, guarded. */
export class Guard {
	#network;
	/** @type {Set<() => void>} */
	#ends = new Set(); // of all that runs
	#sockets = /** @type {Set<any>} */ (new Set());
	#held = 0; // requests that wait or stream
	#over = false;

	/** @param {Network} network @param {AbortSignal} signal */
	constructor(network, signal) {
		this.#network = network;
		signal.addEventListener('abort', () => this.#end());
		if (signal.aborted)
			this.#end();
	}

	#end() {
		this.#over = true;
		this.#ends.forEach((end) => end());
		this.#ends.clear();
	}

	/** @returns {Network} */
	get network() {
		const { WebSocket, EventSource } = this.#network;
		const guard = this;
		return {
			fetch: (url, init) => guard.#fetch(String(url), init ?? {}),
			WebSocket: WebSocket && function open(/** @type {string} */ url) {
				return guard.#open(new WebSocket(url), guard.#sockets);
			},
			EventSource: EventSource && function open(/** @type {string} */ url) {
				return guard.#open(new EventSource(url), new Set());
			},
		};
	}

	/** @param {any} opened @param {Set<any>} counted */
	#open(opened, counted) {
		counted.add(opened);
		const end = () => opened.close();
		this.#ends.add(end);
		if (this.#over)
			setTimeout(end);
		return opened;
	}

	/** @returns {number} delivery connections that are open */
	#count() {
		this.#sockets.forEach((socket) => socket.readyState > 1 && this.#sockets.delete(socket));
		return this.#held + this.#sockets.size;
	}

	/** @param {string} url @param {RequestInit} init
	 * @returns {Promise<Response>} */
	async #fetch(url, init) {
		const kind = /\/(sse|stream|poll)\?/.exec(url)?.[1];
		const abort = new AbortController();
		const end = () => abort.abort();
		const { signal } = init;
		if (this.#over || signal?.aborted)
			end();
		let isHeld = false;
		const giveBack = () => {
			this.#held -= Number(isHeld);
			isHeld = false;
			this.#ends.delete(end);
		};
		this.#ends.add(end);
		signal?.addEventListener('abort', () => {
			end();
			giveBack();
		});
		for (let tries = 1; ; tries++)
			try {
				for (let ms = 0; kind && ms < FREE_MS && this.#count() >= CONNECTIONS; ms += 50)
					await sleep(50);
				isHeld = Boolean(kind) && !signal?.aborted;
				this.#held += Number(isHeld);
				const response = await this.#network.fetch(url, { ...init, signal: abort.signal });
				const again = kind && tries < TRIES && await isFull(response);
				if (kind === 'poll' || !kind || again) // a stream lasts until it is given up
					giveBack();
				if (!again)
					return response;
				await sleep(AGAIN_MS);
			} catch (error) {
				giveBack();
				throw error;
			}
	}
}
