// Says in one word and four marks what the path does with each transport, from a diagnosis and from
// what was measured. Pure.
import { LIMIT_MS, explain, limitOf, time } from '../client/explain.js';
import { findLate } from '../client/explain_socket.js';
import { times } from '../client/policy.js';
import { getDelay } from '../client/verdict.js';

/** @typedef {import('../client/explain.js').Answer} Answer */
/** @typedef {import('../client/verdict.js').Facts} Facts */
/** @typedef {import('../client/verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('../client/verdict.js').Judgement} Judgement */
/** @typedef {import('../client/verdict.js').StreamFacts} StreamFacts */
/** @typedef {import('./report.js').Class} Class */
/** @typedef {import('./rounds.js').Measured} Measured */
/** @typedef {{ buffered: boolean, cached: boolean, compressed: boolean, cut: boolean }} Marks */

const LATE_MS = /** @type {Record<string, number>} */ ({ poll: 1500 });
const LATE_OTHERS_MS = 500;
const YOUNG = 3; // deaths after which the client looks for another transport

/* ---- the word ---- */

/** Why an answer is none.
 * @param {Answer} answer
 * @returns {Class} */
function classifyAnswer(answer) {
	const { status, silent, cut, stale, before } = answer;
	if (stale)
		return 'cached';
	if (silent) // it began, and did not end in time
		return status === undefined ? 'swallowed' : 'slow';
	if (cut)
		return 'cut';
	if (explain(answer) || status === undefined)
		return 'refused';
	return before ? 'flaky' : 'works';
}

/** A new connection takes so long that only a poll is waited for.
 * @param {Facts} facts */
function isSlow(facts) {
	return getDelay(facts) >= LIMIT_MS;
}

/** @param {Facts} facts @param {Judgement} judgement
 * @returns {Class} */
function classifySocket(facts, { state }) {
	const { websocket, echo } = facts;
	const { missing, handshake, open, small, ended, bye, foreign } = websocket;
	if (missing)
		return 'missing';
	if (state === 'works')
		return 'works';
	if (websocket.before && state === 'degraded')
		return 'flaky';
	if (state === 'degraded')
		return 'cut';
	if (findLate(websocket) || (handshake === undefined && ended === undefined && isSlow(facts)))
		return 'slow';
	if (small !== undefined && ended === undefined && echo.ours && echo.silent) // POST is it too
		return 'slow';
	if (handshake === undefined)
		return ended === undefined ? 'swallowed' : 'refused';
	if (bye || foreign || (ended !== undefined && open === undefined && small === undefined))
		return bye || foreign ? 'refused' : 'cut';
	return ended === undefined ? 'swallowed' : 'cut';
}

/** What a stream needs beside it is in the way, or POST is.
 * @param {Facts} facts @param {Answer | undefined} beside
 * @returns {Class} */
function classifyBeside({ echo }, beside) {
	if (beside?.silent)
		return 'swallowed';
	if (beside?.good && !beside.ours) // its mark was removed
		return 'refused';
	if (beside && explain(beside))
		return echo.good ? 'flaky' : 'refused';
	return explain(echo) ? classifyAnswer(echo) : 'flaky';
}

/** @param {Facts} facts @param {'sse' | 'stream'} name @param {Judgement} judgement
 * @returns {Class} */
function classifyStream(facts, name, { state }) {
	const stream = facts[name];
	const { missing, status, silent, ours, bye, foreign, open, mark, encoding, ended } = stream;
	if (missing)
		return 'missing';
	if (isSlow(facts) && state === 'dead' && ((status === undefined && silent) ||
		(stream.echo?.silent && stream.echo.status === undefined)))
		return 'slow';
	if (status === undefined && silent) // polls pass: the path holds what does not end
		return facts.poll.good && !facts.sse.echo?.silent ? 'buffered' : 'swallowed';
	if (status === undefined || bye || foreign || status >= 400)
		return 'refused';
	if (!ours && (name === 'stream' || open === undefined))
		return 'refused';
	if (open === undefined)
		return encoding ? 'compressed' : 'buffered';
	if (mark === undefined)
		return ended === undefined ? 'buffered' : 'cut';
	if (state === 'works')
		return 'works';
	if (isHeaped(stream))
		return 'buffered';
	if (mark - open > limitOf(name, 'mark'))
		return 'slow';
	if (stream.before && state === 'degraded')
		return 'flaky';
	const { idle } = facts;
	if (idle?.[name]?.cut !== undefined && !explain(facts.echo) && state === 'degraded')
		return 'cut';
	return !ours && state === 'degraded' ? 'works' : classifyBeside(facts, stream.echo);
}

/** @param {StreamFacts} stream what was sent apart came together */
function isHeaped({ open, mark }) {
	return open !== undefined && mark !== undefined && mark - open < times.apart;
}

/** @param {Facts} facts @param {'longpoll' | 'poll'} name @param {Judgement} judgement
 * @returns {Class} */
