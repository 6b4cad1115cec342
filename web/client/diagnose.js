// Finds out in about three seconds what the path to a gateway lets through, and says it in
// words. Not part of the client proper: to be imported when somebody asks. What it calls dead
// the client does not use: it asks for the same proofs, within the same times.
import { IDLE_S, Silence, ask, askOnce, askPoll, isLuck, lookBehind, now, takeError, takeHead,
	takeRefusal, tryTwice } from './ask.js';
import { toBase } from './base.js';
import { tryWebSocket, watchSocket } from './diagnose_socket.js';
import { LIMIT_MS } from './explain.js';
import { gates } from './gates.js';
import { times } from './policy.js';
import { createKey, getSlack, parse } from './transports/request.js';
import { LARGE } from './transports/websocket.js';
import { judge } from './verdict.js';

export { judge, writeReport } from './verdict.js';

/** @typedef {import('./ask.js').Init} Init */
/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */

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
const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export async function diagnose(url, options = {}) {
	const { WebSocket = globalThis.WebSocket, fetch, token, params, patient } = options;
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
			const own = { ...delivers && { channels: channel }, n: createKey() };
			for (const [name, value] of Object.entries({ ...params, ...own, ...more }))
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
	const readHead = (/** @type {string} */ text) =>
		Array.isArray(parse(text).headers) ? parse(text) : undefined;
	const head = ask(way, 'probe/head', { headers: { 'Last-Event-ID': 'probe' } }, readHead);
	const [, websocket, short, echo] = await inTurn([() => Promise.all([gateway, head]),
		() => tryWebSocket(way), () => tryShortPolls(way), () => ask(way, ...echoOf(LARGE))]);
	const polls = short.then((answers) => tryHeldPoll(way, answers));
	await sleep(0); // it first: where one connection passes, a stream keeps it
	const [sse, stream] = await inTurn([(heard) => tryStream(way, 'sse', heard),
		(heard) => tryStream(way, 'stream', heard)]);
	return { url, token: way.token !== undefined, gateway: await gateway, head: await head,
		websocket: await websocket, sse: await sse, stream: await stream, echo: await echo,
		...await polls };
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
	const headers = { 'Content-Type': 'application/octet-stream' };
	return ['probe/echo', { method: 'POST', headers, body },
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
	const post = isCached ? await tryTwice(() => askPoll(way, { method: 'POST', since })) :
		undefined;
	return { poll, repeat, longpoll: { ...held, hold, told }, post };
}

/** Held answers do not come: do they when there is a message?
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

/* ---- streams ---- */

/** Takes an object of a stream, `ms` after the request; true: the stream has shown enough. `wait`
 * sets another limit from now on, or none.
 * @typedef {(object: any, ms: number, wait: (ms: number | undefined) => void) =>
 * 	boolean | Promise<boolean>} Take */

/** Reads the objects of a stream until `take` returns true, the time is over, or it ends.
 * @param {Way} way @param {string} path @param {object} params @param {number} limit ms
 * @param {Take} take
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
		const url = way.url(path, params);
		const { signal } = abort;
		const { headers } = way;
		const response = await way.fetch(url, { cache: 'no-store', signal, headers });
		way.heard = true;
		takeHead(facts, response, began);
		if (response.ok)
			await readObjects(way, path, response, facts,
				(object, at) => take(object, at - began, wait));
		else
			takeRefusal(facts, await response.text());
	} catch (error) {
		takeError(facts, error, began);
	}
	if (facts.cut)
		facts.ended = now() - began;
	wait(undefined);
	abort.abort();
	return facts;
}

/** @param {Way} way @param {string} path @param {Response} response @param {StreamFacts} facts
 * @param {(object: any, at: number) => boolean | Promise<boolean>} take */
async function readObjects(way, path, response, facts, take) {
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
	const { open: opened = 0, mark: marked = -Infinity } = second;
	return marked - opened >= times.apart ? second : first;
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
	const params = { heartbeat: IDLE_S };
	const facts = await readStream(way, path, params, LIMIT_MS / 2, ({ type }, ms) => {
		open = type === 'open' ? ms : undefined;
		return type === 'open';
	});
	return { ...facts, open };
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
	const all = Object.entries(watched).map(async ([name, facts]) => [name, await facts]);
	return Object.fromEntries(await Promise.all(all));
}

/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<IdleFacts>} */
async function watchStream(way, path) {
	const silence = new Silence();
	const { silent } = await readStream(way, path, { heartbeat: IDLE_S }, (IDLE_S + 4) * 1000,
		({ type }) => silence.take(type));
	return silence.conclude(silent);
}

/** @param {Way} way @param {string} since
 * @returns {Promise<IdleFacts>} */
async function watchPoll(way, since) {
	const began = now();
	const { good, status, ours, silent } = await askPoll(way, { wait: 55, since, limit: 62000 });
	const watched = now() - began;
	const cut = silent ? undefined : watched;
	return good && ours ? { watched } : { watched, silent, cut, status };
}
