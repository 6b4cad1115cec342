// What lies between a client and its gateway, in words that can be forwarded to those who run
// the network. Pure: from what the probes have seen (diagnose.js) to a verdict. Dead is what
// the client does not use.
import { list } from './evidence.js';
import { LIMIT_MS, UNMARKED, explain, explainBye, isNoAccess, isUnreadable, limitOf, time,
	titles } from './explain.js';
import { findObstacle } from './explain_socket.js';
import { times } from './policy.js';
import { isRefusal } from './source.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** missing: in what there is none, `browser` or `program`; ms from the beginning; status: of the
 * refusal, where it can be seen; connect: a proxy's to CONNECT; seen: by the gateway (PROTOCOL.md,
 * probing); plain: to the same without an upgrade; bye: why the gateway ended it.
 * @typedef {{ missing?: string, handshake?: number, open?: number, small?: number, large?: number,
 * 	foreign?: boolean, ended?: number, status?: number, connect?: boolean, error?: string,
 * 	bye?: string, ms: number, seen?: string, plain?: Answer,
 * 	before?: WebSocketFacts }} WebSocketFacts */
/** missing: in what no stream can be read; echo: of what is sent beside it; next: of the stream
 * that takes its place; bye: why the gateway ended it.
 * @typedef {Answer & { missing?: string, open?: number, mark?: number, foreign?: boolean,
 * 	ended?: number, bye?: string, echo?: Answer,
 * 	next?: Answer & { open?: number } }} StreamFacts */
/** hold: ms; told: the answer to another one, for which there was a message.
 * @typedef {Answer & { hold: number, told?: Answer }} HeldFacts */
/** cut: ms of silence after which it ended; silent: it did not end, and nothing came; watched: ms.
 * @typedef {{ cut?: number, silent?: boolean, status?: number, watched: number }} IdleFacts */
/** repeat: to a second short poll; post: to one by POST, where a cache answers those by GET;
 * delay: ms until the answer on a first connection, where one was made before all this.
 * @typedef {{ url: string, via?: string, token?: boolean, delay?: number, gateway: Answer,
 * 	head: Answer,
 * 	websocket: WebSocketFacts, sse: StreamFacts, stream: StreamFacts, poll: Answer, repeat?: Answer,
 * 	longpoll: HeldFacts, post?: Answer, echo: Answer, idle?: Record<string, IdleFacts> }} Facts */
/** @typedef {'works' | 'degraded' | 'dead'} State */
/** @typedef {{ state: State, why: string }} Judgement */
/** @typedef {{ what: string, saw: string, ms: number }} Evidence */
/** @typedef {{ verdict: string, transports: Record<string, Judgement>,
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
		return { state: 'degraded', why: `upgrades fail now and then: ${before}` };
	return judgeIdle(idle?.websocket, HEARTBEAT_MS, 'a socket');
}

/** @param {IdleFacts | undefined} idle @param {number} enough ms @param {string} subject
 * @returns {Judgement} */
function judgeIdle(idle, enough, subject) {
	if (idle?.silent)
		return { state: 'works', why: `${subject} that was silent for a minute carries nothing ` +
			'any more, and nobody ended it (its next sign of life did not come within ' +
			`${time(idle.watched)})` };
	if (idle?.cut === undefined)
		return { state: 'works', why: '' };
	const how = idle.status ? `with status ${idle.status}` : 'of silence';
	return { state: idle.cut <= enough ? 'degraded' : 'works',
		why: `${subject} is cut after ${time(idle.cut)} ${how}` };
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
		return dead(`this ${missing} cannot read an answer before its end`);
	if (status === undefined && silent)
		return dead('a proxy between you and the gateway holds streams back until they end, or ' +
			`swallows them (nothing arrives within ${time(ms)})`);
	if (wrong && !(wrong === UNMARKED && name === 'sse')) // an EventSource sees no headers
		return dead(wrong);
	if (bye)
		return dead(explainBye(bye));
	if (foreign)
		return dead('something between puts bytes of its own into streams');
	if (open === undefined)
		return dead('a proxy between you and the gateway ' +
			(encoding ? `compresses streams (${encoding}) and thereby holds them back ` :
				'holds streams back ') +
			`(their head arrives, what they carry does not within ${time(limitOf(name, 'open'))})`);
	if (mark === Infinity)
		return dead(ended !== undefined ? `streams are cut after ${time(ended)}` :
			'a proxy between you and the gateway delays streams by one: each message arrives ' +
			'with the next');
	const late = time(open < 1000 ? Math.max(100, roundTo(100, open)) : roundTo(1000, open));
	const heaps = mark - open < times.apart && 'a proxy between you and the gateway delays ' +
		`streams: they arrive in heaps, up to ${late} late`;
	if (heaps && mark > times.heap)
		return dead(heaps);
	if (mark - open > limitOf(name, 'mark'))
		return dead(`the path is too slow for streams: a message comes ${time(mark - open)} ` +
			`after the one before, and the client waits ${time(limitOf(name, 'mark'))} for it`);
	return heaps || wrong ? { state: 'degraded', why: heaps || wrong } : judgeTries(stream);
}

