// Finds out in about three seconds which transports a path lets through, and explains why others
// fail. Not part of the client proper: import it on demand. It uses the client's gates and times,
// so the client does not use a transport that it calls dead.
import { ask, askOnce, askPoll, echoOf, lookBehind, now, tryTwice } from './ask.js';
import { addQuery, toBase } from './base.js';
import { nameChannels } from './channels.js';
import { tryWebSocket, watchSocket } from './diagnose_socket.js';
import { askTicket, tryStream, watchStream } from './diagnose_stream.js';
import { LIMIT_MS, PROGRAM } from './explain.js';
import { readToken } from './source.js';
import { createKey, getSlack, parse } from './transports/request.js';
import { LARGE } from './transports/websocket.js';
import { judge } from './verdict.js';

export { judge, writeReport } from './verdict.js';

/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */

/** The options of diagnose().
 * @typedef {object} Options
 * @property {any} [WebSocket] the class to use if the platform has none; null: none. Its error
 * 	events may have `status` (with `connect: true` if a proxy answered CONNECT), or `code` and the
 * 	certificate's `issuer`; the errors of `fetch` may have the same
 * @property {typeof globalThis.fetch} [fetch] default: the platform's
 * @property {any} [EventSource] used if fetch cannot read an answer before it ends
 * @property {boolean} [streams] whether fetch can; default: found out
 * @property {string} [channel] the channel to test with; default: a new one
 * @property {import('./source.js').Source} [token] sent in the header Authorization, or by a
 * 	WebSocket in the list of subprotocols; an EventSource has a ticket instead
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [patient] also finds out when the network closes idle connections, which
 * 	takes a minute; default: false */

const PATIENCE_MS = 8000; // for a poll where nothing is answered: a client waits much longer
const TURN_MS = 300;
const HOLD_S = 2;
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** Diagnoses the path to a gateway. Rejects with a TypeError for a wrong URL or token, and with an
 * Error if the token function fails. A gateway that cannot be reached is a verdict, not an error.
 * @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options]
 * @returns {Promise<import('./verdict.js').Verdict>} */
export async function diagnose(url, options = {}) {
	const token = await readToken(options.token);
	const way = { ...createWay(url, { ...options, token }), askTicket };
	const facts = await gather(way);
	if (options.patient)
		facts.idle = await watchIdle(way, facts);
	return judge(facts);
}

/** The settings that all probes share.
 * @param {string | URL} url of the gateway, with its base path
 * @param {Omit<Options, 'token'> & { token?: string }} [options]
 * @returns {Way} */
export function createWay(url, options = {}) {
	const { WebSocket = globalThis.WebSocket, EventSource = globalThis.EventSource, fetch, token,
		params, channel = `diagnose.${createKey()}`, streams = canStream() } = options;
	const base = toBase(url);
	return {
		base: base.href, WebSocket, EventSource, token, channel, streams,
		heard: false, fails: false, echoes: false,
		program: PROGRAM,
		fetch: fetch ?? globalThis.fetch.bind(globalThis),
		headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
		url(path, more) {
			const delivers = path in { ws: 0, sse: 0, stream: 0, poll: 0, ticket: 0 };
			const own = { ...delivers && nameChannels([channel]), n: createKey() };
			return addQuery(new URL(path, base), { ...params, ...own, ...more });
		},
	};
}

/** Whether an answer of fetch can be read as it comes. */
function canStream() {
	return typeof globalThis.ReadableStream === 'function' &&
		typeof globalThis.Response === 'function' && 'body' in globalThis.Response.prototype;
}

/** Probes all transports. judge() makes a verdict of the facts.
 * @param {Way} way
 * @returns {Promise<Facts>} */
