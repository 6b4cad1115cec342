// However wrong a path answers, the client does not storm it: every transport, with every kind of
// wrong answer, on a fake clock. A request is counted when it starts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock } from './clock.mjs';
import { load } from './setup.mjs';

const { Connection } = await load('connection.js');
const { Pace } = await load('pace.js');
const { transports } = await load('transports/index.js');
const SECONDS = 20;
const MOST = 500; // requests, then nothing is answered any more: a spin ends here

const OWN = { Sluice: '0' };
const CURSOR = 'aaaaaaaa-5';
const open = `{"type":"open","cursor":"${CURSOR}","heartbeat":15,"sent":0}`;
const mark = '{"type":"mark"}';
const heartbeat = `{"type":"heartbeat","cursor":"${CURSOR}","sent":0}`;
const message = `{"id":"${CURSOR}","channel":"a","time":1,"data":"old"}`;
const bye = (retry) => `{"type":"bye","reason":"draining","retry":${retry}}`;
const poll = (n, messages = '') => `{"cursor":"${CURSOR}","messages":[${messages}],"gaps":[],"n":"${n}"}`;

/** What comes for a request of a stream, as objects, before it ends; and for a poll, as text. A
 * function is given the request's `n`.
 * @type {Record<string, { objects?: string[], stays?: boolean, poll?: (n: string) => string,
 * 	status?: number, headers?: object, body?: string }>} */
const kinds = {
	'nobody answers': { status: 0 },
	'a page of somebody else': { status: 200, headers: {}, body: '<p>hello' },
	'a refusal of somebody else': { status: 403, headers: {}, body: 'no' },
	'an error of somebody else': { status: 502, headers: {}, body: 'oh' },
	'a refusal of the gateway': { status: 400, body: '{"error":{"code":"bad_cursor","message":"no"}}' },
	'a gateway that is full': { status: 429, headers: { ...OWN, 'Retry-After': '0' },
		body: '{"error":{"code":"limit","message":"full"}}' },
	'a gateway that breaks': { status: 500, body: '{"error":{"code":"internal","message":"oh"}}' },
	'an empty answer': { objects: [], poll: () => '' },
	'what is no JSON': { objects: ['x{"type":"open"}'], poll: (n) => `x${poll(n)}` },
	'JSON that is nothing': { objects: ['{}', '7'], poll: () => '[]' },
	'an open that ends': { objects: [open], poll: (n) => poll(n) },
	'proof, and the end': { objects: [open, mark], poll: (n) => poll(n, message) },
	'proof, then garbled': { objects: [open, mark, 'x{"type":"heartbeat"}'], poll: () => '{"cursor":1}' },
	'proof, then a count too high': { objects: [open, mark, heartbeat.replace('0}', '9}')], stays: true,
		poll: () => poll('another') },
	'a bye that lets come back at once': { objects: [open, mark, bye(0)], poll: () => poll('another', message) },
	'a bye that lets come back in 1 ms': { objects: [bye(1)], poll: (n) => poll(n).replace(CURSOR, 'aaaaaaaa-4') },
	'a proof that stays silent': { objects: [open, mark], stays: true, poll: (n) => poll(n, message) },
};

/** A network on which every request gets one kind of answer, and what was asked on it when. */
class Network {
	starts = [];

	constructor(kind) {
		this.kind = kind;
		const network = this;
		this.EventSource = class {
			#listeners = {};

			constructor(url) {
				network.count(url);
				const { status = 200, headers = OWN, objects = [], stays } = kind;
				setTimeout(() => {
					for (const text of status === 200 && headers === OWN ? objects : [])
						this.#listeners[JSON.parse(text.replace(/^x/, '')).type ?? 'message']?.({ data: text });
					if (!stays)
						this.onerror?.();
				});
			}

			addEventListener(type, listener) {
				this.#listeners[type] = listener;
			}

			close() {
				this.#listeners = {};
			}
		};
		this.WebSocket = class {
			readyState = 0;

			constructor(url) {
				network.count(url, 'websocket');
				const { status = 101, objects = [], stays } = kind;
				setTimeout(() => {
					if (status !== 101)
						return this.onclose?.({ code: 1006 });
					this.readyState = 1;
					this.onopen?.();
					objects.filter((text) => text !== mark).forEach((data) => this.onmessage?.({ data }));
					if (!stays)
						this.close(objects.length % 2 ? 1006 : 1009);
				});
			}

			send(text) {
				const { type, data } = JSON.parse(text);
				if (type === 'ping')
					setTimeout(() => this.onmessage?.({ data: JSON.stringify({ type: 'pong', data, sent: 0 }) }));
			}

			close(code = 1000) {
				if (this.readyState < 3)
					setTimeout(() => this.onclose?.({ code }));
				this.readyState = 3;
			}
		};
	}

