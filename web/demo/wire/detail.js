// One item of the wire, layer by layer.
import { create } from '../panel.js';
import { drawBits, listBits } from './bits.js';
import { formatBytes, toDump, toText } from './bytes.js';
import { decodeClose } from './frame.js';
import { getField } from './head.js';
import { getFieldNote, getNote, notes } from './notes.js';

/** @typedef {import('./conversation.js').Item} Item */
/** @typedef {import('./notes.js').Note} Note */

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT_LIMIT = 4000;
const DUMP_LIMIT = 1024;

/** @type {Record<import('./conversation.js').Kind, string>} */
const titles = { request: 'Request head', response: 'Response head', frame: 'WebSocket frame',
	chunk: 'Chunk', body: 'Body', bytes: 'Bytes', unseen: 'Not captured',
	open: 'Connection opened', close: 'Connection closed' };

/** @param {Item} item @param {boolean} hex
 * @returns {Node[]} */
export function describeItem(item, hex) {
	const { taken } = item;
	const speakers = item.from === 'client' ? 'browser → gateway' : 'gateway → browser';
	const facts = [speakers, `connection ${item.connection}`];
	const size = `${taken.length.toLocaleString('en')} bytes`;
	if (taken.length)
		facts.push(taken.captured === taken.length ? size :
			`captured ${taken.captured.toLocaleString('en')} of ${size}`);
	if (item.overhead && item.taken.length > item.overhead)
		facts.push(`${item.overhead} of them around the payload`);
	if (taken.writes > 1)
		facts.push(`in ${taken.writes} writes`);
	if (taken.tls)
		facts.push(`and ${taken.tls.toLocaleString('en')} bytes of TLS`);
	const begin = [create('h3', {}, titles[item.kind]),
		create('p', 'small quiet number', facts.join(' · '))];
	const note = getNote(item);
	return [...begin, ...note ? [caption(note)] : [],
		...hex && taken.bytes.length ? [dump(taken.bytes)] : layers(item)];
}

/** @param {Item} item
 * @returns {Node[]} */
function layers(item) {
	const { head, frame, chunk, lines, objects, payload, missing = 0 } = item;
	/** @type {Node[]} */
	const nodes = [];
	if (item.handshake)
		nodes.push(showHandshake(item.handshake));
	if (head)
		nodes.push(...showHead(item));
	if (frame)
		nodes.push(drawBits(frame, item.taken.bytes), listBits(frame),
			...frame.masked ? [caption(notes.mask)] : []);
	if (chunk)
		nodes.push(showChunk(item));
	if (lines?.length)
		nodes.push(create('h4', {}, 'Event stream'), caption(notes.event), showLines(lines));
	else if (chunk && objects?.length)
		nodes.push(create('h4', {}, 'Line of JSON'), caption(notes.ndjson));
	if (frame?.opcode === 8 && payload) {
		const { code, reason } = decodeClose(payload);
		nodes.push(create('p', {}, create('code', {}, String(code)), ` ${reason}`));
	} else if (objects?.length)
		nodes.push(...objects.slice(0, 20).map((object) => block(JSON.stringify(object, null, 2),
			frame?.masked ? 'Payload, unmasked' : 'Payload')));
	else if (item.compressed && payload?.length)
		nodes.push(create('p', {}, 'The payload is a JSON message, compressed with raw DEFLATE ' +
			'(RFC 7692). To see its bytes, tick Hex.'));
	else if (payload?.length)
		nodes.push(block(toText(payload), 'Payload'));
	if (missing)
		nodes.push(create('p', 'small quiet',
			`${missing.toLocaleString('en')} more bytes were sent; the trace keeps only the ` +
			'first 2,048 bytes of each write.'));
	return nodes;
}

/** @param {{ received: number, sent: number }} handshake */
function showHandshake({ received, sent }) {
	return create('p', {}, `The TLS handshake came first: ${received.toLocaleString('en')} bytes ` +
		`from the browser, ${sent.toLocaleString('en')} from the gateway.`);
}

