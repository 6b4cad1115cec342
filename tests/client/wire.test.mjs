// What the demo page makes of a trace: pure, and fed in whatever pieces.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const load = (file) => import(pathToFileURL(resolve(process.env.SLUICE_WEB, 'demo', file)).href);
const { Conversation } = await load('wire/conversation.js');
const { decodeFrame, decodeClose, layOut, looksLikeFrame, unmask } = await load('wire/frame.js');
const { decodeHead, getBodyEnd, getField } = await load('wire/head.js');
const { decodeChunk } = await load('wire/chunk.js');
const { EventStream, JsonLines } = await load('wire/content.js');
const { Intake } = await load('wire/intake.js');
const { toDump } = await load('wire/bytes.js');

const bytes = (text) => Uint8Array.from(Buffer.from(text, 'latin1'));
const text = (array) => Buffer.from(array).toString();
const MESSAGE = '{"id":"9f3a1c07-7","channel":"chat","time":1,"data":"hi ü"}';

/** A trace of one connection, written as [from, bytes or string, captured]. */
function createTrace(transport, writes) {
	return writes.map(([from, given, captured = 2048], i) => {
		const data = typeof given === 'string' ? Buffer.from(given) : Buffer.from(given);
		return { n: i + 1, time: 1000 * (i + 1), connection: 1, transport, from, what: 'bytes', bytes: data.length,
			base64: data.subarray(0, captured).toString('base64') };
	});
}

const read = (transport, writes) => new Conversation().push(createTrace(transport, writes));
const kinds = (items) => items.map(({ from, kind, summary }) => `${from} ${kind}: ${summary}`);

function createFrame(payload, { opcode = 1, fin = true, key = null } = {}) {
	const data = Buffer.from(payload);
	const length = data.length < 126 ? [data.length] : data.length < 65536 ? [126, data.length >> 8, data.length & 255] :
		[127, 0, 0, 0, 0, 0, data.length >> 16, data.length >> 8 & 255, data.length & 255];
	if (key)
		length[0] |= 128;
	return Buffer.from([(fin ? 128 : 0) | opcode, ...length, ...key ?? [], ...unmask(data, key)]);
}

const UPGRADE = 'GET /ws?channels=chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

test('head: start line, fields with any case, length; none before its empty line', () => {
	const head = decodeHead(bytes('GET /poll?wait=0 HTTP/1.1\r\nhost: x\r\nA:  b c \r\n\r\nrest'));
	assert.deepEqual([head.method, head.target, head.status, head.length], ['GET', '/poll?wait=0', 0, 48]);
	assert.equal(getField(head, 'HOST'), 'x');
	assert.equal(getField(head, 'a'), 'b c');
	assert.equal(getField(head, 'none'), '');
	assert.equal(decodeHead(bytes('HTTP/1.1 200 OK\r\nA: b\r\n')), null);
});

test('head: how the body ends', () => {
	const end = (head, request) => getBodyEnd(decodeHead(bytes(`${head}\r\n\r\n`)), request);
	assert.deepEqual(end('HTTP/1.1 101 Switching Protocols'), { by: 'upgrade' });
	assert.deepEqual(end('HTTP/1.1 204 No Content\r\nContent-Length: 4'), { by: 'none' });
	assert.deepEqual(end('HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked'), { by: 'chunks' });
	assert.deepEqual(end('HTTP/1.1 200 OK\r\nContent-Length: 12'), { by: 'length', length: 12 });
	assert.deepEqual(end('HTTP/1.1 200 OK\r\nContent-Length: 12', { method: 'HEAD' }), { by: 'none' });
	assert.deepEqual(end('HTTP/1.1 200 OK'), { by: 'close' });
	assert.deepEqual(end('GET / HTTP/1.1'), { by: 'none' });
});

test('frame: every bit of the header, in each of the three lengths', () => {
	for (const [size, bits] of [[5, 7], [125, 7], [126, 16], [65535, 16], [65536, 64]]) {
		const frame = decodeFrame(createFrame('x'.repeat(size)));
		assert.deepEqual([frame.payload, frame.lengthBits, frame.fin, frame.opcode, frame.masked],
			[size, bits, true, 1, false], size);
		assert.equal(frame.header, 2 + (bits === 7 ? 0 : bits / 8));
	}
	const fields = decodeFrame(bytes('\x81\x05Hello')).fields;
	assert.deepEqual(fields.map(({ name, value }) => `${name}=${value}`),
		['FIN=1', 'RSV1=0', 'RSV2=0', 'RSV3=0', 'opcode=0001', 'MASK=0', 'length=0000101']);
});

