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
	'host': rfc(9110, '7.2', 'Names the server, because one address may serve many.'),
	'origin': rfc(6455, '10.2',
		'Names the site that the script came from. A browser always sends it with a WebSocket, ' +
		'and the gateway rejects origins that it does not know.'),
	'upgrade': rfc(9110, '7.8',
		'Names another protocol to continue with on this connection. A proxy that does not know ' +
		'that protocol removes this field.'),
	'sec-websocket-key': rfc(6455, '4.1',
		'Sixteen random bytes in base64, new for each connection. They are no secret: they prove ' +
		'that the answer belongs to this request and does not come from a cache.'),
	'sec-websocket-accept': rfc(6455, '4.2.2',
		'The key followed by a fixed text, hashed with SHA-1, in base64. Only a server that ' +
		'understood the upgrade can send it.'),
	'sec-websocket-version': rfc(6455, '4.1', 'The version that became the standard is 13.'),
	'sec-websocket-extensions': rfc(6455, '9.1',
		'In a request: the extensions that the client offers. The gateway accepts ' +
		'permessage-deflate (compression) if it runs with --deflate; the answer names it, and ' +
		'the bit RSV1 marks each compressed message.'),
	'content-type': rfc(9110, '8.3', 'Says what the body is, and so how the client reads it.'),
	'content-length': rfc(9110, '8.6',
		'The length of the body in bytes. After it, the next message begins on the same ' +
		'connection.'),
	'transfer-encoding': rfc(9112, '7.1',
		'The length of the body is not known in advance, so it comes in chunks, each with its ' +
		'own size.'),
	'cache-control': rfc(9111, '5.2.2.5',
		'no-store: nobody may store this answer. no-transform: no proxy may compress or rewrite ' +
		'it, because that would hold the stream back.'),
	'x-accel-buffering': { text: 'Tells nginx to pass the response on at once instead of ' +
		'collecting it first.',
		where: 'nginx, proxy_buffering',
		url: 'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering' },
	'last-event-id': html('9.2.4', 'the-last-event-id-header',
		'The last id that the client received. A browser sends it by itself when it reconnects.'),
	'sluice': { text: 'The gateway’s version, on every answer of its own. If an answer lacks it, ' +
		'a proxy in between has answered.' },
	'sluice-cursor': { text: 'The position in the stream. The next poll sends it back, so that ' +
		'no message is lost or sent twice.' },
	'sluice-gap': { text: 'Messages are missing, because the history no longer holds them. The ' +
		'gateway always reports a gap.' },
	'access-control-allow-origin': { text: 'This lane uses a port of its own, which is another ' +
		'origin for the browser, so the gateway has to allow it.',
		where: 'Fetch, CORS',
		url: 'https://fetch.spec.whatwg.org/#http-access-control-allow-origin' },
};
/** @type {Record<string, Note>} */
const connection = {
	upgrade: rfc(9110, '7.6.1',
		'Says that the Upgrade field is for the next hop only. So every proxy in between must ' +
		'support the upgrade and repeat it.'),
	close: rfc(9112, '9.6', 'The connection ends with this response.'),
	'keep-alive': rfc(9112, '9.3', 'The connection stays open for the next request.'),
};

/** @param {string} name @param {string} value
 * @returns {Note | undefined} */
export function getFieldNote(name, value) {
	const lower = name.toLowerCase();
	if (lower === 'connection')
		return connection[value.toLowerCase()];
	if (lower === 'content-type' && value.startsWith('text/event-stream'))
		return html('9.2.5', 'parsing-an-event-stream',
			'An event stream: the browser keeps it open and reads each event when it arrives.');
	if (lower === 'content-type' && value.startsWith('application/x-ndjson'))
		return rfc(6202, '3',
			'One JSON object per line, on a response that does not end: HTTP streaming in its ' +
			'plainest form.');
	return fields[lower];
}

export const notes = {
	request: rfc(9112, '3', 'A request line: method, target and version of HTTP.'),
	upgrade: rfc(6455, '4.1',
		'A WebSocket begins as a plain GET that asks to change the protocol.'),
	poll: rfc(6202, '2',
		'A long-poll: the gateway answers only when it has a message, or after `wait` seconds.'),
	shortPoll: rfc(6202, '1',
		'A short poll: the client asks again and again, and the gateway answers at once, mostly ' +
		'with nothing. Each poll costs these heads again.'),
	sse: html('9.2.3', 'sse-processing-model',
		'For every proxy in between, this is an ordinary request. Only its answer is special: it ' +
		'does not end.'),
	stream: rfc(6202, '3',
		'An ordinary request whose answer does not end while the client reads it.'),
	response: rfc(9112, '4', 'A status line, then the header fields.'),
	switching: rfc(9110, '15.2.2',
		'After the empty line, this connection no longer speaks HTTP: both sides send frames at ' +
		'any time.'),
	refused: rfc(9110, '15.5.4',
		'Rejected, as a proxy would do it: this transport is blocked in the demo.'),
	frame: rfc(6455, '5.2',
		'A frame begins with two bytes for its type and its length; a long or a masked frame has ' +
		'more bytes of header.'),
	mask: rfc(6455, '5.3',
		'A client XORs each payload with four random bytes, so that a script cannot make bytes ' +
		'that a proxy would take for HTTP.'),
	fragment: rfc(6455, '5.4',
		'A message may come in several frames, and control frames may stand between them.'),
	ping: rfc(6455, '5.5.2', 'A ping asks whether the other side is still there.'),
	pong: rfc(6455, '5.5.3', 'A pong returns the payload of a ping.'),
	close: rfc(6455, '5.5.1',
		'The last frame, with a status code and a reason. The other side answers with its own ' +
		'close frame.'),
	chunk: rfc(9112, '7.1',
		'A chunk: its size in hexadecimal, then its data, each followed by a line end.'),
	lastChunk: rfc(9112, '7.1',
		'A chunk of size 0 ends the response. So the sender ended it on purpose; it was not cut ' +
		'off.'),
	event: html('9.2.6', 'event-stream-interpretation',
		'An event has one field per line. An empty line ends it and delivers it to the script. ' +
		'After a cut, the browser sends the id back as Last-Event-ID.'),
	ndjson: rfc(8259, '2',
		'Each line is one JSON object. JSON text has no bare line break inside a string, so a ' +
		'reader can split the stream at line ends.'),
	body: rfc(9112, '6.3',
		'The body has as many bytes as Content-Length said. Then the connection is free for the ' +
		'next request.'),
	tail: rfc(9112, '6.3',
		'The response has neither a length nor chunks, so it ends with the connection.'),
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
