// A chunk of the chunked coding (RFC 9112, section 7.1).
import { toLatin1 } from './bytes.js';

/** @typedef {{ size: number, text: string, header: number, length: number }} Chunk
 * 	size: of its data; text: the size as it was written; header: bytes before the data;
 * 	length: of all, with the line ends */

const SIZE = /^([0-9a-fA-F]{1,8})(;[^\r\n]*)?\r\n/;

/** @param {Uint8Array} bytes
 * @returns {Chunk | null | undefined} null: there is more to come; undefined: this is none */
export function decodeChunk(bytes) {
	const line = toLatin1(bytes.subarray(0, 256));
	const found = SIZE.exec(line);
	if (!found)
		return line.length < 256 && /^[0-9a-fA-F]{0,8}(;[^\r\n]*)?\r?$/.test(line) ?
			null : undefined;
	const size = parseInt(found[1], 16);
	const header = found[0].length;
	return { size, text: found[1], header, length: header + size + 2 };
}
