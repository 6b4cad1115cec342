// Judges what lies between a client and its gateway, in words for the people who run the network.
// Pure: it makes a verdict from what the probes saw (diagnose.js). A transport that the client does
// not use is dead.
import { list } from './evidence.js';
import { BETWEEN, LIMIT_MS, UNMARKED, explain, explainBye, isNoAccess, isUnreadable, limitOf,
	time, titles } from './explain.js';
import { findObstacle } from './explain_socket.js';
import { times } from './policy.js';
import { isRefusal } from './source.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** What the probe of the WebSocket saw. All times are ms since the request.
 * @typedef {object} WebSocketFacts
 * @property {'browser' | 'program' | string} [missing] the program that has no WebSocket
 * @property {number} [handshake] when the handshake was complete
 * @property {number} [open] when the gateway's first frame arrived
 * @property {number} [small] when the answer to a small frame arrived
 * @property {number} [large] when the answer to a frame of 4 KB arrived
 * @property {boolean} [foreign] something arrived that the gateway did not send
 * @property {number} [ended] when the connection ended
 * @property {number} [status] of the refusal, if it can be seen
 * @property {boolean} [connect] the status is a proxy's answer to CONNECT
 * @property {string} [error] the connection's error code
 * @property {string} [bye] why the gateway ended the connection (PROTOCOL.md, ends)
 * @property {number} ms how long the probe took
 * @property {string} [seen] what the gateway saw of the upgrade (PROTOCOL.md, probing)
 * @property {Answer} [plain] to the same request without an upgrade
 * @property {WebSocketFacts} [before] the first try, which failed */
/** What the probe of a stream saw. missing: the program that cannot read streams; open, mark,
 * ended: ms since the request; foreign: something arrived that the gateway did not send; bye: why
 * the gateway ended the stream; echo: the answer to a POST beside the stream; next: the stream that
 * takes its place.
 * @typedef {Answer & { missing?: string, open?: number, mark?: number, foreign?: boolean,
 * 	ended?: number, bye?: string, echo?: Answer,
 * 	next?: Answer & { open?: number } }} StreamFacts */
/** A held poll. hold: ms; told: the answer to another held poll, which a message ended early.
 * @typedef {Answer & { hold: number, told?: Answer }} HeldFacts */
/** A connection that was left idle. cut: ms of silence after which it ended; silent: it did not
 * end, but nothing arrived; status: of the poll's answer; watched: ms.
 * @typedef {{ cut?: number, silent?: boolean, status?: number, watched: number }} IdleFacts */
/** All that the probes saw.
 * @typedef {object} Facts
 * @property {string} url of the gateway
 * @property {string} [via] a forward proxy
 * @property {boolean} [token] the requests carry a token
 * @property {number} [delay] ms until the answer on a connection made earlier
 * @property {Answer} gateway to GET /transports
 * @property {Answer} head to GET /probe/head
 * @property {WebSocketFacts} websocket
 * @property {StreamFacts} sse
 * @property {StreamFacts} stream
 * @property {Answer} poll to a short poll
 * @property {Answer} [repeat] to a second short poll
 * @property {HeldFacts} longpoll
 * @property {Answer} [post] to a poll by POST, asked if a cache answers polls by GET
 * @property {Answer} echo to a POST of 4 KB
 * @property {Record<string, IdleFacts>} [idle] by transport */
/** works: the client uses it; degraded: the client uses it, and it has a flaw; dead: it does not.
 * @typedef {'works' | 'degraded' | 'dead'} State */
/** why: what is wrong and who does it, '' for nothing.
 * @typedef {{ state: State, why: string }} Judgement */
/** One observation: what was asked, what came back, after how many ms.
 * @typedef {{ what: string, saw: string, ms: number }} Evidence */
/** verdict: sentences; transports: by name, as TransportName has them.
 * @typedef {{ verdict: string, transports: Record<string, Judgement>,
 * 	evidence: Evidence[] }} Verdict */

const plural = ['sse'];
const SLOW_MS = 300;
const HEARTBEAT_MS = 15000; // a client's own, that of the gateway's default
const HOLD_MS = 25000;

