// The result of a check as data (doc/check-report.schema.json). Pure.
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
/** @typedef {object} TransportReport
 * @property {'works' | 'degraded' | 'dead'} state
 * @property {Class} class
 * @property {string} why what is wrong and who does it, '' for nothing
 * @property {number | null} connect_ms from the request to the first byte; null: none came
 * @property {number | null} first_ms from the request to the first message; null: none came
 * @property {{ count: number, p50_ms: number, p90_ms: number } | null} round_trip null: none came
 * @property {number | null} largest_up bytes: 0, 64, 4096 or 65536; null: not tried
 * @property {number | null} largest_down the same
 * @property {boolean} buffered
 * @property {boolean} cached
 * @property {boolean} compressed
 * @property {boolean} cut
 * @property {{ watched_ms: number, cut_ms: number | null } | null} silence null: not watched;
 * 	cut_ms null: the connection was not cut */
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
/** What a report is built from.
 * @typedef {object} Found
 * @property {Facts} facts of the diagnosis
 * @property {Verdict} verdict of the diagnosis
 * @property {Record<string, Measured>} measured of the transports that are not dead
 * @property {number[]} posted ms that POST requests took
 * @property {number} limit bytes of a message that the gateway accepts
 * @property {string} [refused] why the gateway gave the check no channel
 * @property {boolean} patient
 * @property {number} seconds
 * @property {string} http
 * @property {Date} made */

const WHY = 600;
const VERDICT = 2000;
const ADVICE = 400;
const PROXY = 200;
const PROXIES = 10;

/** The headers that proxies add to requests. A report has the value of Via, but of the others only
 * the names: their values are addresses. */
const PROXY_FIELDS = ['Via', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host',
	'X-Forwarded-Port', 'X-Forwarded-Proto', 'X-Real-IP', 'Proxy-Connection', 'Max-Forwards'];

/* ---- the head ---- */

/** The facts without the addresses in the request's headers.
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

/** Times of the diagnosis, for a transport that was not measured.
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

/** The best transport that proves itself, which the client then uses (web/client/policy.js).
 * @param {Record<string, TransportReport>} transports @param {Record<string, Measured>} measured
 * @returns {string | null} */
function choose(transports, measured) {
	const usable = NAMES.filter((name) => transports[name].state !== 'dead');
	return usable.find((name) => !isFrail(measured[name])) ?? usable[0] ?? null;
}

/** The sentences of the diagnosis and of the longer measurement.
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
		sentences.push(`${capitalise(names.join(', '))}, measured for longer: ${why}.`);
	if (choice)
		sentences.push(`On this path the client uses ${titles[choice]}` + (latency === null ? '.' :
			`; a message takes about ${time(latency)}.`));
	else if (refused)
		sentences.push(`The gateway also gave the check no channel: ${refused}.`);
	const first = added.size ? verdict.verdict.replace(/^All transports work\./,
		'All transports connect.') : verdict.verdict;
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
