// Server-Sent Events (WHATWG HTML, section 9.2): by EventSource, or by fetch where there is
// none. An EventSource that loses its connection is closed: the client reconnects, not it. It sends
// no header of ours, so each has a ticket of its own instead of the token.
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
				(error) => isEnded || end(asLoss(error, 'no ticket was to be had')));
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
