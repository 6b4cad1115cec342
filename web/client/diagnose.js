// Finds out in about three seconds what the path to a gateway lets through, and says it in
// words. Not part of the client proper: to be imported when somebody asks.
import { createKey, parse } from './transports/request.js';
import { APART_MS, judge } from './verdict.js';

export { judge, writeReport } from './verdict.js';

/** @typedef {import('./verdict.js').Answer} Answer */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** @typedef {object} Options
 * @property {any} [WebSocket] where there is none; its error events may say `status`, and
 * 	`connect` if that was a proxy's to CONNECT
 * @property {typeof globalThis.fetch} [fetch]
 * @property {string} [token] sent in the header Authorization
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [patient] finds out after which silence connections are cut: a minute */

/** @typedef {{ WebSocket: any, fetch: typeof globalThis.fetch, headers: Record<string, string>,
 * 	token?: string, url: (path: string, params?: object) => string }} Way */

const LIMIT_MS = 3000;
const HOLD_S = 2;
const LARGE = 'x'.repeat(6000);
const HEAP_MS = 1000; // a heap that came as soon as this is looked at twice
const IDLE_S = 60; // the longest heartbeat there is
const now = () => performance.now();

/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export async function diagnose(url, { WebSocket = globalThis.WebSocket, fetch, token, params, patient } = {}) {
	const base = new URL(url, globalThis.document?.baseURI);
	base.pathname = base.pathname.replace(/\/?$/, '/');
	const channels = `diagnose.${createKey()}`;
	/** @type {Way} */
	const way = {
		WebSocket, token, fetch: fetch ?? globalThis.fetch.bind(globalThis),
		headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
		url(path, more) {
			const made = new URL(path, base);
			const delivers = !path.startsWith('probe') && path !== 'transports';
			for (const [name, value] of Object.entries({ ...params, ...delivers && { channels }, n: createKey(), ...more }))
				made.searchParams.set(name, String(value));
			return made.href;
		},
	};
	const facts = await collect(way, base.href);
	if (patient)
		facts.idle = await watchIdle(way, facts);
	return judge(facts);
}

/** @param {Way} way @param {string} url
 * @returns {Promise<Facts>} */
async function collect(way, url) {
	const gateway = ask(way, 'transports', {}, (text) => parse(text).transports);
	const head = ask(way, 'probe/head', { headers: { 'Last-Event-ID': 'probe' } }, (text) => Array.isArray(parse(text).headers) ? parse(text) : undefined);
	// The rest follows these two, for browsers that open six connections to a host; but does
	// not wait for long.
	await Promise.race([Promise.all([gateway, head]), new Promise((done) => setTimeout(done, 500))]);
	const [websocket, sse, stream, [poll, longpoll], echo] = await Promise.all([tryWebSocket(way),
		tryStream(way, 'sse'), tryStream(way, 'stream'), tryPolls(way), tryEcho(way)]);
	return { url, token: way.token !== undefined, gateway: await gateway, head: await head, websocket, sse, stream, poll, longpoll, echo };
}

/* ---- requests ---- */

/** @param {Way} way @param {string} path @param {RequestInit & { params?: object }} init
 * @param {(text: string) => any} read what is not the gateway's becomes undefined
 * @param {number} [limit] ms
 * @returns {Promise<Answer>} */
function ask(way, path, init, read, limit) {
	return tryTwice(() => askOnce(way, path, init, read, limit));
}

/** What failed at once, and not by somebody's decision, may have been bad luck.
 * @template {Answer} T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>} */
async function tryTwice(run) {
	const first = await run();
	const isLuck = first.status === undefined ? !first.silent : !first.ours && first.status >= 500;
	if (!isLuck)
		return first;
	const second = await run();
	return second.ours ? { ...second, before: first } : first;
}

/** @param {Way} way @param {string} path @param {RequestInit & { params?: object }} init
 * @param {(text: string) => any} read @param {number} [limit] ms
 * @returns {Promise<Answer>} */
async function askOnce({ fetch, url, headers }, path, { params, ...init }, read, limit = LIMIT_MS) {
	const began = now();
	const abort = new AbortController();
	/** @type {Answer} */
	const answer = { ms: 0 };
	const timer = setTimeout(() => {
		answer.silent = true;
		abort.abort();
	}, limit);
	try {
		const response = await fetch(url(path, params), { cache: 'no-store', signal: abort.signal, ...init,
			headers: { ...headers, ...init.headers } });
		takeHead(answer, response, began);
		const text = await response.text();
		answer.value = read(text);
		answer.good = response.ok && answer.value !== undefined;
		answer.message = answer.ours ? parse(text).error?.message : undefined;
	} catch (error) {
		takeError(answer, error, began);
	}
	clearTimeout(timer);
	return answer;
}

