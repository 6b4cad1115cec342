// Finds out in about three seconds what the path to a gateway lets through, and says it in
// words. Not part of the client proper: to be imported when somebody asks. What it calls dead
// the client does not use: it asks for the same proofs, within the same times.
import { ask, askOnce, askPoll, isLuck, lookBehind, now, takeError, takeHead, takeRefusal,
	tryTwice } from './ask.js';
import { toBase } from './base.js';
import { LIMIT_MS } from './explain.js';
import { gates } from './gates.js';
import { times } from './policy.js';
import { createKey, getSlack, parse } from './transports/request.js';
import { judge } from './verdict.js';

export { judge, writeReport } from './verdict.js';

/** @typedef {import('./ask.js').Init} Init */
/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** @typedef {object} Options
 * @property {any} [WebSocket] where there is none; its error events may say `status`, and
 * 	`connect` if that was a proxy's to CONNECT, else `code` and the certificate's `issuer`, as
 * 	the errors of `fetch` may
 * @property {typeof globalThis.fetch} [fetch]
 * @property {string} [token] sent in the header Authorization
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [patient] finds out after which silence connections are cut: a minute */

const PATIENCE_MS = 8000; // for a poll where nothing is answered: a client waits much longer
const TURN_MS = 300;
const MARK_MS = 2000; // the client waits less
const HOLD_S = 2;
const LARGE = 'x'.repeat(4200); // as the client's
const IDLE_S = 60; // the longest heartbeat there is
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export async function diagnose(url, { WebSocket = globalThis.WebSocket, fetch, token, params, patient } = {}) {
	const base = toBase(url);
	const channel = `diagnose.${createKey()}`;
	/** @type {Way} */
	const way = {
		WebSocket, token, channel, heard: false, fails: false, echoes: false,
		fetch: fetch ?? globalThis.fetch.bind(globalThis),
		headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
		url(path, more) {
			const made = new URL(path, base);
			const delivers = path in { ws: 0, sse: 0, stream: 0, poll: 0 };
			for (const [name, value] of Object.entries({ ...params, ...delivers && { channels: channel }, n: createKey(), ...more }))
				if (value !== undefined)
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
	const readGateway = (/** @type {string} */ text) => parse(text).transports;
	const gateway = ask(way, 'transports', {}, readGateway)
		.then((answer) => lookBehind(way, answer, 'transports', readGateway));
	const head = ask(way, 'probe/head', { headers: { 'Last-Event-ID': 'probe' } }, (text) => Array.isArray(parse(text).headers) ? parse(text) : undefined);
	const [, websocket, short, echo] = await inTurn([() => Promise.all([gateway, head]),
		() => tryWebSocket(way), () => tryShortPolls(way), () => ask(way, ...echoOf(LARGE))]);
	const polls = short.then((answers) => tryHeldPoll(way, answers));
	await sleep(0); // it first: where one connection passes, a stream keeps it
	const [sse, stream] = await inTurn([(heard) => tryStream(way, 'sse', heard), (heard) => tryStream(way, 'stream', heard)]);
	return { url, token: way.token !== undefined, gateway: await gateway, head: await head, websocket: await websocket,
		sse: await sse, stream: await stream, echo: await echo, ...await polls };
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

/** What is sent comes back.
 * @param {string} [text]
 * @returns {[string, Init, (text: string) => any]} */
function echoOf(text = '') {
	const body = createKey() + text;
	return ['probe/echo', { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body },
		(answer) => answer === body || undefined];
}

/** A cache shows with the second.
 * @param {Way} way
 * @returns {Promise<Pick<Facts, 'poll' | 'repeat'>>} */
async function tryShortPolls(way) {
	const poll = await tryTwice(() => askPoll(way, { patience: PATIENCE_MS }));
	const again = () => askPoll(way, { since: poll.value });
	return { poll, repeat: isPrompt(poll) ? await tryTwice(again) : undefined };
}

/** @param {Answer} poll */
function isPrompt({ good, ms }) {
	return good && ms <= LIMIT_MS;
}

/** @param {Way} way @param {Pick<Facts, 'poll' | 'repeat'>} short
 * @returns {Promise<Pick<Facts, 'poll' | 'repeat' | 'longpoll' | 'post'>>} */
async function tryHeldPoll(way, { poll, repeat }) {
	const hold = HOLD_S * 1000;
	if (!isPrompt(poll))
		return { poll, longpoll: { ...poll, hold } };
	const since = poll.value;
	const limit = hold + Math.max(2500, 3 * poll.ms);
	const held = await tryTwice(() => askPoll(way, { wait: HOLD_S, since, limit }));
	const isCached = [poll, repeat, held].some((answer) => answer?.stale);
	const told = held.good ? undefined : await tryToldPoll(way, poll);
	return { poll, repeat, longpoll: { ...held, hold, told },
		post: isCached ? await tryTwice(() => askPoll(way, { method: 'POST', since })) : undefined };
}

/** Held answers do not come: do they when there is a message?
 * @param {Way} way @param {Answer} poll
 * @returns {Promise<Answer>} */
async function tryToldPoll(way, { ms, value }) {
	const limit = 1000 + getSlack(ms);
	const answer = askPoll(way, { wait: 1, since: value, limit });
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
		if (!response.ok)
			takeRefusal(facts, await response.text());
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
				if (object && typeof object.type !== 'string' && typeof object.id !== 'string')
					facts.foreign = true;
				way.echoes ||= object && object.limits !== undefined;
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
	const choose = (/** @type {StreamFacts} */ facts) =>
		[facts, facts.echo, facts.next].find((answer) => answer && isLuck(answer)) ?? facts;
	const first = await tryTwice(() => tryStreamOnce(way, path, heard), choose);
	const { open = 0, mark = Infinity } = first;
	if (way.fails && first.next?.open !== undefined) { // three requests, which may have been lucky
		const second = await tryStreamOnce(way, path, heard);
		return isLuck(choose(second)) ? second : first;
	}
	if (mark - open >= times.apart || mark > times.heap)
		return first;
	const second = await tryStreamOnce(way, path, heard); // this program may have been busy
	return second.mark !== undefined && second.mark - (second.open ?? 0) >= times.apart ? second : first;
}

/** All that the client does before it trusts a stream: beside it something is sent, and when
 * it has proved itself another one takes its place. A mark that the client no longer waits for
 * is waited for here, since late is not lost.
 * @param {Way} way @param {'sse' | 'stream'} path @param {() => void} heard
 * @returns {Promise<StreamFacts>} */
async function tryStreamOnce(way, path, heard) {
	const [[, toOpen], , [, toEcho]] = gates[path];
	/** @type {Partial<StreamFacts>} */
	const seen = {};
	const params = { probe: createKey(), heartbeat: IDLE_S };
	const read = readStream(way, path, params, toOpen, async ({ type, reason }, ms, wait) => {
		heard();
		if (type === 'open' || type === 'mark')
			seen[/** @type {'open' | 'mark'} */ (type)] ??= ms;
		seen.bye = type === 'bye' ? reason : undefined;
		wait(type === 'mark' ? undefined : MARK_MS);
		if (type !== 'mark')
			return type === 'bye';
		seen.echo = await echo;
		if (seen.echo.good)
			seen.next = await openAnother(way, path);
		return true;
	});
	const echo = askOnce(way, ...echoOf(), toEcho);
	return { ...await read, ...seen };
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<StreamFacts>} */
async function openAnother(way, path) {
	/** @type {number | undefined} */
	let open;
	const facts = await readStream(way, path, { heartbeat: IDLE_S }, LIMIT_MS / 2, ({ type }, ms) => {
		open = type === 'open' ? ms : undefined;
		return type === 'open';
	});
	return { ...facts, open };
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
	const wasLuck = handshake === undefined && ended !== undefined && status >= 500 && !connect;
	const facts = wasLuck ? await open() : first;
	clearTimeout(timer);
	if (facts.large !== undefined)
		return wasLuck ? { ...facts, before: first } : facts;
	const { value } = await ask(way, 'probe/seen', { params: { nonce } }, (text) => parse(text).seen, LIMIT_MS / 2);
	facts.seen = value;
	if (facts.handshake === undefined && (value ?? 'nothing') === 'nothing')
		facts.plain = await askPlain();
	return facts;
}

/** @param {Way} way @param {object} params */
function createSocket({ WebSocket, url, token }, params) {
	return new WebSocket(url('ws', { ...token !== undefined && { token }, ...params }).replace(/^http/, 'ws'));
}

/** What the client no longer waits for is waited for here, since late is not lost.
 * @param {Way} way @param {string} nonce @param {() => void} onHandshake
 * @returns {Promise<WebSocketFacts>} */
async function openWebSocket(way, nonce, onHandshake) {
	const began = now();
	/** @type {WebSocketFacts} */
	const facts = { ms: 0 };
	const socket = createSocket(way, { probe: nonce });
	await new Promise((done) => {
		/** @type {ReturnType<typeof setTimeout>} */
		let timer;
		const wait = () => {
			clearTimeout(timer);
			timer = setTimeout(done, LIMIT_MS);
		};
		wait();
		socket.onopen = () => {
			way.heard = true;
			facts.handshake = now() - began;
			onHandshake();
			wait();
			for (const data of ['small', LARGE])
				socket.send(JSON.stringify({ type: 'ping', data }));
		};
		socket.onmessage = (/** @type {{ data: any }} */ { data }) => {
			const { type, data: echoed, reason, limits } = parse(data);
			const at = now() - began;
			if (type === 'open') {
				facts.open ??= at;
				way.echoes ||= limits !== undefined;
				wait();
			} else if (type === 'bye')
				facts.bye = reason;
			else if (facts.open === undefined)
				facts.foreign = true;
			else if (type === 'pong' && echoed === 'small') {
				facts.small ??= at;
				wait();
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
	if (longpoll.good && !longpoll.stale)
		watched.longpoll = watchPoll(way, longpoll.value);
	return Object.fromEntries(await Promise.all(Object.entries(watched).map(async ([name, promise]) => [name, await promise])));
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<IdleFacts>} */
async function watchStream(way, path) {
	const began = now();
	let last = began;
	let beat = false;
	const limit = (IDLE_S + 4) * 1000;
	const { silent } = await readStream(way, path, { heartbeat: IDLE_S }, limit, ({ type }) => {
		beat = type === 'heartbeat';
		last = beat ? last : now();
		return beat;
	});
	const watched = now() - began;
	return beat ? { watched } : { watched, silent, cut: silent ? undefined : now() - last };
}

/** @param {Way} way
 * @returns {Promise<IdleFacts>} */
async function watchSocket(way) {
	const began = now();
	const socket = createSocket(way, { heartbeat: IDLE_S });
	let last = began;
	let beat = false;
	let silent = false;
	await new Promise((done) => {
		const timer = setTimeout(() => done(silent = true), (IDLE_S + 4) * 1000);
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
	return beat ? { watched } : { watched, silent, cut: silent ? undefined : now() - last };
}

/** @param {Way} way @param {string} since
 * @returns {Promise<IdleFacts>} */
async function watchPoll(way, since) {
	const began = now();
	const { good, status, ours, silent } = await askPoll(way, { wait: 55, since, limit: 62000 });
	const watched = now() - began;
	return good && ours ? { watched } : { watched, silent, cut: silent ? undefined : watched, status };
}
