// Lists the evidence of a verdict: each request and its answer. Pure.
import { explain, time, titles } from './explain.js';

/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').Evidence} Evidence */
/** @typedef {import('./verdict.js').Facts} Facts */
/** @typedef {import('./verdict.js').StreamFacts} StreamFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */

/** What a gateway saw of an upgrade (PROTOCOL.md, Probing). */
const SEEN = /** @type {Record<string, string>} */ ({ plain_get: 'an ordinary request',
	upgraded: 'the upgrade and a frame', upgraded_no_frame: 'the upgrade, but no frame' });

/** What became of an answer that has a status.
 * @param {Answer} answer */
function describeEnd({ message, cut, silent, stale, good, status = 0 }) {
	if (message)
		return `: ${message}`;
	if (cut)
		return ', then the connection broke';
	if (silent && !good)
		return ', but no end in time';
	if (stale)
		return '; it answers another request';
	return good || status >= 400 ? '' : '; the body is not the gateway\'s';
}

/** What came back.
 * @param {Answer} answer
 * @returns {string} */
function describe(answer) {
	const first = describeOnce(answer);
	const second = answer.again && describe(answer.again);
	if (!second)
		return first;
	return first === second ? `${first} (twice)` : `${first}; at the second try, ${second}`;
}

/** @param {Answer} answer
 * @returns {string} */
function describeOnce(answer) {
	const { status, ours, type, ms, before } = answer;
	if (status === undefined)
		return explain(answer);
	const tries = before ? `at the second try (at the first, ${describe(before)}), ` : '';
	return `${tries}status ${status} from ${ours ? 'the gateway' : 'another server'}` +
		`${type ? `, ${type}` : ''} after ${time(ms)}${describeEnd(answer)}`;
}

/** @param {[string, number | undefined][]} steps */
function describeSteps(steps) {
	return steps.map(([what, ms]) =>
		ms === undefined ? `no ${what}` : `${what} after ${time(ms)}`).join(', ');
}

/** How a connection ended.
 * @param {{ bye?: string, ended?: number }} facts */
function describeLast({ bye, ended }) {
	const end = ended === undefined ? '' : `, ended after ${time(ended)}`;
	return bye ? `, bye (${bye})${end}` : end;
}

/** @param {WebSocketFacts} facts */
function describeWebSocket(facts) {
	const { missing, handshake, open, small, large, ended, status, connect, error } = facts;
	if (missing)
		return `not tried: this ${missing} has no WebSocket`;
	if (handshake !== undefined)
		return describeSteps([['handshake', handshake], ['open', open],
			['answer to a small frame', small], ['answer to a large frame', large]]) +
			describeLast(facts);
	const by = connect ? ' to CONNECT' : '';
	return `no handshake${status ? `, status ${status}${by}` : ''}${error ? `, ${error}` : ''}` +
		(ended === undefined ? '' : `, failed after ${time(ended)}`);
}

/** @param {StreamFacts} facts */
function describeStream(facts) {
	if (facts.missing)
		return `not tried: this ${facts.missing} cannot read an answer before it ends`;
	if (facts.status === undefined)
		return describe(facts);
	const steps = describeSteps([['open', facts.open], ['mark', facts.mark]]);
	return `${describe({ ...facts, good: true, cut: false })}; ${steps}${describeLast(facts)}`;
}

/** @param {Answer} head */
function describeHead(head) {
	const { version, headers } = head.value ?? {};
	const lines = headers?.map((/** @type {string[]} */ [name, value]) =>
		value === null ? name : `${name}: ${value}`);
	return lines ? `the gateway got ${version} with ${lines.join('; ')}` : describe(head);
}

/** @param {import('./verdict.js').IdleFacts} idle */
function describeIdle({ cut, silent, status, watched }) {
	if (silent)
		return `not closed, but nothing arrived within ${time(watched)}`;
	if (cut === undefined)
		return `not closed within ${time(watched)}`;
	return `closed after ${time(cut)}${status ? ` with status ${status}` : ''}`;
}

/** @param {Facts} facts
 * @returns {Evidence[]} */
export function list(facts) {
	const { head, websocket, longpoll, idle } = facts;
	/** @type {Evidence[]} */
	const evidence = [];
	/** @param {string} what @param {string} saw @param {number} [ms] */
	const add = (what, saw, ms = 0) => evidence.push({ what, saw, ms: Math.round(ms) });
	/** @param {string} what @param {Answer | undefined} answer */
	const addAnswer = (what, answer) => answer && add(what, describe(answer), answer.ms);
	addAnswer('GET /transports', facts.gateway);
	add('GET /probe/head', describeHead(head), head.ms);
	add('WebSocket', describeWebSocket(websocket),
		websocket.ended ?? websocket.large ?? websocket.ms);
	if (websocket.seen)
		add('seen by the gateway', SEEN[websocket.seen] ?? websocket.seen);
	addAnswer('GET /ws without an upgrade', websocket.plain);
	for (const name of /** @type {const} */ (['sse', 'stream'])) {
		const { mark, ms, echo, next } = facts[name];
		add(`GET /${name}`, describeStream(facts[name]), mark ?? ms);
		addAnswer(`POST /probe/echo beside GET /${name}`, echo?.good ? undefined : echo);
		if (next && next.open === undefined)
			addAnswer(`a second GET /${name} beside it`, { ...next, good: true });
	}
	addAnswer('POST /probe/echo', facts.echo);
	addAnswer('GET /poll', facts.poll);
	addAnswer('GET /poll again', facts.repeat);
	addAnswer(`GET /poll held for ${time(longpoll.hold)}`, longpoll);
	addAnswer('the same, ended early by a message', longpoll.told);
	addAnswer('POST /poll', facts.post);
	for (const [name, one] of Object.entries(idle ?? {}))
		add(`${titles[name]}, idle`, describeIdle(one), one.cut ?? one.watched);
	return evidence;
}
