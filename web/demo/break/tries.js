// Which transport is being tried: what the client asks the browser for says it. The client
// tells what it uses and what has failed, not what it only tries.

/** @typedef {import('../page.js').TransportName} TransportName */

/** The browser's own WebSocket and fetch, each telling what it was asked for.
 * @param {(transport: TransportName) => void} tell */
export function createWays(tell) {
	return {
		WebSocket: class extends WebSocket {
			/** @param {string} url */
			constructor(url) {
				super(url);
				tell('websocket');
			}
		},
		EventSource: null, // it does not tell why it failed; fetch does, and the wire is the same
		/** @param {string | URL | Request} url @param {RequestInit} [options] */
		fetch(url, options) {
			const { pathname, searchParams } = new URL(String(url));
			if (pathname.endsWith('/sse') || pathname.endsWith('/stream'))
				tell(pathname.endsWith('/sse') ? 'sse' : 'stream');
			else if (pathname.endsWith('/poll')) // the first of either is not held
				tell(searchParams.get('wait') === '0' ? 'poll' : 'longpoll');
			return fetch(url, options);
		},
	};
}
