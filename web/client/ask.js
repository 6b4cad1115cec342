// The requests of a diagnosis and their answers. Not part of the client proper.
import { parseCursor } from './deliver.js';
import { LIMIT_MS, isUnreadable } from './explain.js';
import { createKey, parse } from './transports/request.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** What the probes of a diagnosis share.
 * @typedef {object} Way
 * @property {string} base the gateway's URL, with a slash at the end
 * @property {any} WebSocket null: none
 * @property {any} EventSource null: none
 * @property {typeof globalThis.fetch} fetch
 * @property {Record<string, string>} headers of every request
 * @property {string} [token]
 * @property {string} channel
 * @property {boolean} heard a request was answered
 * @property {boolean} fails a request failed, perhaps by chance
 * @property {boolean} echoes the gateway puts `n` into answers for one client
 * @property {boolean} streams fetch can read an answer before it ends
 * @property {string} program what this runs in: `browser` or `program`
 * @property {(path: string, params?: object) => string} url
 * @property {typeof import('./diagnose_stream.js').askTicket} [askTicket] absent: no token */
/** patience: ms to wait while no request at all was answered.
 * @typedef {RequestInit & { params?: object, patience?: number }} Init */
/** A poll. wait: s; limit: ms; take: gets an answer that is fresh; signal: ends the poll.
 * @typedef {{ method?: string, wait?: number, since?: string, patience?: number,
 * 	limit?: number, take?: (object: any) => void, signal?: AbortSignal }} PollInit */

export const now = () => performance.now();
export const IDLE_S = 60; // the longest heartbeat there is
const LARGE_ENOUGH = 600; // characters of an error's message

/** @param {Way} way @param {string} path @param {Init} init
 * @param {(text: string) => any} read what is not the gateway's becomes undefined
 * @param {number} [limit] ms
 * @returns {Promise<Answer>} */
export function ask(way, path, init, read, limit) {
	return tryTwice(() => askOnce(way, path, init, read, limit));
}

/** Whether a failure may be chance: it came at once, and no server refused on purpose.
 * @param {Answer} answer */
export function isLuck({ status, silent, ours }) {
	return status === undefined ? !silent : !ours && status >= 500;
}

/** @template {Answer} T
 * @param {() => Promise<T>} run
 * @param {(answer: T) => Answer} [choose] the part that may have failed by chance
 * @returns {Promise<T>} with `before` if only the second try succeeded, `again` if none did */
export async function tryTwice(run, choose = (answer) => answer) {
	const first = await run();
	const before = choose(first);
	if (!isLuck(before))
		return first;
	const second = await run();
	const after = choose(second);
	return after.ours ? { ...second, before } : { ...first, again: after };
}

/** @param {Way} way @param {string} path @param {Init} given
 * @param {(text: string) => any} read @param {number} [limit] ms
 * @returns {Promise<Answer>} */
export async function askOnce(way, path, given, read, limit = LIMIT_MS) {
	const { params, patience = 0, ...init } = given;
	const { fetch, url, headers } = way;
	const began = now();
	const abort = new AbortController();
	const end = () => abort.abort();
	init.signal?.addEventListener('abort', end);
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
		const response = await fetch(url(path, params), { cache: 'no-store', ...init,
			signal: abort.signal, headers: { ...headers, ...init.headers } });
		way.heard = true;
		takeHead(answer, response, began);
		const text = await Promise.race([response.text(), late]); // Node 18 reads on after an abort
		answer.value = read(text);
		answer.good = response.ok && answer.value !== undefined;
		takeRefusal(answer, text);
	} catch (error) {
		takeError(answer, error, began);
	}
	clearTimeout(timer);
	init.signal?.removeEventListener('abort', end);
	way.fails ||= isLuck(answer);
	return answer;
}

/** @param {Answer} answer @param {Response} response @param {number} began */
export function takeHead(answer, response, began) {
	answer.ms = now() - began;
	answer.status = response.status;
	answer.ours = response.headers.get('Sluice') !== null;
	answer.type = response.headers.get('Content-Type')?.split(';')[0] ?? '';
	answer.encoding = response.headers.get('Content-Encoding') ?? undefined;
}