test('frame: RSV1 is a compressed message, in a frame that can have it', () => {
	const raw = bytes('\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00');
	const [, one, two] = decodeFrame(raw).fields;
	assert.equal(`${one.value} ${one.means}`, '1 the message is compressed (permessage-deflate, RFC 7692)');
	assert.equal(`${two.value} ${two.means}`, '0 no extension uses it');
	assert.equal(looksLikeFrame(raw, false), true);
	for (const first of [0xc0, 0xc8, 0xc9, 0xe1, 0xa1])
		assert.equal(looksLikeFrame(Uint8Array.of(first, 0), false), false, first.toString(16));
});

test('frame: the masked Hello of RFC 6455, section 5.7', () => {
	const raw = bytes('\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58');
	const frame = decodeFrame(raw);
	assert.equal(text(unmask(raw.subarray(frame.header), frame.key)), 'Hello');
	assert.equal(frame.fields.at(-1).value, '37 fa 21 3d');
	for (let length = 0; length < 6; length++)
		assert.equal(decodeFrame(raw.subarray(0, length)), null, length);
});

test('frame: fields are cut at rows of 32 bits', () => {
	const cells = layOut(decodeFrame(createFrame('x'.repeat(70000), { key: [1, 2, 3, 4] })).fields);
	assert.deepEqual(cells.slice(7).map(({ row, column, bits, value, continued }) => [row, column, bits, value, continued]), [
		[0, 16, 16, '00 00', false], [1, 0, 32, '00 00 00 01', true], [2, 0, 16, '11 70', true],
		[2, 16, 16, '01 02', false], [3, 0, 16, '03 04', true]]);
});

test('frame: a close says why', () => {
	assert.deepEqual(decodeClose(bytes('\x03\xf4bye')), { code: 1012, reason: 'bye' });
	assert.deepEqual(decodeClose(bytes('')), { code: 1005, reason: '' });
});

test('chunk: size in hexadecimal; more to come; none', () => {
	assert.deepEqual(decodeChunk(bytes('1aF\r\n')), { size: 0x1af, text: '1aF', header: 5, length: 0x1af + 7 });
	assert.deepEqual(decodeChunk(bytes('0;x=y\r\n\r\n')), { size: 0, text: '0', header: 7, length: 9 });
	for (const part of ['', '1', '1a\r', '5;x'])
		assert.equal(decodeChunk(bytes(part)), null, part);
	assert.equal(decodeChunk(bytes('data: x\n')), undefined);
});

test('event stream: fields, comments, ends, in whatever pieces', () => {
	const stream = new EventStream();
	const lines = [...Buffer.from(': hi\r\nid: a-1\ndata:ü: x\nretry\n\n')].flatMap((byte) => stream.push(Uint8Array.of(byte)));
	assert.deepEqual(lines.map(({ is, name, value }) => [is, name, value]), [['comment', '', 'hi'],
		['field', 'id', 'a-1'], ['field', 'data', 'ü: x'], ['field', 'retry', ''], ['end', '', '']]);
});

test('lines: a character cut in two is one character', () => {
	const lines = new JsonLines();
	assert.deepEqual([...Buffer.from('{"a":"ü"}\n{')].flatMap((byte) => lines.push(Uint8Array.of(byte))), ['{"a":"ü"}']);
});

test('intake: a hole is counted, and what follows it is still found', () => {
	const intake = new Intake();
	intake.push(bytes('abc'), 10, 1, 1);
	intake.push(bytes('def'), 3, 2, 2);
	assert.equal(text(intake.known), 'abc');
	const { captured, length, writes, time } = intake.take(11);
	assert.deepEqual([captured, length, writes, time], [4, 11, 2, 1]);
	assert.equal(text(intake.known), 'ef');
	assert.deepEqual([intake.write, intake.take(2).time, intake.length], [2, 2, 0]);
});

