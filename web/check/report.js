// What the page finds out, as data (doc/check-report.schema.json). Pure.
import { time, titles } from '../client/explain.js';
import { settle } from '../client/verdict.js';
import { advise } from './advice.js';
import { classify, isFrail, judgeMeasured, mark } from './classify.js';
import { NAMES, VERSION, encodeCode } from './code.js';
import { clip, round } from './text.js';
import { capitalise } from './write.js';

export { writeText } from './write.js';

/** @typedef {import('../client/verdict.js').Facts} Facts */
/** @typedef {import('../client/verdict.js').Judgement} Judgement */
/** @typedef {import('../client/verdict.js').Verdict} Verdict */
/** @typedef {import('./rounds.js').Measured} Measured */

/** @typedef {'works' | 'slow' | 'flaky' | 'buffered' | 'cached' | 'compressed' | 'cut' | 'refused'
 * 	| 'swallowed' | 'missing'} Class */
/** connect, first: ms, null where it did not come; round_trip: null where none came; largest_*:
 * bytes, 0, 64, 4096 or 65536, null where not tried; silence: null where not watched, its cut_ms
 * null where the connection was not cut.
 * @typedef {object} TransportReport
 * @property {'works' | 'degraded' | 'dead'} state
 * @property {Class} class
 * @property {string} why
 * @property {number | null} connect_ms
 * @property {number | null} first_ms
 * @property {{ count: number, p50_ms: number, p90_ms: number } | null} round_trip
 * @property {number | null} largest_up
 * @property {number | null} largest_down
 * @property {boolean} buffered
 * @property {boolean} cached
 * @property {boolean} compressed
 * @property {boolean} cut
 * @property {{ watched_ms: number, cut_ms: number | null } | null} silence */
/** @typedef {object} Report
 * @property {number} version
 * @property {string} made UTC, as 2026-11-27T03:40:00Z
 * @property {string} code
 * @property {boolean} patient
 * @property {number} seconds
 * @property {boolean} secure
 * @property {string} http
 * @property {string | null} choice
 * @property {number | null} latency_ms
 * @property {number | null} base_ms
 * @property {string} verdict
 * @property {string[]} advice
 * @property {string[]} proxies
 * @property {Record<string, TransportReport>} transports */
/** facts and verdict: of the diagnosis; measured: of the transports that are alive; posted: ms
 * that requests took; limit: bytes of a message that the gateway takes; refused: why the gateway
 * lent no channel.
 * @typedef {object} Found
 * @property {Facts} facts
 * @property {Verdict} verdict
 * @property {Record<string, Measured>} measured
 * @property {number[]} posted
 * @property {number} limit
 * @property {string} [refused]
 * @property {boolean} patient
 * @property {number} seconds
 * @property {string} http
 * @property {Date} made */

const WHY = 600;
const VERDICT = 2000;
const ADVICE = 400;
const PROXY = 200;
const PROXIES = 10;

/** What proxies add to the head of a request. Of Via the value counts, of the others that they are
 * there: their values are addresses. */
const PROXY_FIELDS = ['Via', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host',
	'X-Forwarded-Port', 'X-Forwarded-Proto', 'X-Real-IP', 'Proxy-Connection', 'Max-Forwards'];

/* ---- the head ---- */

/** The facts without what is nobody's business: addresses in the head.
 * @param {Facts} facts
 * @returns {Facts} */
export function withoutAddresses(facts) {
	const { head } = facts;
	const hide = (/** @type {[string, string | null]} */ [name, value]) =>
		[name, /^(forwarded|x-forwarded-for|x-real-ip)$/i.test(name) ? null : value];
	const headers = head.value?.headers?.map(hide);
	return headers ? { ...facts, head: { ...head, value: { ...head.value, headers } } } : facts;
}

/** @param {Facts} facts
 * @returns {string[]} */
function listProxies({ head }) {
	const headers = /** @type {[string, string | null][]} */ (head.value?.headers ?? []);
	return PROXY_FIELDS.flatMap((field) => headers
		.filter(([name]) => name.toLowerCase() === field.toLowerCase())
		.map(([, value]) => field === 'Via' && value ? clip(`${field}: ${value}`, PROXY) : field))
		.filter((one, i, all) => all.indexOf(one) === i).slice(0, PROXIES);
}

/* ---- a transport ---- */

/** @param {number[]} trips ms, in order of size @param {number} share */
function pick(trips, share) {
	return /** @type {number} */ (round(trips[Math.ceil(share * trips.length) - 1]));
}

/** @param {Facts} facts @param {string} name
 * @returns {TransportReport['silence']} */
function readSilence({ idle }, name) {
	const one = idle?.[name];
	if (!one)
		return null;
	const watched = /** @type {number} */ (round(one.watched));
	return { watched_ms: watched, cut_ms: round(one.silent ? watched : one.cut) };
}

