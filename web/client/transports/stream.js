// HTTP streaming: one long response, an object a line (NDJSON).
import { Streams, readLines } from './request.js';

export const name = 'stream';

/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host) {
	return new Streams(host, 'stream', (url, take, end) => readLines(host, url, take, end));
}
