// WebSocket (RFC 6455) as a browser has it, as far as the client needs it, but for its error
// event, which says more: `status` of an upgrade that was refused, `connect` where that was a
// proxy's to CONNECT, `code` of what failed.
import { createHash, randomBytes } from 'node:crypto';
import { CLOSE, CONTINUED, FrameReader, PING, PONG, TEXT, writeFrame } from './frames.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, section 1.3
const CLOSE_MS = 2000; // for the other side to end it
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** @typedef {{ status?: number, connect?: boolean, code?: string }} Failure */

/** @param {import('./route.mjs').Route} route
 * @returns {any} a class to be used as WebSocket */
export function createWebSocketClass(route) {
	return class extends WebSocket {
		/** @param {string} url */
		constructor(url) {
			super(url, route);
		}
	};
}

class WebSocket {
	readyState = CONNECTING;
	/** @type {((event: any) => void) | null} */ onopen = null;
	/** @type {((event: any) => void) | null} */ onmessage = null;
	/** @type {((event: any) => void) | null} */ onerror = null;
	/** @type {((event: any) => void) | null} */ onclose = null;
	#key = randomBytes(16).toString('base64');
	#abort = new AbortController(); // of what has not been upgraded
	/** @type {import('node:stream').Duplex | undefined} */
	#socket;
	#frames = new FrameReader();
	/** @type {Buffer[] | undefined} */
	#parts; // of a message in several frames
	#decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
	#code = 1006;

	/** @param {string} url @param {import('./route.mjs').Route} route */
	constructor(url, route) {
		const request = route.request(url, { signal: this.#abort.signal, headers: { Connection: 'Upgrade', Upgrade: 'websocket',
			'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': this.#key } });
		request.on('upgrade', ({ headers }, socket, first) => this.#begin(headers['sec-websocket-accept'], socket, first));
		request.on('response', ({ statusCode }) => this.#fail({ status: statusCode }));
		request.on('error', (/** @type {Failure} */ error) => this.#fail(error));
		request.end();
	}

	/** @param {string} data */
	send(data) {
		this.#write(TEXT, Buffer.from(data));
	}

	close() {
		if (this.readyState === CONNECTING)
			this.#fail({});
		else if (this.readyState === OPEN)
			this.#close(1000);
	}

	/** @param {string | undefined} accept @param {import('node:stream').Duplex} socket @param {Buffer} first */
	#begin(accept, socket, first) {
		this.#socket = socket;
		socket.on('error', (/** @type {Failure} */ error) => this.#fail(error));
		if (this.readyState !== CONNECTING)
			return void socket.destroy();
		if (accept !== createHash('sha1').update(this.#key + GUID).digest('base64'))
			return this.#fail({ code: 'Sec-WebSocket-Accept is wrong' });
		this.readyState = OPEN;
		socket.on('data', (bytes) => this.#take(bytes));
		socket.on('end', () => socket.destroy());
		socket.on('close', () => this.#end());
		this.onopen?.({ type: 'open' });
		if (first.length)
			this.#take(first);
	}

	/** @param {Buffer} bytes */
	#take(bytes) {
		try {
			this.#frames.push(bytes);
			for (let frame; this.readyState !== CLOSED && (frame = this.#frames.next());)
				this.#takeFrame(frame);
		} catch (/** @type {any} */ { message }) {
			this.#fail({ code: message });
		}
	}

	/** Throws where it breaks the protocol.
	 * @param {import('./frames.mjs').Frame} frame */
	#takeFrame({ opcode, isLast, payload }) {
		if (opcode === PING)
			this.#write(PONG, payload);
		else if (opcode === CLOSE)
			this.#takeClose(payload);
		else if (opcode !== PONG) {
			if ((opcode === CONTINUED) !== (this.#parts !== undefined))
				throw new Error('the frames of two messages are mixed');
			const parts = [...this.#parts ?? [], payload];
			this.#parts = isLast ? undefined : parts;
			if (isLast)
				this.#tell(Buffer.concat(parts));
		}
	}

	/** @param {Buffer} payload */
	#takeClose(payload) {
		if (payload.length === 1)
			throw new Error('half a close code came');
		this.#code = payload.length ? payload.readUInt16BE(0) : 1005;
		if (this.readyState === OPEN)
			this.#close(this.#code);
		this.#socket?.end();
	}

	/** @param {Buffer} bytes */
	#tell(bytes) {
		const data = this.#decode(bytes);
		if (this.readyState === OPEN)
			this.onmessage?.({ type: 'message', data });
	}

	/** @param {Buffer} bytes */
	#decode(bytes) {
		try {
			return this.#decoder.decode(bytes);
		} catch {
			throw new Error('a text is not UTF-8');
		}
	}

	/** @param {number} code */
	#close(code) {
		this.#write(CLOSE, Buffer.from(code === 1005 ? [] : [code >> 8, code & 255]));
		this.readyState = CLOSING;
		setTimeout(() => this.#socket?.destroy(), CLOSE_MS).unref();
	}

	/** @param {number} opcode @param {Buffer} payload */
	#write(opcode, payload) {
		if (this.readyState === OPEN)
			this.#socket?.write(writeFrame(opcode, payload));
	}

	/** @param {Failure} failure */
	#fail({ status, connect, code }) {
		if (this.readyState === CLOSED)
			return;
		this.readyState = CLOSING; // none of what it tells may come here again
		this.#abort.abort();
		this.#socket?.destroy();
		this.onerror?.({ type: 'error', status, connect, code });
		this.#end();
	}

	#end() {
		if (this.readyState === CLOSED)
			return;
		this.readyState = CLOSED;
		this.onclose?.({ type: 'close', code: this.#code });
	}
}