/** @param {string[]} words */
function join(words) {
	return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** @param {string} words */
function capitalise(words) {
	return words[0].toUpperCase() + words.slice(1);
}

/* ---- each transport ---- */

/** @param {Facts} facts
 * @returns {Judgement} */
function judgeWebSocket({ websocket, echo, idle }) {
	const why = findObstacle(websocket, echo);
	if (why)
		return { state: 'dead', why };
	const before = websocket.before && findObstacle(websocket.before, echo);
	if (before)
		return { state: 'degraded', why: `upgrades sometimes fail: ${before}` };
	return judgeIdle(idle?.websocket, HEARTBEAT_MS, 'an idle WebSocket');
}

/** @param {IdleFacts | undefined} idle @param {number} enough ms @param {string} subject
 * @returns {Judgement} */
function judgeIdle(idle, enough, subject) {
	if (idle?.silent)
		return { state: 'works', why: `after a minute of silence ${subject} carries no ` +
			'more data, although neither side closed it (nothing arrived within ' +
			`${time(idle.watched)})` };
	if (idle?.cut === undefined)
		return { state: 'works', why: '' };
	const cut = time(idle.cut);
	return { state: idle.cut <= enough ? 'degraded' : 'works', why: idle.status ?
		`${subject} ends with status ${idle.status} after ${cut}` :
		`a proxy or firewall ${BETWEEN} closes ${subject} after ${cut}` };
}

/* ---- streams ---- */

/** @param {StreamFacts} stream @param {'sse' | 'stream'} name
 * @returns {Judgement} */
function judgeLive(stream, name) {
	const { missing, ms, status, ours, open, mark = Infinity, foreign, silent, ended, encoding,
		bye } = stream;
	const good = open !== undefined || (ours && !foreign);
	const wrong = explain({ ...stream, cut: false, good });
	/** @type {(why: string) => Judgement} */
	const dead = (why) => ({ state: 'dead', why });
	if (missing)
		return dead(`this ${missing} cannot read an answer before it ends`);
	if (status === undefined && silent)
		return dead(`a proxy ${BETWEEN} holds streams back until they end, or drops them ` +
			`(nothing arrives within ${time(ms)})`);
	if (wrong && !(wrong === UNMARKED && name === 'sse')) // an EventSource sees no headers
		return dead(wrong);
	if (bye)
		return dead(explainBye(bye));
	if (foreign)
		return dead(`something ${BETWEEN} inserts bytes into streams`);
	if (open === undefined)
		return dead(`a proxy ${BETWEEN} ` +
			(encoding ? `compresses streams (${encoding}) and thereby holds them back ` :
				'holds streams back ') +
			`(the headers arrive, but no message within ${time(limitOf(name, 'open'))})`);
	if (mark === Infinity)
		return dead(ended !== undefined ?
			`something ${BETWEEN} closes streams after ${time(ended)}` :
			`a proxy ${BETWEEN} holds each message of a stream back until the next one comes`);
	const late = time(open < 1000 ? Math.max(100, roundTo(100, open)) : roundTo(1000, open));
	const heaps = mark - open < times.apart &&
		`a proxy ${BETWEEN} delays streams: messages arrive in groups, up to ${late} late`;
	if (heaps && mark > times.heap)
		return dead(heaps);
	if (mark - open > limitOf(name, 'mark'))
		return dead(`the path is too slow for streams: a message arrives ${time(mark - open)} ` +
			`after the previous one, but the client waits at most ${time(limitOf(name, 'mark'))}`);
	return heaps || wrong ? { state: 'degraded', why: heaps || wrong } : judgeTries(stream);
}

/** @param {number} unit @param {number} ms */
function roundTo(unit, ms) {
	return Math.round(ms / unit) * unit;
}

/** Whether failures may be chance: something got through at a second try, or beside the other
 * stream.
 * @param {Facts} facts @param {'echo' | 'next'} what beside a stream */
function isChance(facts, what) {
	const { gateway, head, websocket, poll, repeat, longpoll, echo, sse, stream } = facts;
	const all = [gateway, head, websocket, poll, repeat, longpoll, echo, sse, stream];
	const isGood = (/** @type {StreamFacts} */ one) =>
		what === 'echo' ? one.echo?.good : one.next?.open !== undefined;
	return all.some((one) => one?.before) || [sse, stream].some(isGood);
}

/** A client needs two things beside a stream: requests, and a second stream that replaces it.
 * @param {Facts} facts @param {StreamFacts} stream
 * @returns {string} the obstacle, '' for none */
function findBeside(facts, { echo, next }) {
	const { echo: alone, poll } = facts;
	const wrong = echo && explain(echo);
	const isEver = isChance(facts, 'echo');
	if (wrong && echo.silent && echo.status === undefined && alone.good && !isEver)
		return `while a stream is open, no other request is answered (within ${time(echo.ms)}; ` +
			'without a stream it is): a proxy may allow too few connections at a time';
	if (wrong && alone.good)
		return isEver ?
			`requests sometimes fail, and a stream needs other requests beside it (${wrong})` :
			`requests fail while a stream is open (${wrong}); without a stream they succeed`;
	if (wrong)
		return wrong === explain(poll) || isNoAccess(echo) ? wrong :
			`publishing by POST fails (${wrong}), and without it the client uses no stream`;
	const lost = next && !next.silent && next.open === undefined &&
		explain({ ...next, good: next.ours });
	if (!lost)
		return '';
	return isChance(facts, 'next') ?
		`streams sometimes fail, and the client needs a second one to replace the first (${lost})` :
		`one request always fails when a stream and other requests run at once (${lost})`;
}

/** @param {Facts} facts @param {'sse' | 'stream'} name
 * @returns {Judgement} */
function judgeStream(facts, name) {
	const live = judgeLive(facts[name], name);
	if (live.state === 'dead') {
		const { status, silent } = facts[name];
		const crowd = status === undefined && silent && facts.sse.echo?.silent &&
			findBeside(facts, facts.sse);
		return crowd ? { state: 'dead', why: crowd } : live;
	}
	const why = findBeside(facts, facts[name]);
	if (why)
		return { state: 'dead', why };
	if (live.state !== 'works')
		return live;
	return publishing(facts, judgeIdle(facts.idle?.[name], HEARTBEAT_MS, 'an idle stream'));
}

/* ---- requests ---- */

/** @param {Answer} answer
 * @returns {Judgement} */
function judgeTries({ before }) {
	if (!before)
		return { state: 'works', why: '' };
	return { state: 'degraded', why: `requests sometimes fail (${explain(before)})` };
}

/** Nothing but a WebSocket publishes without POST.
 * @param {Facts} facts @param {Judgement} judgement
 * @returns {Judgement} */
function publishing({ echo, poll, sse, stream }, judgement) {
	const why = explain(echo);
	/** @type {(why: string) => Judgement} */
	const degraded = (words) => ({ state: 'degraded', why: words });
	if (judgement.state !== 'works' || (why && why === explain(poll)))
		return judgement;
	if (!why && echo.before)
		return degraded(`publishing by POST sometimes fails (${explain(echo.before)})`);
	if (!why)
		return judgement;
	if (isNoAccess(echo))
		return degraded(`publishing is refused: ${why}`);
	if (echo.ours && echo.status === 200 && echo.silent)
		return degraded('the path is slow: a POST of 4 KB does not come back within ' +
			time(LIMIT_MS));
	return degraded(sse.echo?.good || stream.echo?.good ?
		`publishing by POST works for small messages only: a POST of 4 KB fails (${why})` :
		`publishing by POST fails (${why}); receiving works`);
}

/** Whether a cache answers polls; the client then polls by POST.
 * @param {Facts} facts
 * @returns {Judgement | undefined} */
function judgeCache({ poll, repeat, longpoll, post }) {
	const polls = [poll, repeat, longpoll].flatMap((answer) => answer?.good ? [answer] : []);
	const count = polls.filter(({ stale }) => stale).length;
	if (!count || !post)
		return undefined;
	const cache = `a cache on the path gives old answers to polls (${count} of ${polls.length}), ` +
		'although Cache-Control: no-store forbids this';
	const wrong = explain(post);
	if (!wrong && !post.stale)
		return { state: 'degraded', why: `${cache}; the client polls by POST instead` };
	const isFull = polls.slice(1).every(({ stale }) => stale); // the first may have filled it
	const posted = wrong ? `polls by POST fail (${wrong})` : 'polls by POST get old answers too';
	return { state: isFull ? 'dead' : 'degraded',
		why: `${cache}; ${posted}: exclude these requests from the cache` };
}

/** @param {Facts} facts
 * @returns {Judgement} */
function judgeLongpoll(facts) {
	const { longpoll, poll, idle } = facts;
	const wrong = explain(longpoll);
	const isLate = longpoll.silent && longpoll.status === undefined;
	const held = `an answer that the gateway holds for ${time(longpoll.hold)} does not arrive ` +
		(isLate ? `within ${time(longpoll.ms)}` : `(${wrong})`);
	const isAtOnce = longpoll.ms < longpoll.hold / 4 && !isLate;
	if (wrong && longpoll.told?.good && !longpoll.told.stale)
		return { state: 'degraded', why: isAtOnce ? `requests sometimes fail (${wrong})` :
			`${held}; an answer that carries a message earlier does` };
	if (wrong && wrong !== explain(poll) && longpoll.status !== 407)
		return { state: 'dead', why: held };
	if (wrong)
		return { state: 'dead', why: wrong };
	if (getDelay(facts) >= LIMIT_MS)
		return judgePoll(facts);
	const cache = judgeCache(facts);
	if (cache)
		return cache;
	if (longpoll.ms < longpoll.hold * 0.8)
		return { state: 'degraded', why: 'held polls get an early answer, as from a cache' };
	if (longpoll.before)
		return judgeTries(longpoll);
	return publishing(facts, judgeIdle(idle?.longpoll, HOLD_MS, 'a held poll'));
}

/** @param {Facts} facts
 * @returns {Judgement} */
function judgePoll(facts) {
	const { poll } = facts;
	const wrong = explain(poll);
	if (wrong)
		return { state: 'dead', why: wrong };
	if (getDelay(facts) >= LIMIT_MS)
		return { state: 'degraded',
			why: `a new connection gets its first answer after ${time(getDelay(facts))}` };
	return judgeCache(facts) ?? publishing(facts, judgeTries(poll));
}

/** How long a new connection takes to its first answer, as a poll or an earlier request shows.
 * @param {Facts} facts
 * @returns {number} ms, 0 if no poll was answered */
export function getDelay({ poll, delay = 0 }) {
	return poll.good ? Math.max(poll.ms, delay) : 0;
}

/** If a new connection takes so long, the client waits for polls alone.
 * @param {Facts} facts @param {Record<string, Judgement>} transports */
function blameSlowness(facts, transports) {
	const { websocket, sse, stream } = facts;
	const delay = getDelay(facts);
	if (delay < LIMIT_MS)
		return;
	const why = `a new connection gets its first answer after ${time(delay)}, but the client ` +
		`waits at most ${time(LIMIT_MS)}`;
	const { missing, handshake, ended } = websocket;
	const isSilent = {
		websocket: !missing && handshake === undefined && ended === undefined,
		sse: [sse, sse.echo].some(isSilentAnswer),
		stream: [stream, stream.echo].some(isSilentAnswer),
	};
	for (const name of /** @type {const} */ (['websocket', 'sse', 'stream']))
		if (isSilent[name])
			transports[name] = { state: 'dead', why };
}

/** @param {Answer | undefined} answer */
function isSilentAnswer(answer) {
	return answer?.silent && answer.status === undefined;
}

/* ---- all of them ---- */

/** @param {Record<string, Judgement>} transports @param {State} state
 * @returns {Map<string, string[]>} why -> names */
function group(transports, state) {
	const groups = new Map();
	for (const [name, judgement] of Object.entries(transports))
		if (judgement.state === state)
			groups.set(judgement.why, [...groups.get(judgement.why) ?? [], name]);
	return groups;
}

/** @param {string[]} names */
function nameAll(names) {
	return join(names.map((name) => titles[name]));
}

/** @param {string[]} names @param {string} one @param {string} many */
function say(names, one, many) {
	const isMany = names.length > 1 || plural.includes(names[0]);
	return `${nameAll(names)} ${isMany ? many : one}`;
}

/** @param {Facts} facts @param {Record<string, Judgement>} transports */
function write(facts, transports) {
	const names = Object.keys(transports);
	const dead = group(transports, 'dead');
	const usable = names.filter((name) => transports[name].state !== 'dead');
	const good = names.filter((name) => transports[name].state === 'works');
	const sentences = [];
	if (!usable.length && !facts.gateway.ours) {
		const why = explain(facts.poll.silent ? facts.poll : facts.gateway);
		sentences.push(`The gateway cannot be reached: ${why || [...dead.keys()][0]}`);
	} else
		for (const [why, which] of dead)
			sentences.push(`${capitalise(nameAll(which))} cannot work here: ${why}`);
	for (const [why, which] of group(transports, 'degraded'))
		sentences.push(`${capitalise(say(which, 'works', 'work'))} with a flaw: ${why}`);
	for (const [why, which] of group(transports, 'works'))
		if (why)
			sentences.push(`${capitalise(say(which, 'works', 'work'))}, but ${why}`);
	if (!usable.length && facts.gateway.ours)
		sentences.push('No transport works here');
	if (good.length === names.length)
		sentences.unshift('All transports work');
	else if (good.length)
		sentences.push(`${capitalise(say(good, 'works', 'work'))} here`);
	sentences.push(...remark(facts));
	return `${sentences.join('. ')}.`;
}

/** How proxies change the headers of requests, and which of them name themselves.
 * @param {Facts} facts
 * @returns {string[]} */
function remark({ gateway, head, poll, url, token }) {
	const { version, headers } = head.value ?? {};
	const answers = [gateway, head, poll].filter(({ good }) => good);
	const quickest = Math.min(...answers.map(({ ms }) => ms));
	const remarks = quickest >= SLOW_MS && quickest < LIMIT_MS ?
		[`The path is slow: the quickest answer took ${time(quickest)}`] : [];
	if (!headers)
		return remarks;
	/** @param {string} wanted */
	const find = (wanted) =>
		headers.find((/** @type {string[]} */ [name]) => name.toLowerCase() === wanted);
	const names = ['via', 'forwarded', 'x-forwarded-for'].map(find).filter(Boolean)
		.map((/** @type {string[]} */ [name, value]) => value ? `${name}: ${value}` : name);
	if (names.length)
		remarks.push(`Proxies on the path add headers to requests (${names.join('; ')})`);
	if (version === 'HTTP/1.0')
		remarks.push('A proxy sends requests in HTTP/1.0, which has no upgrade');
	const host = find('host')?.[1];
	if (host && host !== new URL(url).host)
		remarks.push(`A proxy changes the request header Host to ${host}`);
	const lost = ['Last-Event-ID', ...token ? ['Authorization'] : []]
		.filter((name) => !find(name.toLowerCase()));
	if (lost.length)
		remarks.push(`A proxy removes the request header ${join(lost)}`);
	return remarks;
}

/* ---- the whole ---- */

/** Fills in answers that show less from one that shows more: a page cannot read some refusals of
 * the gateway. Drops what a cache may have said about another handshake.
 * @param {Facts} facts
 * @returns {Facts} */
export function settle(facts) {
	const { gateway, head, websocket, sse, stream, poll, repeat, longpoll, echo } = facts;
	const refused = [gateway, poll, sse, stream, echo, head].find((answer) =>
		isNoAccess(answer) || isRefusal(answer.code));
	/** @template {Answer} T @param {T} answer
	 * @returns {T} */
	const fill = (answer) => {
		if (!refused || !isUnreadable(answer))
			return answer;
		const { status, code, message } = refused;
		return { ...answer, status, ours: true, code, message };
	};
	/** @param {StreamFacts} live */
	const fillStream = (live) => fill({ ...live, echo: live.echo && fill(live.echo) });
	const isCached = [poll, repeat, longpoll].some((answer) => answer?.stale);
	const isRefused = refused && websocket.handshake === undefined;
	return { ...facts, gateway: fill(gateway), head: fill(head), poll: fill(poll),
		longpoll: fill(longpoll), echo: fill(echo), sse: fillStream(sse),
		stream: fillStream(stream),
		websocket: { ...websocket, seen: isCached ? undefined : websocket.seen,
			plain: isRefused ? refused : websocket.plain } };
}

/** Judges what gather() found.
 * @param {Facts} found
 * @returns {Verdict} */
export function judge(found) {
	const facts = settle(found);
	const transports = { websocket: judgeWebSocket(facts), sse: judgeStream(facts, 'sse'),
		stream: judgeStream(facts, 'stream'), longpoll: judgeLongpoll(facts),
		poll: judgePoll(facts) };
	blameSlowness(facts, transports);
	return { verdict: write(facts, transports), transports, evidence: list(found) };
}

/** The verdict as plain text, ready to be forwarded.
 * @param {string} url of the gateway @param {Verdict} verdict
 * @param {string} [via] the forward proxy, as HOST:PORT
 * @returns {string} lines */
export function writeReport(url, { verdict, transports, evidence }, via) {
	const lines = [`The path to ${url}${via ? ` through ${via}` : ''}`, '', verdict, ''];
	for (const [name, { state, why }] of Object.entries(transports))
		lines.push(`  ${name.padEnd(10)} ${state.padEnd(9)}${why && ` ${why}`}`);
	lines.push('', 'Evidence:');
	for (const { what, saw } of evidence)
		lines.push(`  ${what}: ${saw}`);
	return `${lines.join('\n')}\n`;
}
