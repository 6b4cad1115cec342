// What lies between a client and its gateway, in words that can be forwarded to those who run
// the network. Pure: from what the probes have seen (diagnose.js) to a verdict. Dead is what
// the client does not use.
import { gates } from './gates.js';
import { times } from './policy.js';

/** The answer to one request. Without `status` there was none: `silent`, or the connection
 * ended; with it, silent says that its end did not come in time, `cut` that it broke off.
 * ours: it is marked by the gateway; good: its body is what the gateway sends; before: it is
 * that of a second try, after this.
 * @typedef {{ ms: number, status?: number, ours?: boolean, good?: boolean, type?: string, cut?: boolean,
 * 	silent?: boolean, error?: string, message?: string, value?: any, encoding?: string, before?: Answer }} Answer */
/** ms from the beginning; status: of the refusal, where it can be seen; connect: a proxy's to
 * CONNECT; seen: by the gateway (PROTOCOL.md, probing); plain: to the same without an upgrade.
 * @typedef {{ missing?: boolean, handshake?: number, open?: number, small?: number, large?: number,
 * 	foreign?: boolean, ended?: number, status?: number, connect?: boolean, error?: string, ms: number,
 * 	seen?: string, plain?: Answer, before?: WebSocketFacts }} WebSocketFacts */
/** echo: of what is sent beside it; next: of the stream that takes its place.
 * @typedef {Answer & { open?: number, mark?: number, foreign?: boolean, ended?: number, echo?: Answer,
 * 	next?: Answer & { open?: number } }} StreamFacts */
/** hold: ms; told: the answer to another one, for which there was a message.
 * @typedef {Answer & { hold: number, told?: Answer }} HeldFacts */
/** cut: ms of silence after which it ended; watched: ms.
 * @typedef {{ cut?: number, status?: number, watched: number }} IdleFacts */
/** @typedef {{ url: string, via?: string, token?: boolean, gateway: Answer, head: Answer,
 * 	websocket: WebSocketFacts, sse: StreamFacts, stream: StreamFacts, poll: Answer,
 * 	longpoll: HeldFacts, echo: Answer, idle?: Record<string, IdleFacts> }} Facts */
/** @typedef {'works' | 'degraded' | 'dead'} State */
/** @typedef {{ state: State, why: string }} Judgement */
/** @typedef {{ what: string, saw: string, ms: number }} Evidence */
/** @typedef {{ verdict: string, transports: Record<string, Judgement>, evidence: Evidence[] }} Verdict */

const titles = /** @type {Record<string, string>} */ ({ websocket: 'WebSocket', sse: 'Server-Sent Events',
	stream: 'HTTP streaming', longpoll: 'long-polling', poll: 'short polling' });
const plural = ['sse'];
export const LIMIT_MS = gates.sse[0][1]; // for the first sign of anything but a poll
const SLOW_MS = 300;
const HEARTBEAT_MS = 15000; // a client's own, that of the gateway's default
const HOLD_MS = 25000;
const CODES = /** @type {Record<string, string>} */ ({
	ECONNREFUSED: 'the connection is refused: nothing listens there, or it is blocked',
	ECONNRESET: 'the connection is reset without an answer', UND_ERR_SOCKET: 'the connection is closed without an answer',
	ENOTFOUND: 'the gateway\'s name is not known here', EAI_AGAIN: 'the gateway\'s name is not known here' });
const UNMARKED = 'a proxy removes the header Sluice from answers, by which a client knows the gateway';