/** @param {Answer} answer @param {Response} response @param {number} began */
function takeHead(answer, response, began) {
	answer.ms = now() - began;
	answer.status = response.status;
	answer.ours = response.headers.get('Sluice') !== null;
	answer.type = response.headers.get('Content-Type')?.split(';')[0] ?? '';
}

/** @param {Answer} answer @param {any} error @param {number} began */
function takeError(answer, error, began) {
	answer.cut = answer.status !== undefined;
	if (!answer.cut)
		answer.ms = now() - began;
	if (!answer.silent)
		answer.error = error?.cause?.code ?? error?.code;
}

/** @param {Way} way */
function tryEcho(way) {
	const body = createKey() + LARGE;
	return ask(way, 'probe/echo', { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body },
		(text) => text === body || undefined);
}

/** @param {string} text */
function readCursor(text) {
	const { cursor } = parse(text);
	return typeof cursor === 'string' ? cursor : undefined;
}

/** @param {Way} way
 * @returns {Promise<[Answer, Answer & { hold: number }]>} */
async function tryPolls(way) {
	const poll = await ask(way, 'poll', { params: { wait: 0 } }, readCursor);
	const hold = HOLD_S * 1000;
	if (!poll.good)
		return [poll, { ...poll, hold }];
	return [poll, { ...await ask(way, 'poll', { params: { wait: HOLD_S, since: poll.value } }, readCursor, hold + 2500), hold }];
}

/* ---- streams ---- */

/** Reads the objects of a stream until `take` returns true, the time is over, or it ends.
 * @param {Way} way @param {string} path @param {object} params @param {number} limit ms
 * @param {(object: any, ms: number) => boolean} take
 * @returns {Promise<StreamFacts>} */
async function readStream({ fetch, url, headers }, path, params, limit, take) {
	const began = now();
	const abort = new AbortController();
	/** @type {StreamFacts} */
	const facts = { ms: limit };
	const timer = setTimeout(() => {
		facts.silent = true;
		abort.abort();
	}, limit);
	try {
		const response = await fetch(url(path, params), { cache: 'no-store', signal: abort.signal, headers });
		takeHead(facts, response, began);
		facts.message = response.ok || !facts.ours ? undefined : parse(await response.text()).error?.message;
		const reader = response.ok ? /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader() : undefined;
		const decoder = new TextDecoder();
		for (let rest = '', done = !reader; !done;) {
			const read = await /** @type {ReadableStreamDefaultReader<Uint8Array>} */ (reader).read();
			const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n');
			rest = /** @type {string} */ (lines.pop());
			for (const line of lines) {
				const text = path === 'sse' ? line.startsWith('data:') ? line.slice(5) : '' : line.trim();
				const object = text && parse(text);
				if (object && typeof object.type !== 'string')
					facts.foreign = true;
				done ||= Boolean(object && take(object, now() - began));
			}
			facts.cut = read.done && !done;
			done ||= read.done || Boolean(facts.foreign);
		}
	} catch (error) {
		takeError(facts, error, began);
		facts.cut &&= !facts.silent;
	}
	clearTimeout(timer);
	abort.abort();
	return facts;
}

/** Open comes at once, the mark 150 ms later, and then nothing that could push them out.
 * @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<StreamFacts>} */
async function tryStream(way, path) {
	const first = await tryTwice(() => tryStreamOnce(way, path));
	const { open = 0, mark = Infinity } = first;
	if (mark - open >= APART_MS || mark > HEAP_MS)
		return first;
	const second = await tryStreamOnce(way, path); // this program may have been busy
	return second.mark !== undefined && second.mark - (second.open ?? 0) >= APART_MS ? second : first;
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<StreamFacts>} */
async function tryStreamOnce(way, path) {
	/** @type {Partial<StreamFacts>} */
	const seen = {};
	const facts = await readStream(way, path, { probe: createKey(), heartbeat: IDLE_S }, LIMIT_MS, ({ type }, ms) => {
		if (type === 'open' || type === 'mark')
			seen[/** @type {'open' | 'mark'} */ (type)] ??= ms;
		return type === 'mark';
	});
	return { ...facts, ...seen };
}

/* ---- the socket ---- */

/** @param {Way} way
 * @returns {Promise<WebSocketFacts>} */
async function tryWebSocket(way) {
	if (!way.WebSocket)
		return { missing: true, ms: 0 };
	const nonce = createKey();
	/** What answers the same request without an upgrade; asked early where nothing comes.
	 * @type {Promise<Answer> | undefined} */
	let plain;
	const askPlain = () => plain ??= ask(way, 'ws', {}, () => undefined, LIMIT_MS - 1000);
	const timer = setTimeout(askPlain, 1000);
	const facts = await openWebSocket(way, nonce, () => clearTimeout(timer));
	clearTimeout(timer);
	if (facts.large !== undefined)
		return facts;
	const { value } = await ask(way, 'probe/seen', { params: { nonce } }, (text) => parse(text).seen, LIMIT_MS / 2);
	facts.seen = value;
	if (facts.handshake === undefined && value === 'nothing')
		facts.plain = await askPlain();
	return facts;
}

