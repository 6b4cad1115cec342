// Server-Sent Events (WHATWG HTML, section 9.2): by EventSource, or by fetch where there is
// none. An EventSource that loses its connection is closed: the client reconnects, not it.
import { Streams, readLines } from './request.js';

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
		const { token } = host;
		const more = token === undefined ? '' : `&token=${encodeURIComponent(token)}`;
		const source = new host.EventSource(url + more);
		for (const type of ['message', 'open', 'gap', 'heartbeat', 'mark', 'bye'])
			source.addEventListener(type, (/** @type {{ data?: string }} */ { data }) =>
				data !== undefined && take(data));
		source.onerror = () => {
			source.close();
			end({ why: 'the stream broke, or was refused' });
		};
		return () => source.close();
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
