// One transport that listens to the channel of the check, and reconnects when it is cut.
import { askPoll, now } from '../client/ask.js';
import { readStream } from '../client/diagnose_stream.js';
import { parse } from '../client/transports/request.js';
import { closeSocket, createSocket } from '../client/transports/websocket.js';

/** @typedef {import('../client/ask.js').Way} Way */
/** object: a message as it came; at: ms
 * @typedef {(name: string, object: any, at: number) => void} Hear */
/** hold: s that a long-poll is held; posts: polls go by POST, where a cache answers those by GET
 * @typedef {{ hold: number, posts: boolean, hear: Hear }} Options */
/** A connection that ended by itself. lived: ms; opened: it had carried something
 * @typedef {{ lived: number, at: number, opened: boolean, bye?: string }} End */

export const INTERVAL_MS = 1000; // between the answer to a short poll and the next
const HEARTBEAT_S = 60; // the path is listened to, not filled
const OPEN_MS = 8000;
const LATE_MS = 5000;
const PAUSE_MS = 150; // before it connects again, and longer each time
const MOST = 5; // connections

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

export class Listener {
	/** @type {number | null} */
	connect = null; // ms until the connection stood, the first time
	isOpen = false;
	/** @type {End[]} */
	ends = [];
	answers = { good: 0, bad: 0, stale: 0 }; // of polls
	/** @type {Promise<boolean>} */
	opened;
	began = now();
	/** @type {any} */
	#socket;
	#way;
	#options;
	#cursor = '0'; // what is in the history comes first
	#abort = new AbortController();
	#done = /** @type {(isOpen: boolean) => void} */ (() => {});
	/** @type {Map<string, (isTaken: boolean) => void>} */
	#refs = new Map();

	/** @param {string} name @param {Way} way @param {Options} options */
	constructor(name, way, options) {
		this.name = name;
		this.#options = options;
		this.#way = { ...way, fetch: async (/** @type {any} */ url, /** @type {any} */ init) => {
			const response = await way.fetch(url, init);
			this.#note();
			return response;
		} };
		this.opened = new Promise((done) => { this.#done = done; });
		this.#run();
	}

	get isClosed() {
		return this.#abort.signal.aborted;
	}

	close() {
		this.#abort.abort();
		if (this.#socket) {
			this.#socket.onclose = this.#socket.onmessage = null;
			closeSocket(this.#socket);
		}
		this.#lose();
	}

	/** Over its socket.
	 * @param {object} data
	 * @returns {Promise<boolean>} the gateway has taken it */
	publish(data) {
		const ref = `${this.#refs.size}`;
		if (this.#socket?.readyState !== 1)
			return Promise.resolve(false);
		return new Promise((done) => {
			this.#refs.set(ref, done);
			const { channel } = this.#way;
			this.#socket.send(JSON.stringify({ type: 'publish', channel, data, ref }));
		});
	}

	/** The connection stands. */
	#note() {
		this.connect ??= now() - this.began;
	}

	#lose() {
		this.isOpen = false;
		this.#done(false);
		this.#refs.forEach((done) => done(false));
	}

	async #run() {
		const connect = { websocket: () => this.#listenSocket(), sse: () => this.#listenStream(),
			stream: () => this.#listenStream(), longpoll: () => this.#poll(),
			poll: () => this.#poll() }[this.name];
		for (let count = 1; connect && !this.isClosed; count++) {
			const began = now();
			const bye = await connect();
			if (this.isClosed)
				return;
			this.ends.push({ lived: now() - began, at: now(), opened: this.isOpen, bye });
			this.isOpen = false;
			if (count >= MOST)
				return this.#lose();
			await sleep(PAUSE_MS * count);
		}
	}

	/** @param {any} object */
	#take(object) {
		this.#note();
		this.isOpen = true;
		this.#done(true);
		if (object.id && object.channel)
			this.#options.hear(this.name, object, now());
		this.#cursor = object.cursor ?? object.id ?? this.#cursor;
	}

	/** @returns {Promise<string | undefined>} at its end, the gateway's reason */
	#listenSocket() {
		const socket = createSocket(this.#way, { since: this.#cursor, heartbeat: HEARTBEAT_S });
		this.#socket = socket;
		return new Promise((done) => {
			/** @type {string | undefined} */
			let bye;
			const timer = setTimeout(() => socket.close(), OPEN_MS);
			socket.onopen = () => this.#note();
			socket.onerror = () => {};
			socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
				const object = parse(data);
				clearTimeout(timer);
				bye = object.type === 'bye' ? object.reason : undefined;
				this.#refs.get(object.ref)?.(object.type === 'ack');
				this.#take(object);
			};
			socket.onclose = () => {
				clearTimeout(timer);
				this.#refs.forEach((taken) => taken(false));
				done(bye);
			};
		});
	}

	/** @returns {Promise<string | undefined>} */
	async #listenStream() {
		const params = { since: this.#cursor, heartbeat: HEARTBEAT_S };
		/** @type {string | undefined} */
		let bye;
		await readStream(this.#way, this.name, params, OPEN_MS, (object, ms, wait) => {
			wait(undefined);
			bye = object.type === 'bye' ? object.reason : undefined;
			this.#take(object);
			return this.isClosed || bye !== undefined;
		}, this.#abort.signal);
		return bye;
	}

	/** Until one fails.
	 * @returns {Promise<undefined>} */
	async #poll() {
		const { hold, posts } = this.#options;
		const { signal } = this.#abort;
		const isHeld = this.name === 'longpoll';
		const method = posts ? 'POST' : 'GET';
		for (let first = this.#cursor === '0'; !this.isClosed; first = false) {
			const wait = isHeld && !first ? hold : 0;
			const limit = first ? OPEN_MS : wait * 1000 + LATE_MS;
			const { good, stale } = await askPoll(this.#way, { method, wait, limit, signal,
				since: this.#cursor, take: (answer) => this.#takeAnswer(answer) });
			if (this.isClosed)
				return;
			this.answers.stale += Number(Boolean(good && stale));
			this.answers[good ? 'good' : 'bad']++;
			if (!good)
				return;
			if (!isHeld || stale)
				await sleep(isHeld ? PAUSE_MS : INTERVAL_MS);
		}
	}

	/** @param {any} answer */
	#takeAnswer({ messages = [], cursor }) {
		messages.forEach((/** @type {any} */ message) => this.#take(message));
		this.#take({ cursor });
	}
}