/** @param {Way} way @param {object} params */
function createSocket({ WebSocket, url, token }, params) {
	return new WebSocket(url('ws', { ...token !== undefined && { token }, ...params }).replace(/^http/, 'ws'));
}

/** @param {Way} way @param {string} nonce @param {() => void} onHandshake
 * @returns {Promise<WebSocketFacts>} */
async function openWebSocket(way, nonce, onHandshake) {
	const began = now();
	/** @type {WebSocketFacts} */
	const facts = { ms: 0 };
	const socket = createSocket(way, { probe: nonce });
	await new Promise((done) => {
		let timer = setTimeout(done, LIMIT_MS);
		socket.onopen = () => {
			facts.handshake = now() - began;
			onHandshake();
			clearTimeout(timer);
			timer = setTimeout(done, 1500);
			for (const data of ['small', LARGE])
				socket.send(JSON.stringify({ type: 'ping', data }));
		};
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
			const { type, data: echoed } = parse(data);
			const at = now() - began;
			if (type === 'open')
				facts.open ??= at;
			else if (facts.open === undefined)
				facts.foreign = true;
			else if (type === 'pong' && echoed === 'small')
				facts.small ??= at;
			else if (type === 'pong' || type === 'error') // too_large: it has arrived
				facts.large ??= at;
			if (facts.foreign || facts.large !== undefined)
				done(clearTimeout(timer));
		};
		socket.onerror = (/** @type {any} */ { status, connect, code, error, message = '' }) => {
			facts.status ??= status ?? (Number(/server response: (\d{3})/.exec(message)?.[1]) || undefined);
			facts.connect ??= connect;
			facts.error ??= code ?? error?.code;
		};
		socket.onclose = () => {
			facts.ended = now() - began;
			done(clearTimeout(timer));
		};
	});
	facts.ms = now() - began;
	if (facts.handshake !== undefined && facts.open === undefined && facts.ended !== undefined)
		facts.foreign ??= facts.error !== undefined;
	end(socket);
	return facts;
}

/** @param {any} socket */
function end(socket) {
	socket.onopen = () => socket.close(); // browsers complain of an earlier end
	socket.onmessage = socket.onclose = null;
	socket.onerror = () => {};
	if (socket.readyState)
		socket.close();
	else
		setTimeout(() => socket.close(), 2000);
}

/* ---- silence ---- */

/** Leaves what works silent for as long as a client might.
 * @param {Way} way @param {Facts} facts
 * @returns {Promise<Record<string, IdleFacts>>} */
async function watchIdle(way, { websocket, sse, stream, longpoll }) {
	/** @type {Record<string, Promise<IdleFacts>>} */
	const watched = {};
	if (websocket.open !== undefined && websocket.small !== undefined)
		watched.websocket = watchSocket(way);
	if (sse.open !== undefined)
		watched.sse = watchStream(way, 'sse');
	if (stream.open !== undefined)
		watched.stream = watchStream(way, 'stream');
	if (longpoll.good)
		watched.longpoll = watchPoll(way, longpoll.value);
	return Object.fromEntries(await Promise.all(Object.entries(watched).map(async ([name, promise]) => [name, await promise])));
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<IdleFacts>} */
async function watchStream(way, path) {
	const began = now();
	let last = began;
	let beat = false;
	await readStream(way, path, { heartbeat: IDLE_S }, (IDLE_S + 4) * 1000, ({ type }) => {
		beat = type === 'heartbeat';
		last = beat ? last : now();
		return beat;
	});
	const watched = now() - began;
	return beat ? { watched } : { watched, cut: now() - last };
}

/** @param {Way} way
 * @returns {Promise<IdleFacts>} */
async function watchSocket(way) {
	const began = now();
	const socket = createSocket(way, { heartbeat: IDLE_S });
	let last = began;
	let beat = false;
	await new Promise((done) => {
		const timer = setTimeout(done, (IDLE_S + 4) * 1000);
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
			beat = parse(data).type === 'heartbeat';
			last = beat ? last : now();
			if (beat)
				done(clearTimeout(timer));
		};
		socket.onerror = () => {};
		socket.onclose = () => done(clearTimeout(timer));
	});
	end(socket);
	const watched = now() - began;
	return beat ? { watched } : { watched, cut: now() - last };
}

/** @param {Way} way @param {string} since
 * @returns {Promise<IdleFacts>} */
async function watchPoll(way, since) {
	const began = now();
	const { good, status, ours } = await askOnce(way, 'poll', { params: { wait: 55, since } }, readCursor, 62000);
	const watched = now() - began;
	return good && ours ? { watched } : { watched, cut: watched, status };
}
