// The WebSocket of a diagnosis: which of its steps succeed, and how long it may be idle. Not part
// of the client proper.
import { IDLE_S, Silence, ask, now } from './ask.js';
import { LIMIT_MS } from './explain.js';
import { createKey, parse } from './transports/request.js';
import { LARGE, closeSocket, createSocket } from './transports/websocket.js';

/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** @param {Way} way
 * @returns {Promise<WebSocketFacts>} */
export async function tryWebSocket(way) {
	if (!way.WebSocket)
		return { missing: way.program, ms: 0 };
	let nonce = '';
	/** The answer to the same request without an upgrade; asked early if nothing comes.
	 * @type {Promise<Answer> | undefined} */
	let plain;
	const askPlain = () => plain ??= ask(way, 'ws', {}, () => undefined, LIMIT_MS - 1000);
	const timer = setTimeout(askPlain, 1000);
	const open = () => new Trial(way, nonce = createKey(), () => clearTimeout(timer)).run();
	const first = await open();
	const { handshake, ended, status = 500, connect } = first;
	const wasLuck = handshake === undefined && ended !== undefined && status >= 500 && !connect;
	const facts = wasLuck ? await open() : first;
	clearTimeout(timer);
	if (facts.large !== undefined)
		return wasLuck ? { ...facts, before: first } : facts;
	const readSeen = (/** @type {string} */ text) => parse(text).seen;
	const { value } = await ask(way, 'probe/seen', { params: { nonce } }, readSeen, LIMIT_MS / 2);
	if (value !== 'unknown') // which means that another gateway may have seen it
		facts.seen = value;
	if (facts.handshake === undefined && (facts.seen ?? 'nothing') === 'nothing')
		facts.plain = await askPlain();
	return facts;
}

/** One WebSocket. Waits longer than the client does, to tell late from lost. */
class Trial {
	/** @type {WebSocketFacts} */
	#facts = { ms: 0 };
	#began = now();
	#way;
	#onHandshake;
	#socket;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	#done = () => {};

	/** @param {Way} way @param {string} nonce @param {() => void} onHandshake */
	constructor(way, nonce, onHandshake) {
		this.#way = way;
		this.#onHandshake = onHandshake;
		this.#socket = createSocket(way, { probe: nonce });
	}

	/** @returns {Promise<WebSocketFacts>} */
	async run() {
		const facts = this.#facts;
		const socket = this.#socket;
		/** @type {Promise<void>} */
		const over = new Promise((done) => {
			this.#done = done;
		});
		this.#wait();
		socket.onopen = () => this.#begin();
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => this.#take(parse(data));
		socket.onerror = (/** @type {any} */ error) => this.#takeError(error);
		socket.onclose = () => {
			facts.ended = now() - this.#began;
			this.#end();
		};
		await over;
		facts.ms = now() - this.#began;
		if (facts.handshake !== undefined && facts.open === undefined && facts.ended !== undefined)
			facts.foreign ??= facts.error !== undefined;
		quit(socket);
		return facts;
	}

	/** For the next sign of life. */
	#wait() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(this.#done, LIMIT_MS);
	}

	#end() {
		clearTimeout(this.#timer);
		this.#done();
	}

	#begin() {
		this.#way.heard = true;
		this.#facts.handshake = now() - this.#began;
		this.#onHandshake();
		this.#wait();
		for (const data of ['small', LARGE])
			this.#socket.send(JSON.stringify({ type: 'ping', data }));
	}

	/** @param {any} object */
	#take({ type, data, reason, limits }) {
		const facts = this.#facts;
		const at = now() - this.#began;
		if (type === 'open') {
			facts.open ??= at;
			this.#way.echoes ||= limits !== undefined;
			this.#wait();
		} else if (type === 'bye')
			facts.bye = reason;
		else if (facts.open === undefined)
			facts.foreign = true;
		else if (type === 'pong' && data === 'small') {
			facts.small ??= at;
			this.#wait();
		} else if (type === 'pong' || type === 'error') // too_large: it has arrived
			facts.large ??= at;
		if (facts.foreign || facts.large !== undefined)
			this.#end();
	}

	/** @param {any} error an event; in Node.js it has more details than in browsers */
	#takeError({ status, connect, code, error, message = '' }) {
		const facts = this.#facts;
		const told = Number(/server response: (\d{3})/.exec(message)?.[1]);
		facts.status ??= status ?? (told || undefined);
		facts.connect ??= connect;
		facts.error ??= code ?? error?.code;
	}
}

/** @param {any} socket */
function quit(socket) {
	socket.onmessage = socket.onclose = null;
	socket.onerror = () => {};
	closeSocket(socket);
}

/** Leaves a WebSocket idle for as long as a client might.
 * @param {Way} way
 * @returns {Promise<IdleFacts>} */
export async function watchSocket(way) {
	const silence = new Silence();
	const socket = createSocket(way, { heartbeat: IDLE_S });
	const isSilent = await new Promise((done) => {
		const timer = setTimeout(done, (IDLE_S + 4) * 1000, true);
		const end = () => done(clearTimeout(timer));
		socket.onmessage = (/** @type {{ data: any }} */ { data }) =>
			silence.take(parse(data).type) && end();
		socket.onerror = () => {};
		socket.onclose = end;
	});
	quit(socket);
	return silence.conclude(Boolean(isSilent));
}