test('websocket: compressed messages are said to be, also in fragments, and others are read on', () => {
	const items = read('websocket', [['client', UPGRADE], ['gateway', SWITCHING],
		['gateway', bytes('\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00')],
		['gateway', bytes('\x41\x03\xf2\x48\xcd')], ['gateway', bytes('\x89\x00')],
		['gateway', bytes('\x80\x04\xc9\xc9\x07\x00')], ['gateway', createFrame(MESSAGE)]]);
	assert.deepEqual(kinds(items).slice(-5), ['gateway frame: text · compressed',
		'gateway frame: text · compressed', 'gateway frame: ping', 'gateway frame: continuation · compressed',
		'gateway frame: text · message 7']);
	assert.deepEqual(items.slice(-5).map(({ compressed }) => compressed), [true, true, false, true, false]);
	assert.deepEqual(items.slice(-5).map(({ objects }) => objects.length), [0, 0, 0, 0, 1]);
});

test('websocket: upgrade, 101, frames both ways, each once', () => {
	const items = read('websocket', [['client', UPGRADE], ['gateway', SWITCHING], ['gateway', createFrame(MESSAGE)],
		['client', createFrame('{"type":"ping"}', { key: [9, 8, 7, 6] })], ['gateway', createFrame([3, 232], { opcode: 8 })]]);
	assert.deepEqual(kinds(items), ['client request: GET /ws', 'gateway response: 101 Switching Protocols',
		'gateway frame: text · message 7', 'client frame: text · ping', 'gateway frame: close 1000']);
	assert.equal(text(items[2].payload), MESSAGE);
	assert.equal(text(items[3].payload), '{"type":"ping"}');
	assert.equal(getField(items[1].request, 'Sec-WebSocket-Key'), 'dGhlIHNhbXBsZSBub25jZQ==');
});

test('websocket: a frame of several writes, several frames of one write, fragments of a message', () => {
	const frame = createFrame(MESSAGE);
	const begin = [['client', UPGRADE], ['gateway', SWITCHING]];
	const parts = read('websocket', [...begin, ...[...frame].map((byte) => ['gateway', [byte]])]).slice(2);
	assert.deepEqual(kinds(parts), ['gateway frame: text · message 7']);
	assert.equal(parts[0].taken.writes, frame.length);
	assert.equal(read('websocket', [...begin, ['gateway', Buffer.concat([frame, frame, frame])]]).length, 5);
	const cut = read('websocket', [...begin, ['gateway', createFrame(MESSAGE.slice(0, 9), { fin: false })],
		['gateway', createFrame(MESSAGE.slice(9), { opcode: 0 })]]).slice(2);
	assert.deepEqual(kinds(cut), ['gateway frame: text', 'gateway frame: continuation · message 7']);
});

test('websocket: a payload that was not captured whole is followed to its end', () => {
	const items = read('websocket', [['client', UPGRADE], ['gateway', SWITCHING],
		['gateway', createFrame('x'.repeat(5000)), 100], ['gateway', createFrame(MESSAGE)]]).slice(2);
	assert.deepEqual(items.map(({ missing }) => missing), [4904, 0]);
	assert.equal(items[0].payload.length, 96);
	assert.equal(items[1].objects[0].id, '9f3a1c07-7');
});

test('websocket: frames whose headers were not captured are told, and the next write is read again', () => {
	const frame = createFrame(MESSAGE);
	const items = read('websocket', [['client', UPGRADE], ['gateway', SWITCHING],
		['gateway', Buffer.concat([frame, frame, frame]), frame.length + 4], ['gateway', frame]]).slice(2);
	assert.deepEqual(items.map(({ kind }) => kind), ['frame', 'frame', 'unseen', 'frame']);
	assert.equal(items[2].taken.length, frame.length);
});

test('sse: chunks with their fields, the last chunk, the next request', () => {
	const event = `id: 9f3a1c07-7\ndata: ${MESSAGE}\n\n`;
	const chunk = `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`;
	const items = read('sse', [['client', 'GET /sse HTTP/1.1\r\n\r\n'], ['gateway', STREAM + chunk], ['gateway', '0\r\n\r\n'],
		['client', 'GET /sse HTTP/1.1\r\n\r\n']]);
	assert.deepEqual(kinds(items), ['client request: GET /sse', 'gateway response: 200 OK',
		'gateway chunk: chunk · message 7', 'gateway chunk: last chunk', 'client request: GET /sse']);
	assert.deepEqual(items[2].lines.map(({ name, is }) => name || is), ['id', 'data', 'end']);
	assert.equal(items[2].overhead, chunk.length - event.length);
});

