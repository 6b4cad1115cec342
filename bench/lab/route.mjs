// How a target is reached: directly, or through a forward proxy as browsers do it, plain
// requests by absolute URL, sockets and TLS by CONNECT (RFC 9110, section 9.3.6).
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';

/** @typedef {object} RouteOptions
 * @property {URL | string} [proxy] http://[USER:PASSWORD@]HOST:PORT
 * @property {boolean} [insecure] the target's certificate is not checked
 * @property {string} [userAgent] told to the target and to the proxy
 * @property {http.AgentOptions} [pool] else each request has a connection of its own */

const isSecure = (/** @type {URL} */ { protocol }) => protocol === 'https:' || protocol === 'wss:';
const portOf = (/** @type {URL} */ url) => Number(url.port) || (isSecure(url) ? 443 : 80);
const placeOf = (/** @type {URL} */ url) => ({ host: url.hostname.replace(/^\[|\]$/g, ''), port: portOf(url) });

/** @param {URL} proxy
 * @returns {Record<string, string>} */
function logIn({ username, password }) {
	const login = decodeURIComponent(`${username}:${password}`);
	return username ? { 'Proxy-Authorization': `Basic ${Buffer.from(login).toString('base64')}` } : {};
}

/** Makes requests and their connections. Where one fails before it is at the target, the error
 * has `connect`, and `status` when the proxy answered. */
export class Route extends http.Agent {
	/** @type {URL | undefined} */
	#proxy;
	#insecure;
	/** @type {Record<string, string>} */
	#headers;

	/** @param {RouteOptions} options */
	constructor({ proxy, insecure = false, userAgent, pool = {} }) {
		super(pool);
		this.#proxy = proxy ? new URL(proxy) : undefined;
		this.#insecure = insecure;
		this.#headers = userAgent ? { 'User-Agent': userAgent } : {};
	}

	/** @param {string} url @param {{ method?: string, headers: Record<string, string | number>, signal?: AbortSignal }} options
	 * @returns {http.ClientRequest} that the caller has to end */
	request(url, { method = 'GET', headers, signal }) {
		const target = new URL(url);
		const first = target.protocol === 'http:' ? this.#proxy : undefined;
		const options = { ...placeOf(first ?? target), agent: this, setHost: false, method, signal,
			target: first ? undefined : target, abort: signal, // Node keeps the signal itself from createConnection()
			path: first ? `${target.origin}${target.pathname}${target.search}` : target.pathname + target.search,
			headers: { Host: target.host, ...this.#headers, ...headers, ...first && logIn(first) } };
		return http.request(options);
	}

	/** As Node wants it: returns a connection, or hands it to `done` when it is there.
	 * @param {any} options of request(); without a target it is for the proxy itself
	 * @param {any} done takes an error, or null and the connection */
	createConnection({ host, port, target, abort }, done) {
		if (this.#proxy && target) {
			this.#tunnel(this.#proxy, target, abort).then((socket) => this.#secure(target, { socket }))
				.then((socket) => done(null, socket), done);
			return undefined;
		}
		return target ? this.#secure(target, { host, port, noDelay: true }) : net.connect({ host, port, noDelay: true });
	}

	/** @param {URL} target @param {{ socket: net.Socket } | { host: string, port: number, noDelay: true }} where
	 * @returns {net.Socket} */
	#secure(target, where) {
		if (!isSecure(target))
			return 'socket' in where ? where.socket : net.connect(where);
		const { host } = placeOf(target);
		return tls.connect({ ...where, servername: net.isIP(host) ? '' : host, rejectUnauthorized: !this.#insecure });
	}

	/** Who issued the certificate that a target shows, be it trusted or not. Nothing is sent there.
	 * @param {URL} target
	 * @returns {Promise<string | undefined>} as in `O=Example, CN=Root` */
	async readIssuer(target) {
		const { host } = placeOf(target);
		const where = this.#proxy ? { socket: await this.#tunnel(this.#proxy, target) } : placeOf(target);
		const socket = tls.connect({ ...where, servername: net.isIP(host) ? '' : host, rejectUnauthorized: false });
		try {
			await once(socket, 'secureConnect');
			const { issuer } = socket.getPeerCertificate();
			return issuer && Object.entries(issuer).map(([name, value]) => `${name}=${value}`).join(', ');
		} finally {
			socket.destroy();
		}
	}

	/** @param {URL} proxy @param {URL} target @param {AbortSignal} [signal]
	 * @returns {Promise<net.Socket>} */
	#tunnel(proxy, target, signal) {
		const authority = `${target.hostname}:${portOf(target)}`;
		return new Promise((resolve, reject) => {
			const fail = (/** @type {Error} */ error, /** @type {number} */ status) => reject(Object.assign(error, { connect: true, status }));
			const request = http.request({ ...placeOf(proxy), method: 'CONNECT', path: authority, agent: false, signal,
				headers: { Host: authority, ...this.#headers, ...logIn(proxy) } });
			request.on('connect', ({ statusCode: status = 0 }, socket) => {
				if (status === 200)
					return resolve(socket);
				socket.destroy();
				fail(new Error(`CONNECT was answered with status ${status}`), status);
			});
			request.on('error', fail);
			request.end();
		});
	}
}
