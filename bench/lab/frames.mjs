// Frames of WebSocket (RFC 6455, section 5.2) as a client writes and reads them: no extension,
// text only. Without a socket, so that it can be read and tested.
import { randomBytes } from 'node:crypto';

/** @typedef {{ opcode: number, isLast: boolean, payload: Buffer }} Frame */

export const [CONTINUED, TEXT, CLOSE, PING, PONG] = [0, 1, 8, 9, 10];
const KNOWN = new Set([CONTINUED, TEXT, CLOSE, PING, PONG]);
const MOST_OF_CONTROL = 125; // bytes

/** One of a client: whole, and masked.
 * @param {number} opcode @param {Buffer} payload */
export function writeFrame(opcode, payload) {
	const { length } = payload;
	const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
	head[0] = 0x80 | opcode;
	head[1] = 0x80 | (length < 126 ? length : length < 65536 ? 126 : 127);
	if (head.length === 4)
		head.writeUInt16BE(length, 2);
	else if (head.length === 10)
		head.writeBigUInt64BE(BigInt(length), 2);
	const mask = randomBytes(4);
	return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

/** Reads those of a server from bytes as they come. */
export class FrameReader {
	#held = Buffer.alloc(0);

	/** @param {Buffer} bytes */
	push(bytes) {
		this.#held = Buffer.concat([this.#held, bytes]);
	}

	/** The next one; throws when what came is none of a server.
	 * @returns {Frame | undefined} nothing when it is not complete */
	next() {
		if (this.#held.length < 2)
			return undefined;
		const [first, second] = this.#held;
		const opcode = first & 15;
		const isLast = first >= 0x80;
		const isControl = opcode >= CLOSE;
		if (first & 0x70 || second & 0x80 || !KNOWN.has(opcode) || (isControl && (!isLast || second > MOST_OF_CONTROL)))
			throw new Error('what came is not a frame');
		const at = second === 127 ? 10 : second === 126 ? 4 : 2;
		if (this.#held.length < at)
			return undefined;
		const length = at === 10 ? Number(this.#held.readBigUInt64BE(2)) : at === 4 ? this.#held.readUInt16BE(2) : second;
		if (this.#held.length < at + length)
			return undefined;
		const payload = this.#held.subarray(at, at + length);
		this.#held = this.#held.subarray(at + length);
		return { opcode, isLast, payload };
	}
}