/** @param {string} text @param {string} label */
function block(text, label) {
	const cut = text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}\n…` : text;
	return createRegion('payload', label, cut);
}

/** @param {string} className @param {string} label @param {string} text that may need scrolling */
function createRegion(className, label, text) {
	return create('pre', { className, tabIndex: 0, role: 'region', 'aria-label': label }, text);
}

/** @param {Uint8Array} bytes */
function dump(bytes) {
	const width = matchMedia('(max-width: 40rem)').matches ? 8 : 16;
	const more = bytes.length > DUMP_LIMIT ? `\n… ${bytes.length - DUMP_LIMIT} bytes more` : '';
	return createRegion('payload dump', 'Bytes in hexadecimal',
		toDump(bytes.subarray(0, DUMP_LIMIT), width) + more);
}

/** @param {Note} note */
function caption({ text, where, url }) {
	if (!url)
		return create('p', 'caption', text);
	const link = create('a', { href: url, target: '_blank', rel: 'noreferrer' }, where);
	return create('p', 'caption', text, ' ', link);
}

/** @param {Item} item
 * @returns {Node[]} */
function showHead({ head, request }) {
	if (!head)
		return [];
	const rows = head.fields.map(({ name, value }) => {
		const note = getFieldNote(name, value);
		return create('tr', note ? 'is-noted' : '', create('th', { scope: 'row' }, name),
			create('td', {}, create('code', {}, value), note ? caption(note) : null));
	});
	const nodes = [create('p', 'start-line', create('code', {}, head.start))];
	if (request)
		nodes.unshift(create('p', 'small quiet',
			`answers ${request.method} ${request.target.split('?')[0]}`));
	const key = getField(request, 'Sec-WebSocket-Key');
	if (head.status === 101 && key)
		nodes.push(showAccept(key, getField(head, 'Sec-WebSocket-Accept')));
	nodes.push(create('table', 'fields', create('tbody', {}, ...rows)));
	return nodes;
}

/** Computes what the gateway must have answered, beside what it did answer.
 * @param {string} key @param {string} accept */
function showAccept(key, accept) {
	const outcome = create('p', 'small', 'computing …');
	const sum = create('p', 'small', 'SHA-1 of ', create('code', 'is-key', key),
		create('code', {}, GUID), ', in base64:');
	const title = 'Proof that the server understood the upgrade';
	const box = create('div', 'accept', create('h4', {}, title), sum, outcome);
	(async () => {
		const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(key + GUID));
		const computed = btoa(String.fromCharCode(...new Uint8Array(digest)));
		outcome.replaceChildren(create('code', {}, computed), computed === accept ?
			' – the same as the gateway sent.' : ` – the gateway sent ${accept}!`);
	})().catch(() => outcome.replaceChildren('This browser cannot compute SHA-1 here.'));
	return box;
}

/** @param {Item} item */
function showChunk({ chunk, overhead = 0 }) {
	const { text, size } = chunk ?? {};
	return create('p', 'chunk-size', create('code', {}, `${text}↵`),
		` 0x${text} = ${size} bytes of data, plus ${formatBytes(overhead)} of chunk framing`);
}

/** @param {import('./content.js').EventLine[]} lines */
function showLines(lines) {
	return create('table', 'fields', create('tbody', {}, ...lines.map(showLine)));
}

/** @param {import('./content.js').EventLine} line */
function showLine({ name, value, is }) {
	const sign = is === 'comment' ? ':' : '↵';
	const shown = value.length > 400 ? `${value.slice(0, 400)}…` : value;
	return create('tr', {},
		create('th', { scope: 'row' }, is === 'field' ? name : sign),
		create('td', {}, is === 'end' ?
			create('span', 'means', 'empty line: the event is complete') :
			create('code', {}, shown)));
}
