// WebSocket (RFC 6455) as a browser has it, as far as the client needs it: text frames, and a
// forward proxy that is asked for a tunnel. Nothing of npm is needed for the lab.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE_MS = 2000; // for the answer to a close frame
const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];
const [CONTINUED, TEXT, CLOSE, PING, PONG] = [0, 1, 8, 9, 10];

/** @param {string} [proxy] the URL of a forward proxy
 * @returns {any} a class to be used as WebSocket */
export function createWebSocketClass(proxy) {
	return class extends WebSocket {
		/** @param {string} url */
		constructor(url) {
			super(url, proxy);
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
	/** @type {import('node:stream').Duplex | undefined} */
	#socket;
	/** @type {http.ClientRequest | undefined} */
	#request;
	#held = Buffer.alloc(0);
	/** @type {Buffer[]} */
	#parts = []; // of a message in several frames
	#code = 1006;

	/** @param {string} url @param {string} [proxy] */
	constructor(url, proxy) {
		const to = new URL(url);
		if (proxy)
			this.#tunnel(to, new URL(proxy));
		else
			this.#upgrade(to, { host: to.hostname, port: to.port || 80, agent: false });
	}

	/** @param {string} data */
	send(data) {
		if (this.readyState === OPEN)
			this.#write(TEXT, Buffer.from(data));
	}

	close() {
		if (this.readyState === CONNECTING)
			return this.#fail();
		if (this.readyState !== OPEN)
			return;
		this.readyState = CLOSING;
		this.#write(CLOSE, Buffer.from([0x03, 0xe8]));
		setTimeout(() => this.#socket?.destroy(), CLOSE_MS).unref();
	}

	/** @param {URL} to @param {URL} proxy */
	#tunnel(to, proxy) {
		const authority = `${to.hostname}:${to.port || 80}`;
		const request = this.#request = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: authority,
			agent: false, headers: { Host: authority } });
		request.on('connect', (response, socket) => {
			socket.on('error', () => {});
			if (response.statusCode === 200 && this.readyState === CONNECTING)
				return this.#upgrade(to, { createConnection: () => socket });
			socket.destroy();
			this.#fail();
		});
		request.on('error', () => this.#fail());
		request.end();
	}

	/** @param {URL} to @param {object} where */
	#upgrade(to, where) {
		const request = this.#request = http.request({ ...where, path: to.pathname + to.search, setHost: false,
			headers: { Host: to.host, Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
				'Sec-WebSocket-Key': this.#key } });
		request.on('upgrade', (response, socket, head) => this.#begin(response, socket, head));
		request.on('response', (response) => {
			response.destroy();
			this.#fail();
		});
		request.on('error', () => this.#fail());
		request.end();
	}

	/** @param {http.IncomingMessage} response @param {import('node:stream').Duplex} socket
	 * @param {Buffer} head */
	#begin(response, socket, head) {
		const accept = createHash('sha1').update(this.#key + GUID).digest('base64');
		socket.on('error', () => {});
		if (response.headers['sec-websocket-accept'] !== accept || this.readyState !== CONNECTING) {
			socket.destroy();
			return this.#fail();
		}
		this.#socket = socket;
		this.readyState = OPEN;
		socket.on('data', (bytes) => this.#take(bytes));
		socket.on('end', () => socket.destroy());
		socket.on('close', () => this.#end());
		this.onopen?.({ type: 'open' });
		if (head.length)
			this.#take(head);
	}

	/** @param {number} opcode @param {Buffer} payload */
	#write(opcode, payload) {
		const { length } = payload;
		const head = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] :
			[127, 0, 0, 0, 0, ...new Uint8Array(new Uint32Array([length]).buffer).reverse()];
		const mask = randomBytes(4);
		this.#socket?.write(Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | head[0], ...head.slice(1)]), mask,
			payload.map((byte, i) => byte ^ mask[i & 3])]));
	}

	/** @param {Buffer} bytes */
	#take(bytes) {
		this.#held = Buffer.concat([this.#held, bytes]);
		while (this.readyState !== CLOSED && this.#held.length >= 2) {
			const [first, second] = this.#held;
			let length = second & 127;
			let at = 2;
			if (length === 126) {
				at = 4;
				length = this.#held.length < at ? Infinity : this.#held.readUInt16BE(2);
			} else if (length === 127) {
				at = 10;
				length = this.#held.length < at ? Infinity : Number(this.#held.readBigUInt64BE(2));
			}
			if (this.#held.length < at + length)
				return;
			const payload = this.#held.subarray(at, at + length);
			this.#held = this.#held.subarray(at + length);
			this.#frame(first, second, payload);
		}
	}

	/** @param {number} first @param {number} second @param {Buffer} payload */
	#frame(first, second, payload) {
		const opcode = first & 15;
		if (first & 0x70 || second & 0x80)
			return void this.#socket?.destroy(); // RFC 6455, sections 5.1 and 5.2
		if (opcode === PING)
			this.#write(PONG, payload);
		else if (opcode === CLOSE) {
			this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
			if (this.readyState === OPEN)
				this.#write(CLOSE, payload);
			this.readyState = CLOSING;
			this.#socket?.end();
		} else if (opcode === TEXT || opcode === CONTINUED) {
			this.#parts.push(payload);
			if (first & 0x80)
				this.onmessage?.({ type: 'message', data: Buffer.concat(this.#parts.splice(0)).toString() });
		} else if (opcode !== PONG)
			this.#socket?.destroy();
	}

	#fail() {
		if (this.readyState === CLOSED)
			return;
		this.#request?.destroy();
		this.onerror?.({ type: 'error' });
		this.#end();
	}

	#end() {
		if (this.readyState === CLOSED)
			return;
		this.readyState = CLOSED;
		this.onclose?.({ type: 'close', code: this.#code });
	}
}
