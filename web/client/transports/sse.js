// Server-Sent Events (WHATWG HTML, section 9.2): by EventSource, or by fetch if there is none. When
// an EventSource loses its connection, the client closes it and reconnects itself. An EventSource
// cannot send the header Authorization, so each one has a ticket instead of the token.
import { Streams, asLoss, buyTicket, readLines } from './request.js';

export const name = 'sse';

/** Opens a stream; returns what ends it.
 * @typedef {(url: string, take: (text: string) => void,
 * 	end: (loss: { why: string }) => void) => () => void} Connect */

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return new Streams(host, 'sse', host.EventSource ? connectNative : connectFetch);

	/** @type {Connect} */
	function connectNative(url, take, end) {
		/** @type {any} */
		let source;
		let isEnded = false;
		const begin = (/** @type {string} */ more) => {
			source = new host.EventSource(url + more);
			for (const type of ['message', 'open', 'gap', 'heartbeat', 'mark', 'backend', 'bye'])
				source.addEventListener(type, (/** @type {{ data?: string }} */ { data }) =>
					data !== undefined && take(data));
			source.onerror = () => {
				source.close();
				end({ why: 'the stream broke, or was refused' });
			};
		};
		if (host.token === undefined)
			begin('');
		else
			buyTicket(host).then((ticket) => isEnded || begin(ticket ? `&ticket=${ticket}` : ''),
				(error) => isEnded || end(asLoss(error, 'the request for a ticket failed')));
		return () => {
			isEnded = true;
			source?.close();
		};
	}

	/** @type {Connect} */
	function connectFetch(url, take, end) {
		let data = '';
		return readLines(host, url, (line) => {
			if (line.startsWith('data:'))
				data += line.slice(5);
			else if (line === '' && data) {
				const text = data;
				data = '';
				take(text);
			}
		}, end);
	}
}
