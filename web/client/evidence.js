// What a verdict stands on: what was asked, and what came back. Pure.
import { explain, time, titles } from './explain.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').Evidence} Evidence */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** What came back, as evidence.
 * @param {Answer} answer
 * @returns {string} */
function describe(answer) {
	const { status, ours, type, ms, cut, silent, stale, good, message } = answer;
	const again = answer.again ? `; at the second try, ${describe(answer.again)}` : '';
	if (status === undefined)
		return explain(answer) + again;
	const tries = answer.before ? `at the second try (at the first, ${describe(answer.before)}), ` : '';
	return `${tries}status ${status} from ${ours ? 'the gateway' : 'somebody else'}${type ? `, ${type}` : ''} after ${time(ms)}` +
		(message ? `: ${message}` : cut ? ', then it broke off' : silent && !good ? ', then no end of it in time' :
			stale ? '; it is the answer to another request' : good || status >= 400 ? '' : '; the body is not the gateway\'s') + again;
}

/** @param {[string, number | undefined][]} steps */
function describeSteps(steps) {
	return steps.map(([what, ms]) => ms === undefined ? `no ${what}` : `${what} after ${time(ms)}`).join(', ');
}

/** @param {WebSocketFacts} facts */
function describeWebSocket({ missing, handshake, open, small, large, ended, status, connect, error, bye }) {
	if (missing)
		return 'not tried: this program has none';
	if (handshake === undefined)
		return `no handshake${status ? `, status ${status}${connect ? ' to CONNECT' : ''}` : ''}${error ? `, ${error}` : ''}` +
			(ended === undefined ? '' : `, failed after ${time(ended)}`);
	return describeSteps([['handshake', handshake], ['open', open], ['answer to a small frame', small],
		['answer to a large frame', large]]) + (bye ? `, bye (${bye})` : '') + (ended === undefined ? '' : `, ended after ${time(ended)}`);
}

/** @param {Facts} facts
 * @returns {Evidence[]} */
export function list({ gateway, head, websocket, sse, stream, poll, repeat, longpoll, post, echo, idle }) {
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
			['open', facts.open], ['mark', facts.mark]])}${facts.bye ? `, bye (${facts.bye})` : ''}${facts.cut ? ', then it ended' : ''}`, facts.mark ?? facts.ms);
		if (facts.echo && !facts.echo.good)
			add(`POST /probe/echo beside ${what}`, describe(facts.echo), facts.echo.ms);
		if (facts.next && facts.next.open === undefined)
			add(`another ${what} beside it`, describe({ ...facts.next, good: true }), facts.next.ms);
	}
	add('POST /probe/echo', describe(echo), echo.ms);
	add('GET /poll', describe(poll), poll.ms);
	if (repeat)
		add('GET /poll again', describe(repeat), repeat.ms);
	add(`GET /poll held for ${time(longpoll.hold)}`, describe(longpoll), longpoll.ms);
	if (longpoll.told)
		add('the same with a message on its way', describe(longpoll.told), longpoll.told.ms);
	if (post)
		add('POST /poll', describe(post), post.ms);
	for (const [name, { cut, silent, status, watched }] of Object.entries(idle ?? {}))
		add(`${titles[name]} left silent`, silent ? `no sign of life in ${time(watched)}` : cut === undefined ? `nothing happened in ${time(watched)}` :
			`cut after ${time(cut)}${status ? ` with status ${status}` : ''}`, cut ?? watched);
	return evidence;
}
