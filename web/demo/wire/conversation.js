// Turns the events of a trace into what was said: heads, frames, chunks, bodies, one item
// each, with whatever they carried. Knows every connection of a name, both ways.
import { fromBase64, toText } from './bytes.js';
import { decodeChunk } from './chunk.js';
import { EventStream, JsonLines, describe, parseObject } from './content.js';
import { decodeClose, decodeFrame, looksLikeFrame, unmask } from './frame.js';
import { decodeHead, getBodyEnd, getField, looksLikeHead } from './head.js';
import { Intake } from './intake.js';

/** @typedef {import('./intake.js').Taken} Taken */
/** @typedef {import('./head.js').Head} Head */
/** @typedef {import('./frame.js').Frame} Frame */
/** @typedef {import('./chunk.js').Chunk} Chunk */
/** @typedef {import('./content.js').EventLine} EventLine */
/** @typedef {'client' | 'gateway'} Speaker */
/** @typedef {{ n: number, time: number, connection: number, transport: string | null,
 * 	from: Speaker, what: string, bytes: number, tls?: number, base64?: string,
 * 	handshake?: { received: number, sent: number } }} TraceEvent */
/** @typedef {'request' | 'response' | 'frame' | 'chunk' | 'body' | 'bytes' | 'unseen' | 'open' |
 * 	'close'} Kind */

/** @typedef {object} Item
 * @property {number} key rises
 * @property {Kind} kind
 * @property {number} connection
 * @property {string} transport
 * @property {Speaker} from
 * @property {number} time µs
 * @property {string} summary
 * @property {Taken} taken what it was on the wire
 * @property {Head} [head]
 * @property {Head | null} [request] that a response answers
 * @property {Frame} [frame]
 * @property {Chunk} [chunk]
 * @property {number} [overhead] bytes of framing
 * @property {EventLine[]} [lines] of an event stream
 * @property {any[]} [objects] of JSON
 * @property {Uint8Array} [payload] unmasked, unchunked, what is known of it
 * @property {boolean} [compressed] the payload is a part of a compressed message
 * @property {number} [missing] bytes of the payload that were not captured
 * @property {{ received: number, sent: number }} [handshake] bytes, of the opening */

/** @typedef {Pick<Item, 'kind' | 'summary'> & Partial<Item>} Found */

const LIMIT = 512 * 1024; // of what waits for its end

/** One direction of one connection. */
class Side {
	intake = new Intake();
	mode = /** @type {'unknown' | 'head' | 'length' | 'chunks' | 'close' | 'frames'} */ ('unknown');
	head = /** @type {Head | null} */ (null);
	remaining = 0;
	content = /** @type {EventStream | JsonLines | null} */ (null);
	fragments = /** @type {Uint8Array[]} */ ([]);
	compressed = false; // the message whose frames come

	/** @param {Speaker} from @param {Connection} connection */
	constructor(from, connection) {
		this.from = from;
		this.connection = connection;
	}

	/** @returns {Found | null} null: nothing more is complete */
	next() {
		if (!this.intake.length)
			return null;
		if (this.mode === 'unknown')
			this.#guess();
		if (this.mode === 'head')
			return this.#takeHead();
		if (this.mode === 'frames')
			return this.#takeFrame();
		if (this.mode === 'chunks')
			return this.#takeChunk();
		if (this.mode === 'length')
			return this.intake.length < this.remaining ?
				this.#wait() : this.#takeBody(this.remaining, 'head');
		if (this.mode === 'close')
			return this.#takeBody(this.intake.write, 'close');
		return this.#giveUp('bytes');
	}

	/** What is left when the connection ends or the trace has a gap.
	 * @returns {Found | null} */
	finish() {
		if (!this.intake.length)
			return null;
		const taken = this.intake.take(this.intake.length);
		return { kind: 'bytes', taken, summary: 'unfinished', payload: taken.bytes };
	}

	reset() {
		this.mode = 'unknown';
		this.content?.reset();
		this.fragments = [];
	}