/** @param {Answer} answer @param {string} text of it */
export function takeRefusal(answer, text) {
	const { error } = answer.ours ? parse(text) : /** @type {any} */ ({});
	answer.code = error?.code;
	answer.message = error?.message?.slice(0, LARGE_ENOUGH);
}

/** @param {Answer} answer @param {any} error @param {number} began */
export function takeError(answer, error, began) {
	answer.cut = answer.status !== undefined && !answer.silent;
	if (answer.status === undefined)
		answer.ms = now() - began;
	if (answer.silent)
		return;
	const { code, issuer, connect, status } = error?.cause ?? error ?? {};
	Object.assign(answer, { error: code, issuer, connect, refused: connect ? status : undefined });
}

/** A page may not read an answer: does the gateway refuse, or does another server answer? Asks
 * without headers, which make a browser send a preflight request first.
 * @param {Way} way @param {Answer} answer to that path @param {string} path
 * @param {(text: string) => any} read
 * @returns {Promise<Answer>} */
export async function lookBehind(way, answer, path, read) {
	if (!globalThis.location || !isUnreadable(answer))
		return answer;
	const plain = { ...way, headers: {} };
	const second = await askOnce(plain, path, {}, read);
	if (!isUnreadable(second))
		return second;
	const { status } = await askOnce(plain, path, { mode: 'no-cors' }, read);
	return { ...answer, opaque: status !== undefined };
}

/** Watches a connection that is left idle. */
export class Silence {
	#began = now();
	#last = this.#began; // when something came
	#beat = false;

	/** @param {string} type of an object that came
	 * @returns {boolean} it is the heartbeat: the silence is over */
	take(type) {
		this.#beat = type === 'heartbeat';
		if (!this.#beat)
			this.#last = now();
		return this.#beat;
	}

	/** The connection has ended.
	 * @param {boolean} [silent] the heartbeat did not come in time
	 * @returns {import('./verdict.js').IdleFacts} */
	conclude(silent) {
		const watched = now() - this.#began;
		const cut = silent ? undefined : now() - this.#last;
		return this.#beat ? { watched } : { watched, silent, cut };
	}
}

/** A POST whose answer is its body.
 * @param {string} [text]
 * @returns {[string, Init, (text: string) => any]} */
export function echoOf(text = '') {
	const body = createKey() + text;
	const headers = { 'Content-Type': 'application/octet-stream' };
	return ['probe/echo', { method: 'POST', headers, body },
		(answer) => answer === body || undefined];
}

/* ---- polls ---- */

/** Its value is the cursor.
 * @param {Way} way @param {PollInit} init
 * @returns {Promise<Answer>} */
export async function askPoll(way, { method, wait = 0, since, patience, limit, take, signal }) {
	const n = createKey();
	let stale = false;
	const read = (/** @type {string} */ text) => {
		const object = parse(text);
		way.echoes ||= object.limits !== undefined;
		stale = isStale(object, { n, since, channel: wait ? way.channel : undefined }, way.echoes);
		if (typeof object.cursor !== 'string')
			return undefined;
		if (!stale)
			take?.(object);
		return object.cursor;
	};
	const params = { wait, since, n };
	const answer = await askOnce(way, 'poll', { method, patience, params, signal }, read, limit);
	return answer.good && stale ? { ...answer, stale } : answer;
}

/** Whether an answer belongs to another request: its `n` is another one, or its position is older.
 * An answer to a held poll may go to all clients that wait for its messages, and has no `n` then.
 * @param {any} object
 * @param {{ n: string, since?: string, channel?: string }} asked channel: of a held one
 * @param {boolean} echoes the gateway puts `n` into other answers */
export function isStale({ cursor, n, messages = [] }, asked, echoes) {
	const [from, to] = [parseCursor(asked.since), parseCursor(cursor)];
	const moved = from && to && from.epoch === to.epoch ? to.seq - from.seq : 0;
	if (moved < 0 || n !== undefined)
		return moved < 0 || n !== asked.n;
	const isShared = moved > 0 && messages.length > 0 &&
		messages.every((/** @type {any} */ { channel }) => channel === asked.channel);
	return echoes && !isShared;
}