export async function gather(way) {
	const readGateway = (/** @type {string} */ text) =>
		parse(text).transports ? parse(text) : undefined;
	const gateway = ask(way, 'transports', {}, readGateway)
		.then((answer) => lookBehind(way, answer, 'transports', readGateway));
	const readHead = (/** @type {string} */ text) =>
		Array.isArray(parse(text).headers) ? parse(text) : undefined;
	const head = ask(way, 'probe/head', { headers: { 'Last-Event-ID': 'probe' } }, readHead);
	const [, websocket, short, echo] = await inTurn([() => Promise.all([gateway, head]),
		() => tryWebSocket(way), () => tryShortPolls(way), () => ask(way, ...echoOf(LARGE))]);
	const polls = short.then((answers) => tryHeldPoll(way, answers));
	await sleep(0); // it first: where one connection passes, a stream keeps it
	const [sse, stream] = await inTurn([(heard) => tryStream(way, 'sse', heard),
		(heard) => tryStream(way, 'stream', heard)]);
	return { url: way.base, token: way.token !== undefined, gateway: await gateway,
		head: await head, websocket: await websocket, sse: await sse, stream: await stream,
		echo: await echo, ...await polls };
}

/** Starts each probe when the one before it has ended, because a path may allow few connections.
 * Does not wait for a probe that got no answer within 300 ms.
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

/** Polls twice: the second poll shows a cache.
 * @param {Way} way
 * @returns {Promise<Pick<Facts, 'poll' | 'repeat'>>} */
async function tryShortPolls(way) {
	const ask = () => tryTwice(() => askPoll(way, { patience: PATIENCE_MS }));
	const first = await ask();
	// Where others were answered, the connection may be what took so long: it is there by now.
	const second = first.silent && first.status === undefined && way.heard ? await ask() : first;
	const poll = second.good ? second : first;
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
	const post = isCached ? await tryTwice(() => askPoll(way, { method: 'POST', since })) :
		undefined;
	return { poll, repeat, longpoll: { ...held, hold, told }, post };
}

/** If held answers do not arrive: does an answer that a message ends early arrive?
 * @param {Way} way @param {Answer} poll
 * @returns {Promise<Answer>} */
async function tryToldPoll(way, { ms, value }) {
	const limit = 1000 + getSlack(ms);
	const answer = askPoll(way, { wait: 1, since: value, limit });
	await sleep(TURN_MS);
	const publish = { method: 'POST', params: { channel: way.channel },
		headers: { 'Content-Type': 'application/json' }, body: '"diagnose"' };
	await askOnce(way, 'publish', publish, (text) => parse(text).id, limit);
	return answer;
}

/* ---- silence ---- */

/** Leaves connections idle for as long as a client might, and sees which ones end.
 * @param {Way} way @param {Facts} facts @param {string[]} [names] of those to be left so
 * @returns {Promise<Record<string, IdleFacts>>} */
export async function watchIdle(way, { websocket, sse, stream, longpoll }, names) {
	/** @type {Record<string, () => Promise<IdleFacts>>} */
	const watches = {};
	if (websocket.open !== undefined && websocket.small !== undefined)
		watches.websocket = () => watchSocket(way);
	if (sse.open !== undefined)
		watches.sse = () => watchStream(way, 'sse');
	if (stream.open !== undefined)
		watches.stream = () => watchStream(way, 'stream');
	if (longpoll.good && !longpoll.stale)
		watches.longpoll = () => watchPoll(way, longpoll.value);
	const all = Object.entries(watches).filter(([name]) => !names || names.includes(name))
		.map(async ([name, watch]) => [name, await watch()]);
	return Object.fromEntries(await Promise.all(all));
}

/** Holds a poll from now on: messages of the diagnosis would end it early.
 * @param {Way} way @param {string} before a cursor, if there is no newer one
 * @returns {Promise<IdleFacts>} */
async function watchPoll(way, before) {
	const { value: since = before } = await askPoll(way, {});
	const began = now();
	const { good, status, ours, silent } = await askPoll(way, { wait: 55, since, limit: 62000 });
	const watched = now() - began;
	const cut = silent ? undefined : watched;
	return good && ours ? { watched } : { watched, silent, cut, status };
}