	#guess() {
		const { known } = this.intake;
		if (looksLikeHead(known))
			this.mode = 'head';
		else if (this.connection.transport === 'websocket' &&
			looksLikeFrame(known, this.from === 'client'))
			this.mode = 'frames';
		else if (this.from === 'gateway' && decodeChunk(known))
			this.mode = 'chunks';
	}

	/** The structure cannot be followed: the next write may begin with something known.
	 * @param {'bytes' | 'unseen'} kind
	 * @returns {Found} */
	#giveUp(kind) {
		this.reset();
		const taken = this.intake.take(this.intake.write);
		const seen = taken.bytes.length > 0 && kind === 'bytes';
		return { kind: seen ? 'bytes' : 'unseen', taken, payload: taken.bytes,
			summary: seen ? 'bytes' : 'sent, but not captured' };
	}

	/** Incomplete; if a hole is what it lacks, it will never be complete.
	 * @returns {Found | null} */
	#wait() {
		const { known, length } = this.intake;
		if (this.mode === 'length' && length < LIMIT)
			return null;
		return known.length < length || length > LIMIT ? this.#giveUp('unseen') : null;
	}

	/** @returns {Found | null} */
	#takeHead() {
		const head = decodeHead(this.intake.known);
		if (!head)
			return this.#wait();
		const taken = this.intake.take(head.length);
		const request = this.from === 'gateway' ? this.connection.requests.shift() ?? null : null;
		const end = getBodyEnd(head, request);
		this.head = head;
		if (this.from === 'client')
			this.connection.requests.push(head);
		this.#follow(head, end);
		const { pathname } = new URL(head.target || '/', 'http://host');
		if (this.from === 'client')
			return { kind: 'request', taken, head, summary: `${head.method} ${pathname}` };
		const summary = head.start.replace(/^HTTP\/\S+ /, '');
		return { kind: 'response', taken, head, request, summary };
	}

	/** @param {Head} head @param {ReturnType<typeof getBodyEnd>} end */
	#follow(head, end) {
		this.content = createContent(getField(head, 'Content-Type'));
		if (end.by === 'length')
			this.remaining = end.length;
		// A client that asks for an upgrade may go on either way, as it is answered.
		if (end.by === 'none')
			this.mode = 'unknown';
		else
			this.mode = end.by === 'upgrade' ? 'frames' : end.by;
	}

	/** @returns {Found | null} */
	#takeFrame() {
		const { known, length } = this.intake;
		const frame = decodeFrame(known);
		if (!frame)
			return this.#wait();
		if (!looksLikeFrame(known, this.from === 'client'))
			return this.#giveUp('bytes');
		const size = frame.header + frame.payload;
		if (length < size)
			return size > LIMIT ? this.#giveUp('bytes') : null;
		const taken = this.intake.take(size);
		const payload = unmask(taken.bytes.slice(frame.header), frame.key);
		const objects = this.#join(frame, payload);
		const missing = size - taken.captured;
		const closing = frame.opcode === 8 ? `close ${decodeClose(payload).code}` : '';
		const compressed = frame.opcode <= 2 && this.compressed;
		const carried = objects.length ? ` · ${describe(objects[0])}` : '';
		return { kind: 'frame', taken, frame, payload, compressed, objects, missing,
			overhead: frame.header,
			summary: closing || frame.name + (compressed ? ' · compressed' : carried) };
	}

	/** Messages may be cut into frames (RFC 6455, section 5.4).
	 * @param {Frame} frame @param {Uint8Array} payload
	 * @returns {any[]} the message, when this frame completes one of JSON */
	#join({ fin, opcode, rsv }, payload) {
		if (opcode > 2)
			return [];
		if (opcode) {
			this.fragments = [];
			this.compressed = rsv[0];
		}
		if (this.compressed)
			return [];
		this.fragments.push(payload);
		if (!fin || (this.fragments.length > 64 && this.fragments.shift()))
			return [];
		const text = new TextDecoder();
		const whole = this.fragments.map((part) => text.decode(part, { stream: true })).join('');
		this.fragments = [];
		return [parseObject(whole)].filter((object) => object !== undefined);
	}

	/** @returns {Found | null} */
	#takeChunk() {
		const chunk = decodeChunk(this.intake.known);
		if (chunk === undefined)
			return this.#giveUp('bytes');
		if (chunk === null)
			return this.#wait();
		if (this.intake.length < chunk.length)
			return chunk.length > LIMIT ? this.#giveUp('bytes') : null;
		const taken = this.intake.take(chunk.length);
		const payload = taken.bytes.slice(chunk.header, chunk.header + chunk.size);
		if (!chunk.size) {
			this.mode = 'unknown';
			return { kind: 'chunk', taken, chunk, overhead: taken.length, summary: 'last chunk' };
		}
		const missing = chunk.size - payload.length;
		const carried = this.#read(payload, missing);
		return { kind: 'chunk', taken, chunk, payload, missing, ...carried,
			overhead: taken.length - chunk.size,
			summary: `chunk${carried.summary && ` · ${carried.summary}`}` };
	}

	/** @param {number} length @param {'head' | 'close'} then
	 * @returns {Found} */
	#takeBody(length, then) {
		const taken = this.intake.take(length);
		const missing = taken.length - taken.bytes.length;
		this.mode = then === 'close' ? 'close' : 'unknown';
		const carried = this.#read(taken.bytes, missing);
		return { kind: 'body', taken, payload: taken.bytes, missing, ...carried,
			summary: `body${carried.summary && ` · ${carried.summary}`}` };
	}

	/** @param {Uint8Array} payload @param {number} missing
	 * @returns {{ summary: string, objects: any[], lines?: EventLine[] }} */
	#read(payload, missing) {
		const { content } = this;
		let lines = /** @type {EventLine[] | undefined} */ (undefined);
		let texts = [toText(payload)];
		if (content instanceof EventStream) {
			lines = content.push(payload);
			texts = lines.filter(({ name }) => name === 'data').map(({ value }) => value);
		} else if (content)
			texts = content.push(payload);
		if (missing)
			content?.reset();
		const objects = texts.map(parseObject).filter((object) => object !== undefined);
		const more = objects.length > 1 ? ` and ${objects.length - 1} more` : '';
		return { objects, lines, summary: describe(objects[0]) + more };
	}
}