test('stream: lines of JSON; to an HTTP/1.0 client without chunks', () => {
	const [head, body] = read('stream', [
		['gateway', `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n${MESSAGE}\n${MESSAGE}\n`]]);
	assert.equal(head.kind, 'response');
	assert.deepEqual([body.kind, body.objects.length], ['body', 2]);
});

test('poll: request, answer, request, answer on one connection', () => {
	const answer = `{"cursor":"9f3a1c07-7","messages":[${MESSAGE}],"gaps":[]}`;
	const response = `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`;
	const items = read('poll', [['client', 'GET /poll?wait=0 HTTP/1.1\r\n\r\n'], ['gateway', response],
		['client', 'GET /poll?wait=0 HTTP/1.1\r\n\r\n'], ['gateway', response.slice(0, 50)], ['gateway', response.slice(50)]]);
	assert.deepEqual(kinds(items), Array(2).fill(['client request: GET /poll', 'gateway response: 200 OK',
		'gateway body: body · 1 message, cursor 9f3a1c07-7']).flat());
});

test('missing events: what comes after is read anew, never guessed at', () => {
	const frame = createFrame(MESSAGE);
	const trace = createTrace('websocket', [['client', UPGRADE], ['gateway', SWITCHING], ['gateway', frame.subarray(0, 20)],
		['gateway', frame.subarray(20)], ['gateway', frame]]);
	const items = new Conversation().push(trace.filter(({ n }) => n !== 3));
	assert.deepEqual(items.map(({ kind }) => kind), ['request', 'response', 'bytes', 'frame']);
});

test('a trace that begins in the middle is read from the first thing that can be told', () => {
	assert.deepEqual(read('websocket', [['gateway', createFrame(MESSAGE)]]).map(({ kind }) => kind), ['frame']);
	assert.deepEqual(read('sse', [['gateway', '5\r\n: hi\n\r\n']]).map(({ kind }) => kind), ['chunk']);
	assert.deepEqual(read('poll', [['gateway', 'tail"}'], ['client', 'GET /poll HTTP/1.1\r\n\r\n']]).map(({ kind }) => kind),
		['bytes', 'request']);
});

test('events come once, though they are handed over twice; a close ends what was unfinished', () => {
	const conversation = new Conversation();
	const trace = createTrace('sse', [['client', 'GET /sse HTTP/1.1\r\nHo']]);
	assert.deepEqual(conversation.push(trace), []);
	assert.deepEqual(conversation.push(trace), []);
	const items = conversation.push([{ n: 2, time: 5, connection: 1, transport: 'sse', from: 'gateway', what: 'close', bytes: 0 }]);
	assert.deepEqual(items.map(({ kind }) => kind), ['bytes', 'close']);
});

test('a gateway that began anew counts anew, and is read on', () => {
	const conversation = new Conversation();
	const trace = createTrace('poll', [['client', 'GET /poll HTTP/1.1\r\n\r\n'], ['client', 'GET /poll HTTP/1.1\r\n\r\n']]);
	assert.equal(conversation.push(trace).length, 2);
	assert.equal(conversation.push(trace.map((event) => ({ ...event, time: event.time + 1e6 }))).length, 2);
});

test('any bytes in any pieces end, and every byte is in one item or still waits', () => {
	let seed = 7;
	const random = (limit) => (seed = seed * 48271 % 2147483647) % limit;
	for (let round = 0; round < 300; round++) {
		const writes = Array.from({ length: 6 }, () => [random(2) ? 'client' : 'gateway',
			random(3) ? Array.from({ length: random(60) + 1 }, () => random(256)) : [UPGRADE, SWITCHING, STREAM, '4\r\n\n\n\n\n\r\n'][random(4)],
			random(4) ? 2048 : random(30)]);
		const trace = createTrace(['websocket', 'sse', 'poll'][random(3)], writes);
		const end = { ...trace[0], n: trace.length + 1, what: 'close', bytes: 0, base64: undefined };
		const items = new Conversation().push([...trace, end]);
		const sum = (list) => list.reduce((all, count) => all + count, 0);
		assert.equal(sum(items.map(({ taken }) => taken.length)), sum(trace.map((event) => event.bytes)));
	}
});

test('dump: offset, bytes, ASCII', () => {
	assert.equal(toDump(bytes('\x81\x02hi'), 4), '0000  81 02 68 69  ..hi');
	assert.equal(toDump(bytes('abcde'), 4), '0000  61 62 63 64  abcd\n0004  65           e');
});