/** @param {number | undefined} ms */
function time(ms = 0) {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** @param {string[]} words */
function join(words) {
	return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** @param {string} words */
function capitalise(words) {
	return words[0].toUpperCase() + words.slice(1);
}

/* ---- each transport ---- */

/** @param {string} code */
function explainCode(code) {
	if (/CERT|SELF_SIGNED/.test(code))
		return `the certificate is none that is trusted here, as where TLS is intercepted (${code})`;
	return CODES[code] ?? `the connection fails with ${code}`;
}

/** What is wrong with an answer; '' for nothing.
 * @param {Answer} answer */
function explain({ ms, status, ours, good, type = '', cut, silent, error, message }) {
	if (status === undefined)
		return silent ? `nothing is answered within ${time(ms)}` :
			error ? explainCode(error) :
				'no answer comes that this page may read: it is refused, cut off, or given by somebody else';
	if (!ours && good)
		return UNMARKED;
	if (!ours && status === 407)
		return 'a proxy wants a login first (status 407)';
	if (!ours && status < 400)
		return `somebody between answers with something else (status ${status}${type && `, ${type}`})` +
			(type.includes('html') ? ', as a captive portal does' : '');
	if (!ours)
		return `${ms < 1000 ? '' : `after ${time(Math.round(ms / 1000) * 1000)} `}a proxy answers in the gateway's place with status ${status}`;
	if (status >= 400)
		return `the gateway itself refuses it with status ${status}${message ? ` (${message})` : ''}`;
	if (cut)
		return 'the answer breaks off on its way';
	if (silent && !good)
		return 'the answer begins and does not end in time';
	return good ? '' : 'something between you and the gateway changes its answers on their way, as a filter or an advertiser does';
}

/** @param {WebSocketFacts} facts
 * @returns {string} what is in the way, '' for nothing */
function findObstacle({ missing, handshake, open, small, large, foreign, ended, status, connect, error, ms, seen, plain }) {
	const failed = `it failed after ${time(ended ?? ms)}`;
	if (missing)
		return 'this program has no WebSocket';
	if (large !== undefined)
		return '';
	if (open !== undefined && small !== undefined)
		return `a proxy between you and the gateway lets small WebSocket frames pass, but none of 4 KB${ended === undefined ? '' :
			` (the connection ended after ${time(ended)})`}`;
	if (connect)
		return status === 407 ? 'the proxy wants a login first (status 407)' :
			`the proxy refuses a tunnel to the gateway's port (CONNECT was answered with ${status ? `status ${status}` : 'nothing'})`;
	if (seen === 'plain_get' || (status === 426 && seen === undefined))
		return `a proxy between you and the gateway removes the Upgrade header (it answered in ${time(ended ?? ms)} ` +
			`and the gateway ${seen ? 'saw' : 'says that it got'} an ordinary request)`;
	const how = error ? `${CODES[error] ?? error}, ` : '';
	if (handshake === undefined) {
		if (seen?.startsWith('upgraded'))
			return `the gateway accepted the upgrade and its answer did not arrive intact (${how}${failed})`;
		if (plain?.ours && plain.status && plain.status !== 426)
			return `the gateway itself refuses it (${plain.message ?? `status ${plain.status}`})`;
		const saw = seen === 'nothing' ? ' and the gateway saw nothing of it' : '';
		if (plain && !plain.ours)
			return `the gateway's path for WebSocket is blocked, with an upgrade or without (${explain(plain)})`;
		if (status)
			return `a proxy between you and the gateway refuses the upgrade with status ${status} (in ${time(ended ?? ms)}${saw})`;
		return ended === undefined ? `something between you and the gateway swallows the upgrade (nothing came in ${time(ms)}${saw})` :
			`something between you and the gateway refuses the upgrade (${how}in ${time(ended)}${saw})`;
	}
	if (foreign)
		return 'something between you and the gateway puts bytes of its own into the socket';
	if (seen === 'nothing')
		return 'somebody between you and the gateway answers the upgrade in its place (the gateway saw nothing of it)';
	if (ended !== undefined)
		return `a proxy between you and the gateway lets the upgrade pass and ends the connection (after ${time(ended)})`;
	if (open === undefined)
		return 'a proxy between you and the gateway lets the upgrade pass and then nothing from the gateway' +
			(seen === 'upgraded_no_frame' ? ', nor to it' : '');
	return seen === 'upgraded' ? 'a proxy between you and the gateway lets the upgrade pass and loses what the gateway answers' :
		'a proxy between you and the gateway lets the upgrade pass and then nothing of what you send ' +
		'(the gateway saw the upgrade and no frame)';
}

/** @param {Facts} facts
 * @returns {Judgement} */
function judgeWebSocket({ websocket, idle }) {
	const why = findObstacle(websocket);
	if (why)
		return { state: 'dead', why };
	if (websocket.before)
		return { state: 'degraded', why: `upgrades fail now and then: ${findObstacle(websocket.before)}` };
	return judgeIdle(idle?.websocket, HEARTBEAT_MS, 'a socket');
}

/** @param {IdleFacts | undefined} idle @param {number} enough ms @param {string} subject
 * @returns {Judgement} */
function judgeIdle(idle, enough, subject) {
	if (idle?.cut === undefined)
		return { state: 'works', why: '' };
	const words = `${subject} is cut after ${time(idle.cut)}${idle.status ? ` with status ${idle.status}` : ' of silence'}`;
	return { state: idle.cut <= enough ? 'degraded' : 'works', why: words };
}

/** @param {StreamFacts} stream @param {boolean} isNative an EventSource sees no headers
 * @returns {Judgement} */
function judgeLive(stream, isNative) {
	const { ms, status, ours, open, mark = Infinity, foreign, silent, ended, encoding } = stream;
	const wrong = explain({ ...stream, cut: false, good: open !== undefined || (ours && !foreign) });
	/** @type {(why: string) => Judgement} */
	const dead = (why) => ({ state: 'dead', why });
	if (status === undefined && silent)
		return dead(`a proxy between you and the gateway holds streams back until they end, or swallows them (nothing arrives within ${time(ms)})`);
	if (wrong && !(wrong === UNMARKED && isNative))
		return dead(wrong);
	if (foreign)
		return dead('something between puts bytes of its own into streams');
	if (open === undefined)
		return dead(`a proxy between you and the gateway ${encoding ? `compresses streams (${encoding}) and thereby ` : ''}holds ${encoding ? 'them' : 'streams'} back (their head arrives, what they carry does not)`);
	if (mark === Infinity)
		return dead(ended !== undefined ? `streams are cut after ${time(ended)}` :
			'a proxy between you and the gateway delays streams by one: each message arrives with the next');
	const heaps = mark - open < times.apart &&
		`a proxy between you and the gateway delays streams: they arrive in heaps, up to ${time(open < 1000 ? Math.max(100, Math.round(open / 100) * 100) : Math.round(open / 1000) * 1000)} late`;
	if (heaps && mark > times.heap)
		return dead(heaps);
	return heaps || wrong ? { state: 'degraded', why: heaps || wrong } : judgeTries(stream);
}

/** What a client needs beside a stream: to send, and to have another stream take its place.
 * @param {Facts} facts @param {StreamFacts} stream
 * @returns {string} what is in the way, '' for nothing */
function findBeside({ echo: alone, poll, sse, stream }, { echo, next }) {
	const wrong = echo && explain(echo);
	if (wrong && echo.silent && echo.status === undefined && alone.good && !sse.echo?.good && !stream.echo?.good)
		return `while a stream is open, nothing else gets through (what is sent beside it is not answered within ${time(echo.ms)}, ` +
			'by itself it is), as where few connections are let through at a time';
	if (wrong && alone.good)
		return `requests fail now and then, and a stream wants another one beside it (${wrong})`;
	if (wrong)
		return wrong === explain(poll) ? wrong : `publishing by POST does not get through (${wrong}), without which streams are of no use`;
	const lost = next && !next.silent && next.open === undefined && explain({ ...next, good: next.ours });
	return lost ? `of a stream and the requests beside it, one always fails (${lost})` : '';
}

/** @param {Facts} facts @param {'sse' | 'stream'} name
 * @returns {Judgement} */
function judgeStream(facts, name) {
	const live = judgeLive(facts[name], name === 'sse');
	if (live.state === 'dead') {
		const { status, silent } = facts[name];
		const crowd = status === undefined && silent && facts.sse.echo?.silent && findBeside(facts, facts.sse);
		return crowd ? { state: 'dead', why: crowd } : live;
	}
	const why = findBeside(facts, facts[name]);
	if (why)
		return { state: 'dead', why };
	return live.state === 'works' ? publishing(facts, judgeIdle(facts.idle?.[name], HEARTBEAT_MS, 'a stream')) : live;
}

/** @param {Answer} answer
 * @returns {Judgement} */
function judgeTries({ before }) {
	return before ? { state: 'degraded', why: `requests fail now and then (${explain(before)})` } : { state: 'works', why: '' };
}

/** Nothing but a WebSocket publishes without POST.
 * @param {Facts} facts @param {Judgement} judgement
 * @returns {Judgement} */
function publishing({ echo, poll, sse, stream }, judgement) {
	const why = explain(echo);
	if (judgement.state !== 'works' || (why && why === explain(poll)))
		return judgement;
	if (!why)
		return echo.before ? { state: 'degraded', why: `publishing by POST fails now and then (${explain(echo.before)})` } : judgement;
	if (echo.ours && echo.status === 200 && echo.silent)
		return { state: 'degraded', why: `the way is slow: 4 KB that were sent do not come back within ${time(LIMIT_MS)}` };
	return { state: 'degraded', why: sse.echo?.good || stream.echo?.good ?
		`what is published by POST must be small: 4 KB do not get through (${why})` :
		`publishing by POST does not get through (${why}), receiving does` };
}

/** @param {Facts} facts
 * @returns {Judgement} */
function judgeLongpoll(facts) {
	const { longpoll, poll, idle } = facts;
	const wrong = explain(longpoll);
	const held = `an answer that is held for ${time(longpoll.hold)} does not arrive (${wrong})`;
	if (wrong && longpoll.told?.good)
		return { state: 'degraded', why: `${held}, one that is given at once, for a message, does` };
	if (wrong && wrong !== explain(poll) && longpoll.status !== 407)
		return { state: 'dead', why: held };
	if (wrong)
		return { state: 'dead', why: wrong };
	if (poll.ms >= LIMIT_MS)
		return judgePoll(facts);
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
	return poll.ms < LIMIT_MS ? publishing(facts, judgeTries(poll)) :
		{ state: 'degraded', why: `a new connection is answered after ${time(poll.ms)} only` };
}

/** Nothing but a poll is waited for where connections take so long.
 * @param {Facts} facts @param {Record<string, Judgement>} transports */
function blameSlowness({ poll, websocket, sse, stream }, transports) {
	if (!poll.good || poll.ms < LIMIT_MS)
		return;
	const why = `a new connection is answered after ${time(poll.ms)} only, and ${time(LIMIT_MS)} are the most that is waited for a sign of life`;
	const isSilent = { websocket: !websocket.missing && websocket.handshake === undefined && websocket.ended === undefined,
		sse: sse.silent && sse.status === undefined, stream: stream.silent && stream.status === undefined };
	for (const name of /** @type {const} */ (['websocket', 'sse', 'stream']))
		if (isSilent[name])
			transports[name] = { state: 'dead', why };
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

/** @param {string[]} names @param {string} one @param {string} many */
function say(names, one, many) {
	return `${join(names.map((name) => titles[name]))} ${names.length > 1 || plural.includes(names[0]) ? many : one}`;
}

/** @param {Facts} facts @param {Record<string, Judgement>} transports */
function write(facts, transports) {
	const names = Object.keys(transports);
	const dead = group(transports, 'dead');
	const usable = names.filter((name) => transports[name].state !== 'dead');
	const good = names.filter((name) => transports[name].state === 'works');
	const sentences = [];
	if (!usable.length && !facts.gateway.ours)
		sentences.push(`Nothing of the gateway gets through: ${explain(facts.poll.silent ? facts.poll : facts.gateway) || [...dead.keys()][0]}`);
	else
		for (const [why, which] of dead)
			sentences.push(`${capitalise(why)}: ${say(which, 'cannot work here', 'cannot work here')}`);
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
	const quickest = Math.min(...[gateway, head, poll].filter(({ good }) => good).map(({ ms }) => ms));
	const remarks = quickest >= SLOW_MS && quickest < LIMIT_MS ? [`The way is slow: the quickest answer took ${time(quickest)}`] : [];
	if (!headers)
		return remarks;
	/** @param {string} wanted */
	const find = (wanted) => headers.find((/** @type {string[]} */ [name]) => name.toLowerCase() === wanted);
	const names = ['via', 'forwarded', 'x-forwarded-for'].map(find).filter(Boolean)
		.map((/** @type {string[]} */ [name, value]) => value ? `${name}: ${value}` : name);
	if (names.length)
		remarks.push(`Proxies on the way show in what they add to requests (${names.join('; ')})`);
	if (version === 'HTTP/1.0')
		remarks.push('A proxy asks the gateway in HTTP/1.0, which knows no upgrade');
	const host = find('host')?.[1];
	if (host && host !== new URL(url).host)
		remarks.push(`A proxy changes the Host of requests to ${host}`);
	const lost = ['Last-Event-ID', ...token ? ['Authorization'] : []].filter((name) => !find(name.toLowerCase()));
	if (lost.length)
		remarks.push(`A proxy removes ${join(lost)} from requests`);
	return remarks;
}

/* ---- the evidence ---- */

/** @param {Answer} answer
 * @returns {string} */
function describe(answer) {
	const { status, ours, type, ms, cut, silent, good, message } = answer;
	if (status === undefined)
		return explain(answer);
	const tries = answer.before ? `at the second try (at the first, ${describe({ ...answer.before, before: undefined })}), ` : '';
	return `${tries}status ${status} from ${ours ? 'the gateway' : 'somebody else'}${type ? `, ${type}` : ''} after ${time(ms)}` +
		(message ? `: ${message}` : cut ? ', then it broke off' : silent && !good ? ', then no end of it in time' : good || status >= 400 ? '' : '; the body is not the gateway\'s');
}

/** @param {[string, number | undefined][]} steps */
function describeSteps(steps) {
	return steps.map(([what, ms]) => ms === undefined ? `no ${what}` : `${what} after ${time(ms)}`).join(', ');
}

/** @param {WebSocketFacts} facts */
function describeWebSocket({ missing, handshake, open, small, large, ended, status, connect, error }) {
	if (missing)
		return 'not tried: this program has none';
	if (handshake === undefined)
		return `no handshake${status ? `, status ${status}${connect ? ' to CONNECT' : ''}` : ''}${error ? `, ${error}` : ''}` +
			(ended === undefined ? '' : `, failed after ${time(ended)}`);
	return describeSteps([['handshake', handshake], ['open', open], ['answer to a small frame', small],
		['answer to a large frame', large]]) + (ended === undefined ? '' : `, ended after ${time(ended)}`);
}

/** @param {Facts} facts
 * @returns {Evidence[]} */
function list({ gateway, head, websocket, sse, stream, poll, longpoll, echo, idle }) {
	/** @type {Evidence[]} */
	const evidence = [];
	/** @param {string} what @param {string} saw @param {number} [ms] */
	const add = (what, saw, ms = 0) => evidence.push({ what, saw, ms: Math.round(ms) });
	add('GET /transports', describe(gateway), gateway.ms);
	add('GET /probe/head', head.value?.headers ? `the gateway got ${head.value.version} with ${head.value.headers
		.map((/** @type {string[]} */ [name, value]) => value === null ? name : `${name}: ${value}`).join('; ')}` : describe(head), head.ms);
	add('WebSocket', describeWebSocket(websocket), websocket.ended ?? websocket.large ?? websocket.ms);
	if (websocket.seen)
		add('what the gateway saw of it', websocket.seen.replaceAll('_', ' '));
	if (websocket.plain)
		add('GET /ws without an upgrade', describe(websocket.plain), websocket.plain.ms);
	for (const [what, facts] of /** @type {[string, StreamFacts][]} */ ([['GET /sse', sse], ['GET /stream', stream]])) {
		add(what, facts.status === undefined ? describe(facts) : `${describe({ ...facts, good: true, cut: false })}; ${describeSteps([
			['open', facts.open], ['mark', facts.mark]])}${facts.cut ? ', then it ended' : ''}`, facts.mark ?? facts.ms);
		if (facts.echo && !facts.echo.good)
			add(`POST /probe/echo beside ${what}`, describe(facts.echo), facts.echo.ms);
		if (facts.next && facts.next.open === undefined)
			add(`another ${what} beside it`, describe({ ...facts.next, good: true }), facts.next.ms);
	}
	add('POST /probe/echo', describe(echo), echo.ms);
	add('GET /poll', describe(poll), poll.ms);
	add(`GET /poll held for ${time(longpoll.hold)}`, describe(longpoll), longpoll.ms);
	if (longpoll.told)
		add('the same with a message on its way', describe(longpoll.told), longpoll.told.ms);
	for (const [name, { cut, status, watched }] of Object.entries(idle ?? {}))
		add(`${titles[name]} left silent`, cut === undefined ? `nothing happened in ${time(watched)}` :
			`cut after ${time(cut)}${status ? ` with status ${status}` : ''}`, cut ?? watched);
	return evidence;
}

/** @param {Facts} facts
 * @returns {Verdict} */
export function judge(facts) {
	const transports = { websocket: judgeWebSocket(facts), sse: judgeStream(facts, 'sse'), stream: judgeStream(facts, 'stream'),
		longpoll: judgeLongpoll(facts), poll: judgePoll(facts) };
	blameSlowness(facts, transports);
	return { verdict: write(facts, transports), transports, evidence: list(facts) };
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
