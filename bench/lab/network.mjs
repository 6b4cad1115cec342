// The network as two see it: a browser, whose place the lab's client takes, and the probe, from
// which nothing is hidden.
import { createFetch } from './fetch.mjs';
import { Route } from './route.mjs';
import { createWebSocketClass } from './websocket.mjs';

const CONNECTIONS = 6; // of a browser to a host
const CERTIFICATE = /^(?!ERR_SSL_).*(CERT|SELF_SIGNED|VERIFY|INVALID_CA)/; // codes of one that is not trusted

/** @param {{ proxy?: URL | string }} options proxy: a forward one, with a login where it wants one
 * @returns {{ fetch: typeof fetch, WebSocket: any, close: () => void }} */
export function createBrowser({ proxy }) {
	const route = new Route({ proxy, pool: { keepAlive: true, maxSockets: CONNECTIONS } });
	return { fetch: createFetch(route), WebSocket: createWebSocketClass(new Route({ proxy })),
		close: () => route.destroy() };
}

/** Each request has a connection of its own. Compression is asked for as a browser does it: it
 * makes some proxies hold streams back. The error of a certificate that is not trusted has its
 * `issuer`, which is who intercepts TLS where somebody does.
 * @param {{ proxy?: URL | string, insecure?: boolean }} options
 * @returns {{ fetch: typeof fetch, WebSocket: any }} */
export function createProbe({ proxy, insecure }) {
	const route = new Route({ proxy, insecure, userAgent: 'sluice-bench probe' });
	const fetch = createFetch(route);
	/** @type {Promise<string | undefined> | undefined} */
	let issuer;
	return { WebSocket: createWebSocketClass(route), fetch: (url, init) => fetch(url, init).catch(async (error) => {
		if (CERTIFICATE.test(error.code))
			error.issuer = await (issuer ??= route.readIssuer(new URL(String(url))).catch(() => undefined));
		throw error;
	}) };
}
