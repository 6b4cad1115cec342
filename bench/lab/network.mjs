// The network as two see it: a browser, whose place the lab's client takes, and the probe, from
// which nothing is hidden.
import { createFetch } from './fetch.mjs';
import { Route } from './route.mjs';
import { createWebSocketClass } from './websocket.mjs';

const CONNECTIONS = 6; // of a browser to a host

/** @param {{ proxy?: URL | string }} options proxy: a forward one, with a login where it wants one
 * @returns {{ fetch: typeof fetch, WebSocket: any, close: () => void }} */
export function createBrowser({ proxy }) {
	const route = new Route({ proxy, pool: { keepAlive: true, maxSockets: CONNECTIONS } });
	return { fetch: createFetch(route), WebSocket: createWebSocketClass(new Route({ proxy })),
		close: () => route.destroy() };
}

/** Each request has a connection of its own. Compression is asked for as a browser does it: it
 * makes some proxies hold streams back.
 * @param {{ proxy?: URL | string, insecure?: boolean }} options
 * @returns {{ fetch: typeof fetch, WebSocket: any }} */
export function createProbe({ proxy, insecure }) {
	const route = new Route({ proxy, insecure, userAgent: 'sluice-bench probe' });
	return { fetch: createFetch(route), WebSocket: createWebSocketClass(route) };
}