function classifyPoll(facts, name, { state }) {
	const { poll, repeat, longpoll, echo, idle } = facts;
	if (isSlow(facts))
		return 'slow';
	if (state === 'works')
		return 'works';
	if (poll.stale || repeat?.stale || longpoll.stale)
		return 'cached';
	if (!poll.good || explain(poll))
		return classifyAnswer(poll);
	if (name === 'longpoll' && longpoll.good && longpoll.ms < longpoll.hold * 0.8)
		return 'cached';
	if (name === 'longpoll' && explain(longpoll)) {
		const { silent, status, ms, hold } = longpoll;
		if (silent)
			return 'swallowed';
		return status !== undefined && ms >= hold / 4 ? 'cut' : 'flaky';
	}
	if (poll.before || (name === 'longpoll' && longpoll.before))
		return 'flaky';
	if (explain(echo)) // receiving works, publishing does not
		return classifyAnswer(echo);
	return idle?.[name]?.cut === undefined ? 'flaky' : 'cut';
}

/** @param {Facts} facts @param {string} name @param {Judgement} judgement
 * @returns {Class} */
export function classify(facts, name, judgement) {
	if (name === 'websocket')
		return classifySocket(facts, judgement);
	if (name === 'sse' || name === 'stream')
		return classifyStream(facts, name, judgement);
	return classifyPoll(facts, name === 'poll' ? 'poll' : 'longpoll', judgement);
}

/* ---- the marks ---- */

/** All that was seen, whatever the word is.
 * @param {Facts} facts @param {string} name @param {Class} word @param {Measured} [measured]
 * @returns {Marks} */
export function mark(facts, name, word, measured) {
	const { poll, repeat, longpoll, idle } = facts;
	const stream = name === 'sse' || name === 'stream' ? facts[name] : undefined;
	const polls = name === 'longpoll' || name === 'poll' ? [poll, repeat, longpoll] : [];
	const answers = /** @type {(Answer | undefined)[]} */ (stream ? [stream] : polls);
	const one = idle?.[name];
	const ends = measured?.ends.filter(({ bye, opened }) => opened && !bye) ?? [];
	return {
		buffered: word === 'buffered' || Boolean(stream && isHeaped(stream)),
		cached: word === 'cached' || polls.some((answer) => answer?.stale) ||
			(measured?.answers.stale ?? 0) > 0,
		compressed: word === 'compressed' || answers.some((answer) => answer?.encoding),
		cut: word === 'cut' || one?.cut !== undefined || one?.silent === true ||
			(name !== 'poll' && ends.length > 0) || (measured?.mute ?? null) !== null,
	};
}

/* ---- what was measured ---- */

const SUBJECTS = /** @type {Record<string, string>} */ ({ websocket: 'a WebSocket',
	sse: 'a stream', stream: 'a stream', longpoll: 'a held poll', poll: 'a poll' });

/** @param {string} name @param {Measured} measured
 * @returns {Judgement & { class: Class } | undefined} what only a longer look shows */
export function judgeMeasured(name, measured) {
	const { trips, sent, lost, late, ends, down, first, answers, mute, crowded } = measured;
	const subject = SUBJECTS[name];
	const cuts = ends.filter(({ bye, opened }) => opened && !bye);
	const failures = ends.filter(({ opened }) => !opened).length;
	/** @type {(word: Class, why: string) => Judgement & { class: Class }} */
	const flaw = (word, why) => ({ state: 'degraded', class: word, why });
	if (ends.length && (name === 'poll' || name === 'longpoll'))
		return flaw('flaky', `${answers.bad} of ${answers.good + answers.bad} polls failed`);
	if (cuts.length) {
		const { size } = cuts[cuts.length - 1];
		const lived = Math.max(...cuts.map((one) => one.lived));
		const times = cuts.length > 1 ? ` (${cuts.length} times)` : '';
		return flaw('cut', `something on the path closed ${subject} after ${time(lived)}${times}` +
			`${size > 64 ? `, while a message of ${size / 1024} KB was on its way` : ''}`);
	}
	if (mute !== null)
		return flaw('cut', `after ${time(mute)} ${subject} carried no more data, although ` +
			'neither side closed it');
	if (failures)
		return flaw('flaky', `${failures} of ${ends.length + 1} connections failed`);
	if (sent > 2 && first === null && !trips.length && !crowded)
		return flaw('swallowed', `none of ${sent} messages arrived`);
	if (lost)
		return flaw('flaky', `${lost} of ${sent} messages did not arrive`);
	if (sent > 4 && late > sent / 4 && down !== null && !crowded)
		return flaw('slow', `${late} of ${sent} messages had not arrived when the check ended`);
	const middle = trips[Math.floor(trips.length / 2)] ?? 0;
	return middle > (LATE_MS[name] ?? LATE_OTHERS_MS) ? { state: 'works', class: 'slow',
		why: `messages take ${time(middle)} to arrive` } : undefined;
}

/** The client would look for another transport.
 * @param {Measured | undefined} measured */
export function isFrail(measured) {
	const cuts = measured?.ends.filter(({ bye, opened }) => opened && !bye) ?? [];
	return cuts.length >= YOUNG;
}