/** @param {number} unit @param {number} ms */
function roundTo(unit, ms) {
	return Math.round(ms / unit) * unit;
}

/** Something got through at a second try, or this beside the other stream: bad luck, it may be.
 * @param {Facts} facts @param {'echo' | 'next'} what beside a stream */
function isChance(facts, what) {
	const { gateway, head, websocket, poll, repeat, longpoll, echo, sse, stream } = facts;
	const all = [gateway, head, websocket, poll, repeat, longpoll, echo, sse, stream];
	const isGood = (/** @type {StreamFacts} */ one) =>
		what === 'echo' ? one.echo?.good : one.next?.open !== undefined;
	return all.some((one) => one?.before) || [sse, stream].some(isGood);
}

/** What a client needs beside a stream: to send, and to have another stream take its place.
 * @param {Facts} facts @param {StreamFacts} stream
 * @returns {string} what is in the way, '' for nothing */
function findBeside(facts, { echo, next }) {
	const { echo: alone, poll } = facts;
	const wrong = echo && explain(echo);
	const isEver = isChance(facts, 'echo');
	if (wrong && echo.silent && echo.status === undefined && alone.good && !isEver)
		return 'while a stream is open, nothing else gets through (what is sent beside it is not ' +
			`answered within ${time(echo.ms)}, by itself it is), as where few connections are ` +
			'let through at a time';
	if (wrong && alone.good)
		return isEver ?
			`requests fail now and then, and a stream wants another one beside it (${wrong})` :
			`whatever is sent beside a stream fails (${wrong}), by itself it gets through`;
	if (wrong)
		return wrong === explain(poll) || isNoAccess(echo) ? wrong :
			`publishing by POST does not get through (${wrong}), without which streams are of ` +
			'no use';
	const lost = next && !next.silent && next.open === undefined &&
		explain({ ...next, good: next.ours });
	if (!lost)
		return '';
	return isChance(facts, 'next') ?
		`streams fail now and then, and one has to take the place of another (${lost})` :
		`of a stream and the requests beside it, one always fails (${lost})`;
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
	return publishing(facts, judgeIdle(facts.idle?.[name], HEARTBEAT_MS, 'a stream'));
}

/* ---- requests ---- */

/** @param {Answer} answer
 * @returns {Judgement} */
function judgeTries({ before }) {
	if (!before)
		return { state: 'works', why: '' };
	return { state: 'degraded', why: `requests fail now and then (${explain(before)})` };
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
		return degraded(`publishing by POST fails now and then (${explain(echo.before)})`);
	if (!why)
		return judgement;
	if (isNoAccess(echo))
		return degraded(`publishing is refused: ${why}`);
	if (echo.ours && echo.status === 200 && echo.silent)
		return degraded('the way is slow: 4 KB that were sent do not come back within ' +
			time(LIMIT_MS));
	return degraded(sse.echo?.good || stream.echo?.good ?
		`what is published by POST must be small: 4 KB do not get through (${why})` :
		`publishing by POST does not get through (${why}), receiving does`);
}

/** A cache that answers polls: what a client polls by POST it has to let through.
 * @param {Facts} facts
 * @returns {Judgement | undefined} */
function judgeCache({ poll, repeat, longpoll, post }) {
	const polls = [poll, repeat, longpoll].flatMap((answer) => answer?.good ? [answer] : []);
	const count = polls.filter(({ stale }) => stale).length;
	if (!count || !post)
		return undefined;
	const cache = 'a cache on the path answers polls with old answers ' +
		`(${count} of ${polls.length}, although they forbid to store them)`;
	const wrong = explain(post);
	if (!wrong && !post.stale)
		return { state: 'degraded', why: `${cache}; the client polls by POST, which gets through` };
	const isFull = polls.slice(1).every(({ stale }) => stale); // the first may have filled it
	const posted = wrong ? `polls by POST do not get through (${wrong})` : 'those by POST too';
	return { state: isFull ? 'dead' : 'degraded',
		why: `${cache}, and ${posted}: have it leave these requests alone` };
}

/** @param {Facts} facts
 * @returns {Judgement} */
function judgeLongpoll(facts) {
	const { longpoll, poll, idle } = facts;
	const wrong = explain(longpoll);
	const isLate = longpoll.silent && longpoll.status === undefined;
	const held = `an answer that is held for ${time(longpoll.hold)} does not arrive ` +
		(isLate ? `within ${time(longpoll.ms)}` : `(${wrong})`);
	const isAtOnce = longpoll.ms < longpoll.hold / 4 && !isLate;
	if (wrong && longpoll.told?.good && !longpoll.told.stale)
		return { state: 'degraded', why: isAtOnce ? `requests fail now and then (${wrong})` :
			`${held}, one that is given at once, for a message, does` };
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
		return { state: 'degraded', why: 'held polls are answered early, as by a cache' };
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
			why: `a new connection is answered after ${time(getDelay(facts))} only` };
	return judgeCache(facts) ?? publishing(facts, judgeTries(poll));
}

