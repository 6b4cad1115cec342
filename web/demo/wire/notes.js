// One sentence about each thing seen on the wire, and where it is written down.

/** @typedef {{ text: string, where?: string, url?: string }} Note */

/** @param {number} number @param {string} section @param {string} text
 * @returns {Note} */
const rfc = (number, section, text) => ({ text, where: `RFC ${number}, ${section}`,
	url: `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}` });

/** @param {string} section @param {string} anchor @param {string} text
 * @returns {Note} */
const html = (section, anchor, text) => ({ text, where: `WHATWG HTML, ${section}`,
	url: `https://html.spec.whatwg.org/multipage/server-sent-events.html#${anchor}` });

/** By lower-case name.
 * @type {Record<string, Note>} */
const fields = {
	'host': rfc(9110, '7.2', 'Names the server; one address may serve many.'),
	'origin': rfc(6455, '10.2',
		'Which site the script came from: a browser always says it of a WebSocket, and the ' +
		'gateway refuses origins it does not know.'),
	'upgrade': rfc(9110, '7.8',
		'Asks to go on with another protocol on this connection; a proxy that does not know it ' +
		'drops this field.'),
	'sec-websocket-key': rfc(6455, '4.1',
		'Sixteen random bytes in base64, chosen anew for each connection. They are no secret: ' +
		'they prove that the answer is to this request, not from a cache.'),
	'sec-websocket-accept': rfc(6455, '4.2.2',
		'The key with a fixed text behind it, hashed with SHA-1, in base64: only a server that ' +
		'understood the upgrade can answer so.'),
	'sec-websocket-version': rfc(6455, '4.1', 'Thirteen is the version that became the standard.'),
	'sec-websocket-extensions': rfc(6455, '9.1',
		'What the client could do besides. The gateway takes permessage-deflate where its option ' +
		'--deflate is on: the answer says so, and RSV1 marks each compressed message.'),
	'content-type': rfc(9110, '8.3', 'What the body is, and so how the client reads it.'),
	'content-length': rfc(9110, '8.6',
		'How long the body is: after so many bytes the next message begins on the same ' +
		'connection.'),
	'transfer-encoding': rfc(9112, '7.1',
		'The length is not known yet: the body comes in chunks, each with its own size, for as ' +
		'long as it goes on.'),
	'cache-control': rfc(9111, '5.2.2.5',
		'no-store: nobody may keep it. no-transform: nobody between may compress or rewrite it, ' +
		'which would hold the stream back.'),
	'x-accel-buffering': { text: 'Tells nginx not to collect the response before it passes it on.',
		where: 'nginx, proxy_buffering',
		url: 'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering' },
	'last-event-id': html('9.2.4', 'the-last-event-id-header',
		'The last id that the client has seen: a browser sends it by itself when it connects ' +
		'again.'),
	'sluice': { text: 'The gateway’s version, on every answer of its own: without it, somebody ' +
		'between has answered.' },
	'sluice-cursor': { text: 'Where to go on: the next poll hands it back, and nothing is lost ' +
		'or sent twice.' },
	'sluice-gap': { text: 'Messages that history no longer holds. A gap is always told.' },
	'access-control-allow-origin': { text: 'This lane’s port makes it another origin for the ' +
		'browser, so the gateway has to allow it.',
		where: 'Fetch, CORS',
		url: 'https://fetch.spec.whatwg.org/#http-access-control-allow-origin' },
};
/** @type {Record<string, Note>} */
const connection = {
	upgrade: rfc(9110, '7.6.1',
		'Says that Upgrade is meant for the next hop only, which is why every proxy on the way ' +
		'must play along.'),
	close: rfc(9112, '9.6', 'The connection ends with this response.'),
	'keep-alive': rfc(9112, '9.3', 'The connection stays for the next request.'),
};

/** @param {string} name @param {string} value
 * @returns {Note | undefined} */
