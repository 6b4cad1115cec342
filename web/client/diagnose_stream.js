// The streams of a diagnosis: which of their steps succeed, and how long a stream may be idle. Not
// part of the client proper.
import { IDLE_S, Silence, askOnce, echoOf, isLuck, now, takeError, takeHead, takeRefusal,
	tryTwice } from './ask.js';
import { LIMIT_MS } from './explain.js';
import { gates } from './gates.js';
import { times } from './policy.js';
import { buyTicket, createKey, parse } from './transports/request.js';

/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */

const MARK_MS = 2000; // the client waits less

/** Gets an object of a stream, `ms` after the request, and returns true if the stream has shown
 * enough. `wait` sets a new limit from now on, or none.
 * @typedef {(object: any, ms: number, wait: (ms: number | undefined) => void) =>
 * 	boolean | Promise<boolean>} Take */

/** Reads the objects of a stream until `take` returns true, the time is over, or it ends.
 * @param {Way} way @param {string} path @param {object} params @param {number} limit ms
 * @param {Take} take @param {AbortSignal} [signal] that ends it
 * @returns {Promise<StreamFacts>} */
export async function readStream(way, path, params, limit, take, signal) {
	const began = now();
	const abort = new AbortController();
	const end = () => abort.abort();
	signal?.addEventListener('abort', end);
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
	const read = way.streams ? readByFetch : readByEvents;
	try {
		await read(way, path, params, { facts, began, signal: abort.signal,
			take: (object, at) => take(object, at - began, wait) });
	} catch (error) {
		takeError(facts, error, began);
	}
	if (facts.cut)
		facts.ended = now() - began;
	wait(undefined);
	signal?.removeEventListener('abort', end);
	abort.abort();
	return facts;
}

/** began: ms; take: an object that came, and when; true: it was the last that is wanted.
 * @typedef {{ facts: StreamFacts, began: number, signal: AbortSignal,
 * 	take: (object: any, at: number) => boolean | Promise<boolean> }} Reading */

/** @param {Way} way @param {string} path @param {object} params @param {Reading} reading */
async function readByFetch(way, path, params, reading) {
	const { facts, began, signal } = reading;
	const { headers } = way;
	const response = await way.fetch(way.url(path, params),
		{ cache: 'no-store', signal, headers });
	way.heard = true;
	takeHead(facts, response, began);
	if (response.ok)
		await readObjects(way, path, response, reading);
	else
		takeRefusal(facts, await response.text());
}

/** A ticket for an EventSource, which cannot send a token. If the gateway refuses the ticket, it
 * refuses the stream.
 * @param {Way} way @param {StreamFacts} facts @param {AbortSignal} signal
 * @returns {Promise<string | undefined>} */
export function askTicket(way, facts, signal) {
	const fetch = (/** @type {any} */ url, /** @type {any} */ init) =>
		way.fetch(url, { ...init, signal, headers: way.headers });
	return buyTicket({ ...way, fetch }).catch((loss) => {
		if (!loss.status)
			throw loss;
		Object.assign(facts, { status: loss.status, ours: true, code: loss.code,
			message: loss.why });
		throw new Error(loss.why);
	});
}

/** An EventSource shows neither status nor head: the gateway is known by its first event.
 * @param {Way} way @param {string} path @param {object} params @param {Reading} reading
 * @returns {Promise<void>} */
async function readByEvents(way, path, params, { facts, began, signal, take }) {
	const ticket = await way.askTicket?.(way, facts, signal);
	const source = new way.EventSource(way.url(path, { ticket, ...params }));
	/** @type {Promise<void>} */
	const over = new Promise((done, fail) => {
		signal.addEventListener('abort', fail);
		source.onerror = fail;
		for (const type of ['message', 'open', 'mark', 'gap', 'heartbeat', 'bye'])
			source.addEventListener(type, async (/** @type {{ data?: string }} */ { data }) => {
				const at = now();
				if (data === undefined) // its own
					return;
				if (facts.status === undefined)
					Object.assign(facts, { ms: at - began, status: 200, ours: true });
				way.heard = true;
				if (await take(parse(data), at))
					done();
			});
	});
	await over.finally(() => source.close());
}

/** @param {Way} way @param {string} path @param {Response} response @param {Reading} reading */
async function readObjects(way, path, response, { facts, take }) {
	const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
	const decoder = new TextDecoder();
	for (let rest = '', done = false; !done;) {
		const read = await reader.read();
		const at = now();
		const lines = (rest + decoder.decode(read.value, { stream: true })).split('\n');
		rest = /** @type {string} */ (lines.pop());
		for (const object of lines.map((line) => readLine(path, line)).filter(Boolean)) {
			facts.foreign ||= typeof object.type !== 'string' && typeof object.id !== 'string';
			way.echoes ||= object.limits !== undefined;
			done ||= await take(object, at);
		}
		facts.cut = read.done && !done;
		done ||= read.done || facts.foreign === true;
	}
}

/** @param {string} path @param {string} line
 * @returns {any} its object, nothing for a line without one */
function readLine(path, line) {
	const text = path === 'sse' ? /^data:(.*)/s.exec(line)?.[1] : line.trim();
	return text && parse(text);
}

/** Open comes at once, the mark 150 ms later, and then nothing that could push them out.
 * @param {Way} way @param {'sse' | 'stream'} path @param {() => void} heard
 * @returns {Promise<StreamFacts>} */
export async function tryStream(way, path, heard) {
	if (!way.streams && (path === 'stream' || !way.EventSource))
		return { ms: 0, missing: way.program };
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
	const { open: opened = 0, mark: marked = -Infinity } = second;
	return marked - opened >= times.apart ? second : first;
}

/** Does all that the client does before it trusts a stream: sends a request beside it, and opens
 * another stream to replace it. Waits longer for the mark than the client does, to tell late from
 * lost.
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
	const params = { heartbeat: IDLE_S };
	const facts = await readStream(way, path, params, LIMIT_MS / 2, ({ type }, ms) => {
		open = type === 'open' ? ms : undefined;
		return type === 'open';
	});
	return { ...facts, open };
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<IdleFacts>} */
export async function watchStream(way, path) {
	const silence = new Silence();
	const { silent } = await readStream(way, path, { heartbeat: IDLE_S }, (IDLE_S + 4) * 1000,
		({ type }) => silence.take(type));
	return silence.conclude(silent);
}

