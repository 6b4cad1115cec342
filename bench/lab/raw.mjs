// fetch and WebSocket over sockets of their own, which see what those of a browser hide: the
// status of a refused upgrade, a proxy's answer to CONNECT. Each request has a connection of
// its own. Through a forward proxy plain requests go by absolute URL, sockets and TLS by
// CONNECT, as browsers do it.
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';
import net from 'node:net';
import { toWeb } from './web_stream.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, section 1.3
const AGENT = { 'User-Agent': 'sluice-bench probe' };

/** @param {URL} via */
function credentials({ username, password }) {
	return username ? { 'Proxy-Authorization': `Basic ${Buffer.from(decodeURIComponent(`${username}:${password}`)).toString('base64')}` } : {};
}

const portOf = ({ port, protocol }) => Number(port) || (/^(https|wss):$/.test(protocol) ? 443 : 80);
const nameOf = ({ hostname }) => hostname.replace(/^\[|\]$/g, '');

/** @returns {Promise<net.Socket>} rejects with `connect` and the proxy's status */
function tunnel(via, target) {
	return new Promise((resolve, reject) => {
		const place = `${target.hostname}:${portOf(target)}`;
		const request = http.request({ host: nameOf(via), port: portOf(via), method: 'CONNECT', path: place, agent: false,
			headers: { Host: place, ...AGENT, ...credentials(via) } });
		request.on('connect', ({ statusCode }, socket) => {
			if (statusCode === 200)
				return resolve(socket);
			socket.destroy();
			reject({ connect: true, status: statusCode });
		});
		request.on('response', ({ statusCode }) => reject({ connect: true, status: statusCode }));
		request.on('error', ({ code }) => reject({ connect: true, code }));
		request.end();
	});
}

/** A connection to where `target` is, TLS and all. @returns {Promise<net.Socket>} */
async function connect(target, via, insecure) {
	const plain = via ? await tunnel(via, target) : net.connect(portOf(target), nameOf(target));
	if (!/^(https|wss):$/.test(target.protocol))
		return plain;
	const name = nameOf(target);
	return tls.connect({ socket: plain, servername: net.isIP(name) ? '' : name, rejectUnauthorized: !insecure });
}

/** @param {{ via?: URL, insecure?: boolean }} options */
export function createFetch({ via, insecure }) {
	return async (url, { method = 'GET', headers = {}, body, signal } = {}) => {
		const target = new URL(url);
		const isAbsolute = via && target.protocol === 'http:';
		const socket = isAbsolute ? net.connect(portOf(via), nameOf(via)) : await connect(target, via, insecure);
		const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
		return new Promise((resolve, reject) => {
			const request = http.request({ createConnection: () => socket, method, signal, setHost: false,
				path: isAbsolute ? target.href : target.pathname + target.search,
				headers: { Host: target.host, ...AGENT, ...length, ...headers, Connection: 'close', ...isAbsolute && credentials(via) } });
			request.on('error', reject);
			request.on('response', (response) => {
				const { statusCode: status, rawHeaders } = response;
				const lines = rawHeaders.flatMap((name, i) => i % 2 ? [] : [[name, rawHeaders[i + 1]]]);
				response.on('error', () => {});
				if (status < 200 || status > 599)
					return reject({ code: `status ${status}` });
				resolve(new Response([204, 205, 304].includes(status) ? null : toWeb(response), { status, headers: lines }));
			});
			request.end(body);
		});
	};
}

/** @param {{ via?: URL, insecure?: boolean }} options */
export function createWebSocket({ via, insecure }) {
	return class {
		readyState = 0;
		onopen = () => {};
		onmessage = () => {};
		onerror = () => {};
		onclose = () => {};
		#socket;
		#bytes = Buffer.alloc(0);
		#text = [];

		constructor(url) {
			const target = new URL(url);
			connect(target, via, insecure).then((socket) => this.#shake(target, socket), (error) => this.#fail(error));
		}

		#shake(target, socket) {
			this.#socket = socket;
			if (this.readyState === 3)
				return socket.destroy();
			const key = randomBytes(16).toString('base64');
			const request = http.request({ createConnection: () => socket, path: target.pathname + target.search, setHost: false,
				headers: { Host: target.host, ...AGENT, Connection: 'Upgrade', Upgrade: 'websocket',
					'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': key } });
			request.on('error', (error) => this.#fail(error));
			request.on('response', ({ statusCode: status }) => this.#fail({ status }));
			request.on('upgrade', ({ headers }, upgraded, first) => {
				if (headers['sec-websocket-accept'] !== createHash('sha1').update(key + GUID).digest('base64'))
					return this.#fail({ code: 'Sec-WebSocket-Accept is wrong' });
				this.readyState = 1;
				upgraded.on('data', (bytes) => this.#read(bytes)).on('error', (error) => this.#fail(error))
					.on('close', () => this.#fail());
				this.onopen();
				if (first.length)
					this.#read(first);
			});
			request.end();
		}

		/** Frames of a server: not masked, no extension (RFC 6455, section 5.2). */
		#read(bytes) {
			this.#bytes = Buffer.concat([this.#bytes, bytes]);
			while (this.readyState === 1 && this.#bytes.length >= 2) {
				const [first, second] = this.#bytes;
				const head = second === 127 ? 10 : second === 126 ? 4 : 2;
				if ((first & 0x70) || second > 127 || ![0, 1, 8, 9, 10].includes(first & 15))
					return this.#fail({ code: 'what came is no frame' });
				if (this.#bytes.length < head)
					return;
				const length = head === 10 ? Number(this.#bytes.readBigUInt64BE(2)) : head === 4 ? this.#bytes.readUInt16BE(2) : second;
				if (this.#bytes.length < head + length)
					return;
				const payload = this.#bytes.subarray(head, head + length);
				this.#bytes = this.#bytes.subarray(head + length);
				this.#take(first, payload);
			}
		}

		#take(first, payload) {
			if ((first & 15) === 8)
				this.#fail();
			else if ((first & 15) === 9)
				this.#write(10, payload);
			else if ((first & 15) < 2) {
				this.#text.push(payload);
				if (first & 0x80)
					this.onmessage({ data: String(Buffer.concat(this.#text.splice(0))) });
			}
		}

		#write(opcode, payload) {
			const { length } = payload;
			const head = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] :
				[127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
			head[0] |= 0x80;
			const mask = randomBytes(4);
			this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...head]), mask, payload.map((byte, i) => byte ^ mask[i % 4])]));
		}

		send(text) {
			if (this.readyState === 1)
				this.#write(1, Buffer.from(text));
		}

		close() {
			if (this.readyState === 1)
				this.#write(8, Buffer.from([3, 232]));
			this.readyState = 3;
			this.#socket?.end();
			setTimeout(() => this.#socket?.destroy(), 500).unref();
		}

		#fail(error) {
			if (this.readyState === 3)
				return;
			this.readyState = 3;
			this.#socket?.destroy();
			if (error)
				this.onerror?.({ status: error.status, connect: error.connect, code: error.code });
			this.onclose?.({});
		}
	};
}