	/** A question about /ws by fetch is of the diagnosis. */
	count(url, by = 'fetch') {
		const { pathname } = new URL(url);
		this.starts.push({ path: pathname === '/ws' && by === 'fetch' ? 'diagnosis' : pathname, at: Date.now() });
	}

	fetch = (url, { method, body, signal }) => new Promise((resolve, reject) => {
		this.count(url);
		const abort = () => reject(new DOMException('aborted', 'AbortError'));
		signal?.addEventListener('abort', abort);
		const { pathname, searchParams } = new URL(url);
		if (this.starts.length > MOST)
			return;
		if (pathname === '/probe/echo')
			return resolve(new Response(body, { headers: OWN }));
		const { status = 200, headers = OWN, body: text, objects = [], stays, poll: answer } = this.kind;
		if (!status)
			return reject(new TypeError('fetch failed'));
		if (text !== undefined)
			return resolve(new Response(text, { status, headers }));
		if (pathname === '/poll')
			return resolve(new Response(answer(searchParams.get('n') ?? ''), { headers }));
		resolve(new Response(new ReadableStream({ start(controller) {
			for (const object of objects)
				controller.enqueue(new TextEncoder().encode(pathname === '/sse' ? `data: ${object}\n\n` : `${object}\n`));
			if (!stays)
				controller.close();
			signal?.addEventListener('abort', () => stays && controller.error(new Error('aborted')));
		} }), { headers }));
	});
}

/** @returns {number} the most requests that started in one second, from `from` on */
function countMost(starts, from) {
	const times = starts.map(({ at }) => at).filter((at) => at >= from);
	return Math.max(0, ...times.map((at) => times.filter((other) => other >= at && other < at + 1000).length));
}

/** What a transport asks for; questions of the diagnosis and publishes are not its own. */
const paths = { websocket: ['/ws'], sse: ['/sse', '/probe/echo'], stream: ['/stream', '/probe/echo'],
	longpoll: ['/poll'], poll: ['/poll'] };
const clients = [...transports.map(({ name }) => [name, name]), ['sse', 'sse by EventSource']];
for (const [name, title] of clients)
	test(`${title}: at most 5 requests a second, whatever is answered`, async () => {
		for (const [kind, answer] of Object.entries(kinds)) {
			const clock = new Clock(true);
			const network = new Network(answer);
			const began = clock.now;
			try {
				const { fetch, WebSocket } = network;
				const connection = new Connection(new URL('http://gateway/'), { fetch, WebSocket, storage: null, pollInterval: 1000,
					EventSource: title === name ? null : network.EventSource, since: CURSOR,
					transports: transports.filter((transport) => transport.name === name) }, () => {});
				connection.setChannels(['a']);
				for (let i = 0; i < 4; i++) { // changes of the list are requests as well
					await clock.run(SECONDS * 250);
					for (let j = 0; j < 10; j++)
						connection.setChannels(j % 2 ? ['a'] : ['a', 'b']);
				}
				connection.close();
				await clock.run(3000);
			} finally {
				clock.restore();
			}
			const starts = network.starts.filter(({ path }) => paths[name].includes(path));
			assert.ok(starts.length, `${kind}: nothing was asked`);
			assert.ok(countMost(starts.filter(({ at }) => at < began + 1000), began) <= 7, `${kind}: the first second`);
			assert.ok(countMost(starts, began + 1000) <= 5, `${kind}: ${countMost(starts, began + 1000)} in a second`);
		}
	});

test('pace: five in any second, two more in the first, as many as one likes with news', () => {
	const clock = new Clock();
	const began = clock.now;
	const starts = [];
	const start = (pace) => pace.start(() => starts.push(clock.now - began));
	return (async () => {
		const pace = new Pace();
		const callOff = Array.from({ length: 14 }, () => start(pace));
		callOff[8]();
		await clock.run(5000);
		assert.deepEqual(starts.splice(0), [0, 0, 0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 2000]);
		for (let i = 0; i < 20; i++) {
			pace.reset();
			start(pace);
		}
		assert.equal(starts.splice(0).length, 20);
		await clock.run(5000);
		Array.from({ length: 7 }, () => start(pace));
		await clock.run(1001);
		assert.deepEqual(starts, [10000, 10000, 10000, 10000, 10000, 11000, 11000]);
	})().finally(() => clock.restore());
});
