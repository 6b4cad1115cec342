// Finds out in about three seconds what the path to a gateway lets through, and says it in
// words. Not part of the client proper: to be imported when somebody asks. What it calls dead
// the client does not use: it asks for the same proofs, within the same times.
import { toBase } from './base.js';
import { gates } from './gates.js';
import { times } from './policy.js';
import { createKey, getSlack, parse } from './transports/request.js';
import { LIMIT_MS, judge } from './verdict.js';

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
 * 	token?: string, channel: string, heard: boolean,
 * 	url: (path: string, params?: object) => string }} Way heard: something was answered */

const PATIENCE_MS = 8000; // for a poll where nothing is answered: a client waits much longer
const TURN_MS = 300;
const HOLD_S = 2;
const LARGE = 'x'.repeat(4200); // as the client's
const IDLE_S = 60; // the longest heartbeat there is
const now = () => performance.now();
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export async function diagnose(url, { WebSocket = globalThis.WebSocket, fetch, token, params, patient } = {}) {
	const base = toBase(url);
	const channel = `diagnose.${createKey()}`;
	/** @type {Way} */
	const way = {
		WebSocket, token, channel, heard: false, fetch: fetch ?? globalThis.fetch.bind(globalThis),
		headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
		url(path, more) {
			const made = new URL(path, base);
			const delivers = path in { ws: 0, sse: 0, stream: 0, poll: 0 };
			for (const [name, value] of Object.entries({ ...params, ...delivers && { channels: channel }, n: createKey(), ...more }))
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
	const [, websocket, poll, echo] = await inTurn([() => Promise.all([gateway, head]), () => tryWebSocket(way),
		() => ask(way, 'poll', { params: { wait: 0 }, patience: PATIENCE_MS }, readCursor), () => ask(way, ...echoOf(LARGE))]);
	const longpoll = poll.then((answer) => tryHeldPoll(way, answer));
	await sleep(0); // it first: where one connection passes, a stream keeps it
	const [sse, stream] = await inTurn([(heard) => tryStream(way, 'sse', heard), (heard) => tryStream(way, 'stream', heard)]);
	return { url, token: way.token !== undefined, gateway: await gateway, head: await head, websocket: await websocket,
		sse: await sse, stream: await stream, poll: await poll, longpoll: await longpoll, echo: await echo };
}

/** Each begins when the one before it has ended, lest one be in the way of another where few
 * connections pass. One that got no answer in a moment is not waited for.
 * @param {((heard: () => void) => Promise<any>)[]} probes
 * @returns {Promise<Promise<any>[]>} */
async function inTurn(probes) {
	const results = [];
	for (const probe of probes) {
		let isHeard = false;
		const result = probe(() => { isHeard = true; });
		results.push(result);
		await Promise.race([result, sleep(TURN_MS)]);
		if (isHeard)
			await result;
	}
	return results;
}

/* ---- requests ---- */

/** patience: ms to be waited for while nothing at all was answered.
 * @typedef {RequestInit & { params?: object, patience?: number }} Init */

/** @param {Way} way @param {string} path @param {Init} init
 * @param {(text: string) => any} read what is not the gateway's becomes undefined
 * @param {number} [limit] ms
 * @returns {Promise<Answer>} */
function ask(way, path, init, read, limit) {
	return tryTwice(() => askOnce(way, path, init, read, limit));
}

/** What failed at once, and not by somebody's decision, may have been bad luck.
 * @param {Answer} answer */
function isLuck({ status, silent, ours }) {
	return status === undefined ? !silent : !ours && status >= 500;
}

/** @template {Answer} T
 * @param {() => Promise<T>} run
 * @param {(answer: T) => Answer} [choose] what of it may have been bad luck
 * @returns {Promise<T>} */
async function tryTwice(run, choose = (answer) => answer) {
	const first = await run();
	const before = choose(first);
	if (!isLuck(before))
		return first;
	const second = await run();
	return choose(second).ours ? { ...second, before } : first;
}

/** @param {Way} way @param {string} path @param {Init} init
 * @param {(text: string) => any} read @param {number} [limit] ms
 * @returns {Promise<Answer>} */
async function askOnce(way, path, { params, patience = 0, ...init }, read, limit = LIMIT_MS) {
	const { fetch, url, headers } = way;
	const began = now();
	const abort = new AbortController();
	/** @type {Answer} */
	const answer = { ms: 0 };
	const expire = () => {
		const more = way.heard ? 0 : patience - (now() - began);
		if (more > 0) {
			timer = setTimeout(expire, Math.min(more, 100));
			return;
		}
		answer.silent = true;
		abort.abort();
	};
	let timer = setTimeout(expire, limit);
	const late = new Promise((_, fail) => abort.signal.addEventListener('abort', fail));
	late.catch(() => {});
	try {
		const response = await fetch(url(path, params), { cache: 'no-store', signal: abort.signal, ...init,
			headers: { ...headers, ...init.headers } });
		way.heard = true;
		takeHead(answer, response, began);
		const text = await Promise.race([response.text(), late]); // Node 18 reads on after an abort
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
	answer.encoding = response.headers.get('Content-Encoding') ?? undefined;
}

/** @param {Answer} answer @param {any} error @param {number} began */
function takeError(answer, error, began) {
	answer.cut = answer.status !== undefined && !answer.silent;
	if (answer.status === undefined)
		answer.ms = now() - began;
	if (!answer.silent)
		answer.error = error?.cause?.code ?? error?.code;
}

/** What is sent comes back.
 * @param {string} [text]
 * @returns {[string, Init, (text: string) => any]} */
function echoOf(text = '') {
	const body = createKey() + text;
	return ['probe/echo', { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body },
		(answer) => answer === body || undefined];
}

/** @param {string} text */
function readCursor(text) {
	const { cursor } = parse(text);
	return typeof cursor === 'string' ? cursor : undefined;
}

/** @param {Way} way @param {Answer} poll
 * @returns {Promise<import('./verdict.js').HeldFacts>} */
async function tryHeldPoll(way, poll) {
	const hold = HOLD_S * 1000;
	if (!poll.good || poll.ms > LIMIT_MS)
		return { ...poll, hold };
	const held = await ask(way, 'poll', { params: { wait: HOLD_S, since: poll.value } }, readCursor, hold + Math.max(2500, 3 * poll.ms));
	return { ...held, hold, told: held.good ? undefined : await tryToldPoll(way, poll) };
}

/** Held answers do not come: do they when there is a message?
 * @param {Way} way @param {Answer} poll
 * @returns {Promise<Answer>} */
async function tryToldPoll(way, { ms, value }) {
	const limit = 1000 + getSlack(ms);
	const answer = askOnce(way, 'poll', { params: { wait: 1, since: value } }, readCursor, limit);
	await sleep(TURN_MS);
	await askOnce(way, 'publish', { method: 'POST', params: { channel: way.channel },
		headers: { 'Content-Type': 'application/json' }, body: '"diagnose"' }, (text) => parse(text).id, limit);
	return answer;
}

/* ---- streams ---- */

/** Reads the objects of a stream until `take` returns true, the time is over, or it ends.
 * @param {Way} way @param {string} path @param {object} params @param {number} limit ms
 * @param {(object: any, ms: number, wait: (ms: number | undefined) => void) => boolean | Promise<boolean>} take
 * 	may set another limit from now on, or none
 * @returns {Promise<StreamFacts>} */
async function readStream(way, path, params, limit, take) {
	const began = now();
	const abort = new AbortController();
	/** @type {StreamFacts} */
	const facts = { ms: limit };
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const wait = (/** @type {number | undefined} */ ms) => {
		clearTimeout(timer);
		timer = ms === undefined ? undefined : setTimeout(() => {
			facts.silent = true;
			abort.abort();
		}, ms);
	};
	wait(limit);
	try {
		const response = await way.fetch(way.url(path, params), { cache: 'no-store', signal: abort.signal, headers: way.headers });
		way.heard = true;
		takeHead(facts, response, began);
		facts.message = response.ok || !facts.ours ? undefined : parse(await response.text()).error?.message;
		const reader = response.ok ? /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader() : undefined;
		const decoder = new TextDecoder();
		for (let rest = '', done = !reader; !done;) {
			const read = await /** @type {ReadableStreamDefaultReader<Uint8Array>} */ (reader).read();
			const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n');
			const at = now() - began;
			rest = /** @type {string} */ (lines.pop());
			for (const line of lines) {
				const text = path === 'sse' ? line.startsWith('data:') ? line.slice(5) : '' : line.trim();
				const object = text && parse(text);
				if (object && typeof object.type !== 'string')
					facts.foreign = true;
				done ||= Boolean(object && await take(object, at, wait));
			}
			facts.cut = read.done && !done;
			done ||= read.done || Boolean(facts.foreign);
		}
	} catch (error) {
		takeError(facts, error, began);
	}
	if (facts.cut)
		facts.ended = now() - began;
	wait(undefined);
	abort.abort();
	return facts;
}

/** Open comes at once, the mark 150 ms later, and then nothing that could push them out.
 * @param {Way} way @param {'sse' | 'stream'} path @param {() => void} heard
 * @returns {Promise<StreamFacts>} */
async function tryStream(way, path, heard) {
	const first = await tryTwice(() => tryStreamOnce(way, path, heard), (facts) =>
		[facts, facts.echo, facts.next].find((answer) => answer && isLuck(answer)) ?? facts);
	const { open = 0, mark = Infinity } = first;
	if (mark - open >= times.apart || mark > times.heap)
		return first;
	const second = await tryStreamOnce(way, path, heard); // this program may have been busy
	return second.mark !== undefined && second.mark - (second.open ?? 0) >= times.apart ? second : first;
}

/** All that the client does before it trusts a stream: beside it something is sent, and when
 * it has proved itself another one takes its place.
 * @param {Way} way @param {'sse' | 'stream'} path @param {() => void} heard
 * @returns {Promise<StreamFacts>} */
async function tryStreamOnce(way, path, heard) {
	const [[, toOpen], [, toMark], [, toEcho]] = gates[path];
	/** @type {Partial<StreamFacts>} */
	const seen = {};
	const read = readStream(way, path, { probe: createKey(), heartbeat: IDLE_S }, toOpen, async ({ type }, ms, wait) => {
		heard();
		if (type === 'open' || type === 'mark')
			seen[/** @type {'open' | 'mark'} */ (type)] ??= ms;
		wait(type === 'mark' ? undefined : toMark);
		if (type !== 'mark')
			return false;
		seen.echo = await echo;
		if (seen.echo.good)
			seen.next = await readStream(way, path, { heartbeat: IDLE_S }, LIMIT_MS / 2, (object) => object.type === 'open');
		return true;
	});
	const echo = askOnce(way, ...echoOf(), toEcho);
	return { ...await read, ...seen };
}

/* ---- the socket ---- */

/** @param {Way} way
 * @returns {Promise<WebSocketFacts>} */
async function tryWebSocket(way) {
	if (!way.WebSocket)
		return { missing: true, ms: 0 };
	let nonce = '';
	/** What answers the same request without an upgrade; asked early where nothing comes.
	 * @type {Promise<Answer> | undefined} */
	let plain;
	const askPlain = () => plain ??= ask(way, 'ws', {}, () => undefined, LIMIT_MS - 1000);
	const timer = setTimeout(askPlain, 1000);
	const open = () => openWebSocket(way, nonce = createKey(), () => clearTimeout(timer));
	const first = await open();
	const { handshake, ended, status = 500, connect } = first;
	const isLuck = handshake === undefined && ended !== undefined && status >= 500 && !connect;
	const facts = isLuck ? await open() : first;
	clearTimeout(timer);
	if (facts.large !== undefined)
		return isLuck ? { ...facts, before: first } : facts;
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
	const [, [, toOpen], [, toSmall], [, toLarge]] = gates.websocket;
	await new Promise((done) => {
		/** @type {ReturnType<typeof setTimeout>} */
		let timer;
		const wait = (/** @type {number} */ ms) => {
			clearTimeout(timer);
			timer = setTimeout(done, ms);
		};
		wait(LIMIT_MS);
		socket.onopen = () => {
			way.heard = true;
			facts.handshake = now() - began;
			onHandshake();
			wait(toOpen);
			for (const data of ['small', LARGE])
				socket.send(JSON.stringify({ type: 'ping', data }));
		};
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
			const { type, data: echoed } = parse(data);
			const at = now() - began;
			if (type === 'open') {
				facts.open ??= at;
				wait(toSmall);
			} else if (facts.open === undefined)
				facts.foreign = true;
			else if (type === 'pong' && echoed === 'small') {
				facts.small ??= at;
				wait(toLarge);
			} else if (type === 'pong' || type === 'error') // too_large: it has arrived
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