class Connection {
	transport = '';
	/** @type {Head[]} */
	requests = []; // not answered yet
	client = new Side('client', this);
	gateway = new Side('gateway', this);
}

export class Conversation {
	/** @type {Map<number, Connection>} */
	#connections = new Map();
	#last = 0; // number of the last event
	#time = 0; // µs, of the latest
	#count = 0;

	/** @param {TraceEvent[]} events in the order of their numbers
	 * @returns {Item[]} */
	push(events) {
		/** @type {Item[]} */
		const items = [];
		for (const event of events) {
			if (event.n <= this.#last && event.time <= this.#time)
				continue;
			if (this.#last && event.n !== this.#last + 1) // a lower one: the gateway counts anew
				this.#miss();
			this.#last = event.n;
			this.#time = Math.max(this.#time, event.time);
			this.#take(event, items);
		}
		return items;
	}

	/** Events are missing: of no connection is it known any more where it is. */
	#miss() {
		for (const connection of this.#connections.values()) {
			connection.requests = [];
			for (const side of [connection.client, connection.gateway]) {
				side.intake = new Intake();
				side.reset();
			}
		}
	}

	/** @param {TraceEvent} event @param {Item[]} items */
	#take(event, items) {
		const connection = this.#connections.get(event.connection) ?? new Connection();
		this.#connections.set(event.connection, connection);
		connection.transport = event.transport ?? connection.transport;
		/** @param {Speaker} from @param {Found} found */
		const add = (from, found) => items.push({ key: ++this.#count,
			connection: event.connection, from, transport: connection.transport,
			time: found.taken?.time ?? event.time, taken: { bytes: new Uint8Array(0), length: 0,
				captured: 0, time: event.time, n: event.n, writes: 0, tls: 0 }, ...found });
		if (event.what === 'open')
			add('client', { kind: 'open', handshake: event.handshake,
				summary: `connection ${event.connection} opened` });
		else if (event.what === 'close') {
			for (const side of [connection.client, connection.gateway]) {
				const rest = side.finish();
				if (rest)
					add(side.from, rest);
			}
			add(event.from, { kind: 'close', summary: `connection ${event.connection} closed` });
			this.#connections.delete(event.connection);
		} else if (event.bytes) {
			const side = connection[event.from];
			side.intake.push(fromBase64(event.base64 ?? ''), event.bytes, event.time, event.n,
				event.tls);
			for (let found; (found = side.next());)
				add(event.from, found);
		}
	}
}

/** @param {string} type of the content */
function createContent(type) {
	if (/^text\/event-stream/i.test(type))
		return new EventStream();
	return /ndjson/i.test(type) ? new JsonLines() : null;
}
