// Clients of a set-up: each transport over TLS, from an address of one's own in 127.0.0.0/8, with any
// fields in the request. All receive live: the second message is published when the first is there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import WebSocket from 'ws';
import { hostName } from './setups.mjs';

/** @typedef {{ from: string, headers?: Record<string, string> }} Who where it comes from, what it says */

/** @param {import('./setups.mjs').Place} place @param {Who} who */
const optionsOf = ({ port, authority }, { from, headers }) => ({ host: '127.0.0.1', port, localAddress: from, ca: authority,
	servername: hostName, agent: false, headers: { Host: `${hostName}:${port}`, ...headers } });

/** @param {import('./setups.mjs').Place} place @param {Who} who @param {string} path
 * @returns {Promise<import('node:http').IncomingMessage>} whose body is to be read or destroyed */
export async function open(place, who, path, { method = 'GET', body, type } = {}) {
	const options = optionsOf(place, who);
	const asked = request({ ...options, path, method, headers: { ...options.headers,
		...body && { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) } } });
	asked.end(body);
	const [response] = await once(asked, 'response');
	return response.setEncoding('utf8').on('error', () => {});
}

/** @returns {Promise<{ status: number, text: string }>} */
export async function ask(place, who, path, options) {
	const response = await open(place, who, path, options);
	let text = '';
	for await (const piece of response)
		text += piece;
	return { status: response.statusCode, text };
}

export async function publish(place, who, channel, data) {
	const { status, text } = await ask(place, who, `/publish?channel=${channel}`,
		{ method: 'POST', body: JSON.stringify(data), type: 'application/json' });
	assert.equal(status, 200, text);
}

/** What comes out of a long response, an object each.
 * @param {RegExp} pattern of an object's line */
async function* readObjects(response, pattern) {
	assert.equal(response.statusCode, 200);
	let rest = '';
	for await (const piece of response) {
		const lines = (rest + piece).split('\n');
		rest = lines.pop();
		for (const line of lines) {
			const found = pattern.exec(line);
			if (found)
				yield JSON.parse(found[1]);
		}
	}
}

async function* readPolls(place, who, channel, wait) {
	for (let since = '0'; ;) {
		const { status, text } = await ask(place, who, `/poll?channels=${channel}&since=${since}&wait=${wait}`);
		assert.equal(status, 200, text);
		const { cursor, messages } = JSON.parse(text);
		since = cursor;
		yield* messages;
	}
}

async function* readSocket(place, who, channel) {
	const options = optionsOf(place, who);
	const socket = new WebSocket(`wss://127.0.0.1:${place.port}/ws?channels=${channel}&since=0`, options);
	const queue = [];
	let wake = () => {};
	socket.on('message', (bytes) => { queue.push(JSON.parse(bytes)); wake(); });
	socket.on('error', (error) => { queue.push(error); wake(); });
	try {
		for (;;) {
			while (!queue.length)
				await new Promise((done) => { wake = done; });
			const next = queue.shift();
			if (next instanceof Error)
				throw next;
			yield next;
		}
	} finally {
		socket.terminate();
	}
}

async function* readResponse(place, who, path, pattern) {
	const response = await open(place, who, path);
	try {
		yield* readObjects(response, pattern);
	} finally {
		response.destroy();
	}
}

/** Objects as they arrive, by transport. */
export const transports = {
	websocket: readSocket,
	sse: (place, who, channel) => readResponse(place, who, `/sse?channels=${channel}&since=0`, /^data: ?(\{.*)/),
	stream: (place, who, channel) => readResponse(place, who, `/stream?channels=${channel}&since=0`, /^(\{.*)/),
	longpoll: (place, who, channel) => readPolls(place, who, channel, 20),
	poll: (place, who, channel) => readPolls(place, who, channel, 0),
};

/** Receives what is there, and what is published meanwhile. */
export async function receiveTwo(place, who, transport, channel) {
	await publish(place, who, channel, 1);
	const got = [];
	for await (const object of transports[transport](place, who, channel)) {
		if (!('data' in object))
			continue;
		got.push(object.data);
		if (got.length === 2)
			return got;
		await publish(place, who, channel, 2);
	}
	return got;
}