/** How long a new connection takes, where it is told by a poll or by what came before.
 * @param {Facts} facts
 * @returns {number} ms */
export function getDelay({ poll, delay = 0 }) {
	return poll.good ? Math.max(poll.ms, delay) : 0;
}

/** Nothing but a poll is waited for where connections take so long.
 * @param {Facts} facts @param {Record<string, Judgement>} transports */
function blameSlowness(facts, transports) {
	const { websocket, sse, stream } = facts;
	const delay = getDelay(facts);
	if (delay < LIMIT_MS)
		return;
	const why = `a new connection is answered after ${time(delay)} only, and ` +
		`${time(LIMIT_MS)} are the most that is waited for a sign of life`;
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
		sentences.push(`Nothing of the gateway gets through: ${why || [...dead.keys()][0]}`);
	} else
		for (const [why, which] of dead)
			sentences.push(`${capitalise(nameAll(which))} cannot work here: ${why}`);
	for (const [why, which] of group(transports, 'degraded'))
		sentences.push(`${capitalise(say(which, 'works', 'work'))} with a flaw: ${why}`);
	for (const [why, which] of group(transports, 'works'))
		if (why)
			sentences.push(`${capitalise(say(which, 'works', 'work'))}; ${why}`);
	if (!usable.length && facts.gateway.ours)
		sentences.push('No transport is left');
	if (good.length === names.length)
		sentences.unshift('Nothing is in the way of any transport');
	else if (good.length)
		sentences.push(`${capitalise(say(good, 'works', 'work'))} here`);
	sentences.push(...remark(facts));
	return `${sentences.join('. ')}.`;
}

/** What proxies do to the head of a request, and what they call themselves.
 * @param {Facts} facts
 * @returns {string[]} */
function remark({ gateway, head, poll, url, token }) {
	const { version, headers } = head.value ?? {};
	const answers = [gateway, head, poll].filter(({ good }) => good);
	const quickest = Math.min(...answers.map(({ ms }) => ms));
	const remarks = quickest >= SLOW_MS && quickest < LIMIT_MS ?
		[`The way is slow: the quickest answer took ${time(quickest)}`] : [];
	if (!headers)
		return remarks;
	/** @param {string} wanted */
	const find = (wanted) =>
		headers.find((/** @type {string[]} */ [name]) => name.toLowerCase() === wanted);
	const names = ['via', 'forwarded', 'x-forwarded-for'].map(find).filter(Boolean)
		.map((/** @type {string[]} */ [name, value]) => value ? `${name}: ${value}` : name);
	if (names.length)
		remarks.push(`Proxies on the way show in what they add to requests (${names.join('; ')})`);
	if (version === 'HTTP/1.0')
		remarks.push('A proxy asks the gateway in HTTP/1.0, which knows no upgrade');
	const host = find('host')?.[1];
	if (host && host !== new URL(url).host)
		remarks.push(`A proxy changes the Host of requests to ${host}`);
	const lost = ['Last-Event-ID', ...token ? ['Authorization'] : []]
		.filter((name) => !find(name.toLowerCase()));
	if (lost.length)
		remarks.push(`A proxy removes ${join(lost)} from requests`);
	return remarks;
}

/* ---- the whole ---- */

/** What one answer shows holds for those that show less: a page cannot read some refusals of the
 * gateway, and what a cache says of a handshake may be of another one.
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

/** @param {Facts} found
 * @returns {Verdict} */
export function judge(found) {
	const facts = settle(found);
	const transports = { websocket: judgeWebSocket(facts), sse: judgeStream(facts, 'sse'),
		stream: judgeStream(facts, 'stream'), longpoll: judgeLongpoll(facts),
		poll: judgePoll(facts) };
	blameSlowness(facts, transports);
	return { verdict: write(facts, transports), transports, evidence: list(found) };
}

/** The whole as text, to be forwarded.
 * @param {string} url @param {Verdict} verdict @param {string} [via] */
export function writeReport(url, { verdict, transports, evidence }, via) {
	const lines = [`The way to ${url}${via ? ` through ${via}` : ''}`, '', verdict, ''];
	for (const [name, { state, why }] of Object.entries(transports))
		lines.push(`  ${name.padEnd(10)} ${state.padEnd(9)}${why && ` ${why}`}`);
	lines.push('', 'What was seen:');
	for (const { what, saw } of evidence)
		lines.push(`  ${what}: ${saw}`);
	return `${lines.join('\n')}\n`;
}