/** Times of the diagnosis, where nothing was measured.
 * @param {Facts} facts @param {string} name
 * @returns {{ connect?: number, first?: number }} */
function readTimes({ websocket, sse, stream, poll, longpoll }, name) {
	if (name === 'websocket')
		return { connect: websocket.handshake, first: websocket.open };
	if (name === 'sse' || name === 'stream') {
		const { status, ms, open } = name === 'sse' ? sse : stream;
		return { connect: status === undefined ? undefined : ms, first: open };
	}
	const { good, ms } = name === 'poll' ? poll : longpoll;
	return { connect: good ? poll.ms : undefined, first: good && name === 'poll' ? ms : undefined };
}

/** @param {Facts} facts @param {string} name @param {Judgement} judgement
 * @param {Measured | undefined} measured
 * @returns {TransportReport} */
function reportTransport(facts, name, judgement, measured) {
	const { host } = new URL(facts.url);
	const seen = measured && judgement.state === 'works' && judgeMeasured(name, measured);
	const said = { ...judgement, class: classify(facts, name, judgement) };
	const { state, class: word, why } = seen && (seen.state !== 'works' || !said.why) ? seen : said;
	const times = readTimes(facts, name);
	const trips = measured?.trips ?? [];
	return { state, class: word, why: clip(why, WHY, host),
		connect_ms: round(measured?.connect ?? times.connect),
		first_ms: round(measured?.first ?? times.first),
		round_trip: trips.length ? { count: trips.length, p50_ms: pick(trips, 0.5),
			p90_ms: pick(trips, 0.9) } : null,
		largest_up: measured?.up ?? null, largest_down: measured?.down ?? null,
		...mark(facts, name, word, measured), silence: readSilence(facts, name) };
}

/* ---- the whole ---- */

/** The quickest answer to a small request.
 * @param {Facts} facts @param {number[]} [posted] ms */
export function findBase({ gateway, head, poll, repeat, sse, stream }, posted = []) {
	const asked = [gateway, head, poll, repeat, sse.echo, stream.echo]
		.flatMap((answer) => answer?.good ? [answer.ms] : []);
	const all = [...asked, ...posted];
	return all.length ? Math.min(...all) : null;
}

/** The best that proves itself: what the client comes to use (web/client/policy.js).
 * @param {Record<string, TransportReport>} transports @param {Record<string, Measured>} measured
 * @returns {string | null} */
function choose(transports, measured) {
	const usable = NAMES.filter((name) => transports[name].state !== 'dead');
	return usable.find((name) => !isFrail(measured[name])) ?? usable[0] ?? null;
}

/** The sentences of the diagnosis, and what the longer look adds.
 * @param {Found} found @param {Record<string, TransportReport>} transports
 * @param {string | null} choice @param {number | null} latency ms */
function writeVerdict({ facts, verdict, refused, measured }, transports, choice, latency) {
	const sentences = [];
	/** @type {Map<string, string[]>} */
	const added = new Map();
	for (const name of NAMES) {
		const { why, state } = transports[name];
		if (measured[name] && state !== verdict.transports[name].state)
			added.set(why, [...added.get(why) ?? [], titles[name]]);
	}
	for (const [why, names] of added)
		sentences.push(`${capitalise(names.join(', '))}, looked at for longer: ${why}.`);
	if (choice)
		sentences.push(`Here the client uses ${titles[choice]}` + (latency === null ? '.' :
			`; a message takes about ${time(latency)}.`));
	else if (refused)
		sentences.push(`The gateway also lent the check no channel: ${refused}.`);
	const first = added.size ? verdict.verdict.replace(
		/^Nothing is in the way of any transport\./, 'Every transport gets through.') :
		verdict.verdict;
	return clip([first, ...sentences].join(' '), VERDICT, new URL(facts.url).host);
}

/** @param {Found} found
 * @returns {Report} */
export function buildReport(found) {
	const { verdict, measured, posted, limit, patient, seconds, http, made } = found;
	const facts = settle(found.facts);
	const { host, protocol } = new URL(facts.url);
	const transports = Object.fromEntries(NAMES.map((name) => [name,
		reportTransport(facts, name, verdict.transports[name], measured[name])]));
	const choice = choose(transports, measured);
	const latency = choice === null ? null : transports[choice].round_trip?.p50_ms ?? null;
	const advice = advise({ facts, transports, host, measured, limit })
		.map((one) => clip(one, ADVICE, host));
	const report = { version: VERSION, made: made.toISOString().replace(/\.\d+/, ''), code: '',
		patient, seconds: Math.min(300, Math.round(seconds * 10) / 10),
		secure: protocol === 'https:', http, choice, latency_ms: latency,
		base_ms: round(findBase(facts, posted)),
		verdict: writeVerdict(found, transports, choice, latency), advice,
		proxies: listProxies(facts), transports };
	return { ...report, code: encodeCode(report) };
}
