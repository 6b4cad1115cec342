// A WebSocket frame (RFC 6455, section 5.2).
import { toHex } from './bytes.js';

/** @typedef {object} Field
 * @property {string} name
 * @property {number} at bit of the frame, from 0
 * @property {number} bits
 * @property {string} value in binary, or for more than 16 bits in hexadecimal
 * @property {string} means */

/** @typedef {object} Frame
 * @property {boolean} fin
 * @property {[boolean, boolean, boolean]} rsv
 * @property {number} opcode
 * @property {string} name of the opcode
 * @property {boolean} masked
 * @property {number} lengthBits 7, 16 or 64
 * @property {Uint8Array | null} key
 * @property {number} header bytes before the payload
 * @property {number} payload bytes
 * @property {Field[]} fields of the header */

/** @type {Record<number, string>} */
export const opcodes = { 0: 'continuation', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping',
	10: 'pong' };

/** Reads the header; the payload need not be there yet.
 * @param {Uint8Array} bytes
 * @returns {Frame | null} null: there is more of it to come */
export function decodeFrame(bytes) {
	if (bytes.length < 2)
		return null;
	const short = bytes[1] & 127;
	const masked = bytes[1] > 127;
	const lengthBytes = { 126: 2, 127: 8 }[short] ?? 0;
	const header = 2 + lengthBytes + (masked ? 4 : 0);
	if (bytes.length < header)
		return null;
	let payload = lengthBytes ? 0 : short;
	for (const byte of bytes.subarray(2, 2 + lengthBytes))
		payload = payload * 256 + byte;
	const key = masked ? bytes.slice(header - 4, header) : null;
	const opcode = bytes[0] & 15;
	return {
		fin: bytes[0] > 127,
		rsv: [Boolean(bytes[0] & 64), Boolean(bytes[0] & 32), Boolean(bytes[0] & 16)],
		opcode, name: opcodes[opcode] ?? 'reserved',
		lengthBits: lengthBytes ? lengthBytes * 8 : 7,
		masked, key, header, payload,
		fields: listFields(bytes, { short, lengthBytes, payload, opcode, key }),
	};
}

/** @param {Uint8Array} bytes
 * @param {{ short: number, lengthBytes: number, payload: number, opcode: number,
 * 	key: Uint8Array | null }} frame
 * @returns {Field[]} */
function listFields(bytes, { short, lengthBytes, payload, opcode, key }) {
	const bit = (/** @type {number} */ at) => String(bytes[at >> 3] >> (7 - (at & 7)) & 1);
	const fields = [
		{ name: 'FIN', at: 0, bits: 1, value: bit(0),
			means: bytes[0] > 127 ? 'the last frame of its message' :
				'more frames of this message follow' },
		...[1, 2, 3].map((i) => ({ name: `RSV${i}`, at: i, bits: 1, value: bit(i),
			means: describeReserved(i, bit(i)) })),
		{ name: 'opcode', at: 4, bits: 4, value: opcode.toString(2).padStart(4, '0'),
			means: opcodes[opcode] ?? 'reserved' },
		{ name: 'MASK', at: 8, bits: 1, value: bit(8),
			means: key ? 'the payload is masked: it comes from a client' :
				'not masked: it comes from a server' },
		{ name: 'length', at: 9, bits: 7, value: short.toString(2).padStart(7, '0'),
			means: lengthBytes ? `${short}: the next ${lengthBytes * 8} bits hold it` :
				`${short} bytes of payload` },
	];
	if (lengthBytes)
		fields.push({ name: `length, ${lengthBytes * 8} bits`, at: 16, bits: lengthBytes * 8,
			value: toHex(bytes.subarray(2, 2 + lengthBytes)),
			means: `${payload} bytes of payload` });
	if (key)
		fields.push({ name: 'masking key', at: 16 + lengthBytes * 8, bits: 32, value: toHex(key),
			means: 'byte i of the payload is XORed with byte i mod 4 of the key' });
	return fields;
}

/** @param {number} number of a reserved bit @param {string} value */
function describeReserved(number, value) {
	if (value === '0')
		return 'no extension uses it';
	return number === 1 ? 'the message is compressed (permessage-deflate, RFC 7692)' :
		'used by an extension';
}

/** If these bytes can be the start of a frame; said of bytes after a hole.
 * @param {Uint8Array} bytes @param {boolean} fromClient */
export function looksLikeFrame(bytes, fromClient) {
	const opcode = bytes[0] & 15;
	const reserved = opcode === 1 || opcode === 2 ? 0x30 : 0x70; // RSV1: a compressed message
	return bytes.length >= 2 && (bytes[0] & reserved) === 0 && opcode in opcodes &&
		bytes[1] > 127 === fromClient;
}

/** @param {Uint8Array} payload as it was sent @param {Uint8Array | null} key */
export function unmask(payload, key) {
	return key ? payload.map((byte, i) => byte ^ key[i & 3]) : payload;
}

/** What a close frame says (RFC 6455, section 5.5.1).
 * @param {Uint8Array} payload unmasked */
export function decodeClose(payload) {
	if (payload.length < 2)
		return { code: 1005, reason: '' };
	const reason = new TextDecoder().decode(payload.subarray(2));
	return { code: payload[0] * 256 + payload[1], reason };
}

/** Cuts the fields at rows of 32 bits, as the standard draws them.
 * @param {Field[]} fields
 * @returns {(Field & { row: number, column: number, continued: boolean })[]} */
export function layOut(fields) {
	const cells = [];
	for (const field of fields)
		for (let at = field.at; at < field.at + field.bits;) {
			const end = Math.min(field.at + field.bits, (Math.floor(at / 32) + 1) * 32);
			const bytes = field.value.split(' ');
			const value = bytes.length > 1 ?
				bytes.slice((at - field.at) / 8, (end - field.at) / 8).join(' ') : field.value;
			cells.push({ ...field, at, bits: end - at, row: Math.floor(at / 32), column: at % 32,
				continued: at > field.at, value });
			at = end;
		}
	return cells;
}