export function getFieldNote(name, value) {
	const lower = name.toLowerCase();
	if (lower === 'connection')
		return connection[value.toLowerCase()];
	if (lower === 'content-type' && value.startsWith('text/event-stream'))
		return html('9.2.5', 'parsing-an-event-stream',
			'An event stream: the browser keeps it open and reads events from it as they come.');
	if (lower === 'content-type' && value.startsWith('application/x-ndjson'))
		return rfc(6202, '3',
			'One JSON object a line, on a response that goes on: HTTP streaming in its plainest ' +
			'form.');
	return fields[lower];
}

export const notes = {
	request: rfc(9112, '3', 'A request line: method, target, version.'),
	upgrade: rfc(6455, '4.1',
		'A WebSocket begins as a plain GET that asks to become something else.'),
	poll: rfc(6202, '2',
		'A long-poll: a question that the gateway answers only when there is something to say, ' +
		'or after wait seconds.'),
	shortPoll: rfc(6202, '1',
		'A short poll: asked again and again, answered at once, mostly with nothing. All of this ' +
		'head is paid each time.'),
	sse: html('9.2.3', 'sse-processing-model',
		'An ordinary request, as far as every proxy on the way can tell; it is the answer that ' +
		'does not end.'),
	stream: rfc(6202, '3',
		'An ordinary request whose answer goes on for as long as there is something to say.'),
	response: rfc(9112, '4', 'A status line, then the fields.'),
	switching: rfc(9110, '15.2.2',
		'From the empty line on, this connection no longer speaks HTTP: frames follow, both ways ' +
		'at any time.'),
	refused: rfc(9110, '15.5.4', 'Refused, as a proxy would: this is an obstacle of the demo.'),
	frame: rfc(6455, '5.2',
		'A frame: two bytes say what it is and how long, more only if it is long or masked.'),
	mask: rfc(6455, '5.3',
		'Whatever a client sends is XORed with four random bytes, so that script cannot make ' +
		'bytes that a proxy would take for HTTP.'),
	fragment: rfc(6455, '5.4',
		'A message may come in several frames; control frames may stand between.'),
	ping: rfc(6455, '5.5.2', 'A ping asks if the other side is still there.'),
	pong: rfc(6455, '5.5.3', 'A pong gives a ping’s payload back.'),
	close: rfc(6455, '5.5.1',
		'The last frame: a status code and a reason; the other side answers with one of its own.'),
	chunk: rfc(9112, '7.1',
		'A chunk: its size in hexadecimal, its data, and a line end after each.'),
	lastChunk: rfc(9112, '7.1',
		'A chunk of size 0 ends the response: it was ended on purpose, not cut.'),
	event: html('9.2.6', 'event-stream-interpretation',
		'An event: fields a line each, and an empty line that hands it to script. The id comes ' +
		'back as Last-Event-ID after a cut.'),
	ndjson: rfc(8259, '2',
		'A line is one JSON object: JSON text may hold no bare line break inside a string, so ' +
		'lines can be cut apart safely.'),
	body: rfc(9112, '6.3',
		'As many bytes as Content-Length said, then the connection is free for the next request.'),
	tail: rfc(9112, '6.3',
		'Without a length and without chunks, the response ends with the connection.'),
};

/** @param {import('./conversation.js').Item} item
 * @returns {Note | undefined} */
export function getNote({ kind, head, frame, chunk, lines, objects, transport }) {
	if (kind === 'request' && head) {
		const { pathname, searchParams } = new URL(head.target, 'http://host');
		if (pathname.endsWith('/ws'))
			return notes.upgrade;
		if (pathname.endsWith('/poll'))
			return searchParams.get('wait') === '0' ? notes.shortPoll : notes.poll;
		if (pathname.endsWith('/sse'))
			return notes.sse;
		return pathname.endsWith('/stream') ? notes.stream : notes.request;
	}
	if (kind === 'response' && head)
		return { 101: notes.switching, 403: notes.refused }[head.status] ?? notes.response;
	if (frame) {
		const control = { 8: notes.close, 9: notes.ping, 10: notes.pong }[frame.opcode];
		return control ?? (!frame.fin || frame.opcode === 0 ? notes.fragment : notes.frame);
	}
	if (chunk)
		return !chunk.size ? notes.lastChunk : notes.chunk;
	if (kind === 'body')
		return lines || (objects?.length && transport === 'stream') ? notes.tail : notes.body;
	return undefined;
}
