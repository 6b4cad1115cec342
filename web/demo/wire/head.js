// The head of an HTTP/1.1 request or response (RFC 9112, sections 2 to 5).
import { toLatin1 } from './bytes.js';

/** @typedef {object} Head
 * @property {string} start the start line
 * @property {string} method of a request, else ''
 * @property {string} target of a request, else ''
 * @property {number} status of a response, else 0
 * @property {{ name: string, value: string }[]} fields in their order
 * @property {number} length of the head, its empty line included */

/** Where a head may begin when nothing is known of what came before. */
const START = /^(HTTP\/1\.[01] \d{3}|(GET|HEAD|POST|PUT|DELETE|OPTIONS) \S+ HTTP\/1\.[01]\r)/;

/** @param {Uint8Array} bytes */
export function looksLikeHead(bytes) {
	return START.test(toLatin1(bytes.subarray(0, 4096)));
}

/** @param {Uint8Array} bytes
 * @returns {Head | null} null: there is more to come */
export function decodeHead(bytes) {
	const text = toLatin1(bytes);
	const end = text.indexOf('\r\n\r\n');
	if (end < 0)
		return null;
	const [start, ...lines] = text.slice(0, end).split('\r\n');
	const isResponse = start.startsWith('HTTP/');
	const words = start.split(' ');
	return {
		start,
		method: isResponse ? '' : words[0],
		target: isResponse ? '' : words[1] ?? '',
		status: isResponse ? Number(words[1]) : 0,
		fields: lines.map((line) => {
			const colon = line.indexOf(':');
			return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() };
		}),
		length: end + 4,
	};
}

/** @param {Head | null | undefined} head @param {string} name
 * @returns {string} '' when there is none */
export function getField(head, name) {
	return head?.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())?.value ??
		'';
}

/** How the body of a message ends (RFC 9112, section 6.3).
 * @param {Head} head @param {Head | null} request that a response answers
 * @returns {{ by: 'none' | 'upgrade' | 'chunks' | 'close' } | { by: 'length', length: number }} */
export function getBodyEnd(head, request) {
	if (head.status === 101)
		return { by: 'upgrade' };
	if (head.status && (head.status < 200 || head.status === 204 || head.status === 304 ||
		request?.method === 'HEAD'))
		return { by: 'none' };
	if (/\bchunked\b/i.test(getField(head, 'Transfer-Encoding')))
		return { by: 'chunks' };
	const length = getField(head, 'Content-Length');
	if (length)
		return Number(length) ? { by: 'length', length: Number(length) } : { by: 'none' };
	return { by: head.status ? 'close' : 'none' };
}
