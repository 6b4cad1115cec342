// Frames of WebSocket as the lab's client and the probe read them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE, CONTINUED, FrameReader, PING, TEXT, writeFrame } from '../../bench/lab/frames.mjs';

/** One of a server: not masked.
 * @param {number} first @param {string} text */
const frame = (first, text = '') => Buffer.concat([Buffer.from(text.length < 126 ? [first, text.length] :
	[first, 126, text.length >> 8, text.length & 255]), Buffer.from(text)]);

/** @param {FrameReader} reader */
function readAll(reader) {
	const frames = [];
	for (let one; (one = reader.next());)
		frames.push([one.opcode, one.isLast, String(one.payload)]);
	return frames;
}

test('frames are read whole from bytes that come one at a time', () => {
	const reader = new FrameReader();
	const long = 'x'.repeat(300);
	const frames = [...Buffer.concat([frame(TEXT, 'one'), frame(0x80 | PING), frame(0x80 | CONTINUED, long)])].flatMap((byte) => {
		reader.push(Buffer.from([byte]));
		return readAll(reader);
	});
	assert.deepEqual(frames, [[TEXT, false, 'one'], [PING, true, ''], [CONTINUED, true, long]]);
});

for (const [what, bytes] of /** @type {[string, number[]][]} */ ([
	['with a reserved bit', [0xc1, 0]], ['that is masked', [0x81, 0x80, 0, 0, 0, 0]], ['of binary', [0x82, 0]],
	['of an opcode nobody knows', [0x83, 0]], ['of control in parts', [0x09, 0]], ['of control with 126 bytes', [0x88, 126]],
	['of plain text, which is no frame', [...Buffer.from('HTTP/1.1 200')]],
]))
	test(`a frame ${what} is refused`, () => {
		const reader = new FrameReader();
		reader.push(Buffer.from(bytes));
		assert.throws(() => reader.next(), /not a frame/);
	});

for (const length of [0, 125, 126, 65535, 65536])
	test(`what is written with ${length} bytes has its length in the shortest form and is masked`, () => {
		const bytes = writeFrame(CLOSE, Buffer.alloc(length, 'a'));
		const head = length < 126 ? 2 : length < 65536 ? 4 : 10;
		assert.equal(bytes.length, head + 4 + length);
		assert.deepEqual([bytes[0], bytes[1]], [0x88, 0x80 | (head === 2 ? length : head === 4 ? 126 : 127)]);
		if (head > 2)
			assert.equal(head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)), length);
		const mask = bytes.subarray(head, head + 4);
		assert.ok(bytes.subarray(head + 4).every((byte, i) => (byte ^ mask[i & 3]) === 97));
	});
