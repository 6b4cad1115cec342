// The report's figures by emulated network, and how they compare. No elements: node tests it as
// it is. All times are in µs.
import { inWords } from './words.mjs';

/** @typedef {import('./words.mjs').Spread & { doubtful?: boolean, late_us?: number }} Spread
 *   doubtful: it may be the generator's own; late_us: of a time, how late the link itself was */
/** @typedef {{ name: string, rtt_ms: number, jitter_ms?: number, loss?: number,
 *   down_mbit?: number, up_mbit?: number }} Kind of a network */
/** @typedef {{ scenario: string, server: string, transport: string, network?: Kind,
 *   case: any, summary: Record<string, Spread>, repeats: any[], refused?: string,
 *   doubtful?: number }} Result */
/** @typedef {{ p50?: Spread, p90?: Spread, p99?: Spread }} Times */
/** @typedef {{ entry: Entry, spread: Spread }[]} Group of entries that tie, best first */
/** What one transport of one server costs on one network; what was not measured is absent.
 * @typedef {object} Entry
 * @property {string} transport
 * @property {string} server
 * @property {Record<number, Times>} latency by messages a second
 * @property {Record<number, Spread>} recovery by seconds of the cut
 * @property {Times} connect
 * @property {Times} fresh to the first message
 * @property {Times} resumed to the first message
 * @property {Times} publish
 * @property {{ down?: Spread, up?: Spread, again?: Spread, rate?: number }} bytes a message, on
 *   the link, at `rate` messages a second; again: those of packets that were sent again
 * @property {Result[]} results */
/** @typedef {{ kind: Kind, server: string, entries: Entry[] }} Network */

export const TRANSPORTS = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const NAMES = { websocket: 'WebSocket', sse: 'SSE', stream: 'stream', longpoll: 'long-poll',
	poll: 'poll' };
const RATE = 10; // messages a second of the verdict
// A smaller difference is nobody's win: the ranges of three repeats each lie apart by chance in one
// of ten comparisons of equals. In the terminal's ranking it is the same.
const ALIKE = .05;

/** @param {string} transport */
export function transportInWords(transport) {
	return NAMES[/** @type {keyof NAMES} */ (transport)] ?? transport;
}

// ---- figures by network ----

/** @param {Result} result @param {string} name @returns {Times} */
function timesOf({ summary }, name) {
	return { p50: summary[`${name}_p50_us`], p90: summary[`${name}_p90_us`],
		p99: summary[`${name}_p99_us`] };
}

/** @type {Record<string, (entry: Entry, result: Result) => void>} */
const SCENARIOS = {
	'net-latency': (entry, result) => {
		entry.latency[result.case.rate] = timesOf(result, 'latency');
	},
	'net-connect': (entry, result) => {
		entry.connect = timesOf(result, 'connect');
		entry.fresh = timesOf(result, 'first_fresh');
		entry.resumed = timesOf(result, 'first_resumed');
	},
	'net-recovery': (entry, { summary, case: { cut_s } }) => {
		if (summary.recovery_us)
			entry.recovery[cut_s] = summary.recovery_us;
	},
	'net-bytes': (entry, { summary, case: { rate } }) => {
		entry.bytes = { down: summary.link_bytes_down_per_message,
			up: summary.link_bytes_up_per_message,
			again: summary.link_retransmitted_bytes_per_message, rate };
	},
	'net-publish': (entry, result) => {
		entry.publish = timesOf(result, 'publish');
	},
};

/** @param {Result} result @returns {Entry} */
function emptyEntry({ transport, server }) {
	return { transport, server, latency: {}, recovery: {}, connect: {}, fresh: {}, resumed: {},
		publish: {}, bytes: {}, results: [] };
}

/** @param {Kind} a @param {Kind} b */
function byDistance(a, b) {
	return a.rtt_ms - b.rtt_ms || (a.loss ?? 0) - (b.loss ?? 0);
}

/** The networks of a report's results, one a server, from the shortest round trip to the longest.
 * @param {Result[]} results @returns {Network[]} */
export function networksOf(results) {
	/** @type {Map<string, { kind: Kind, server: string, all: Map<string, Entry> }>} */
	const networks = new Map();
	for (const result of results) {
		if (!result.network || !SCENARIOS[result.scenario] ||
			!TRANSPORTS.includes(result.transport))
			continue;
		const { network: kind, server, transport } = result;
		const key = JSON.stringify([kind.name, server]);
		const network = networks.get(key) ?? { kind, server, all: new Map() };
		networks.set(key, network);
		const entry = network.all.get(transport) ?? emptyEntry(result);
		network.all.set(transport, entry);
		entry.results.push(result);
		SCENARIOS[result.scenario](entry, withDoubts(result));
	}
	return [...networks.values()].map(({ kind, server, all }) => ({ kind, server,
		entries: [...all.values()].sort((a, b) =>
			TRANSPORTS.indexOf(a.transport) - TRANSPORTS.indexOf(b.transport)) }))
		.sort((a, b) => byDistance(a.kind, b.kind));
}

/** Each of its figures says how far it may be the generator's or the link's own.
 * @param {Result} result @returns {Result} */
function withDoubts(result) {
	const late = result.summary.link_late_p99_us?.median ?? 0;
	return { ...result, summary: Object.fromEntries(Object.entries(result.summary).map(
		([name, spread]) => [name, { ...spread, doubtful: Boolean(result.doubtful),
			late_us: name.endsWith('_us') ? late : 0 }])) };
}

/** The rates at which something was timed, ascending. @param {Network[]} networks */
export function ratesOf(networks) {
	return [...new Set(networks.flatMap(({ entries }) => entries).flatMap(({ latency }) =>
		Object.keys(latency).filter((rate) => latency[Number(rate)].p50).map(Number)))]
		.sort((a, b) => a - b);
}

/** The rate that a verdict is about: the nearest to ten a second. @param {number[]} rates */
export function mainRateOf(rates) {
	const distance = (/** @type {number} */ rate) => Math.abs(Math.log(rate / RATE));
	return rates.reduce((best, rate) => distance(rate) < distance(best) ? rate : best, rates[0]);
}

// ---- comparisons ----

/** Whether neither is better: they differ by less than matters, their ranges overlap, or they
 * differ by less than the emulated link delivers its packets late.
 * @param {Spread} a @param {Spread} b */
export function ties(a, b) {
	return isAlike(a, b) || overlap(a, b) ||
		Math.abs(a.median - b.median) <= Math.max(a.late_us ?? 0, b.late_us ?? 0);
}

/** @param {Spread} a @param {Spread} b */
export function isAlike({ median: a }, { median: b }) {
	return Math.abs(a - b) <= ALIKE * Math.min(a, b);
}

/** @param {Spread} a @param {Spread} b */
export function overlap(a, b) {
	return a.min <= b.max && b.min <= a.max;
}

/** The entries in order of a figure, best first, in groups: an entry that ties with the best of a
 * group belongs to it. @param {Entry[]} entries
 * @param {(entry: Entry) => Spread | undefined} pick @returns {Group[]} */
export function groupsOf(entries, pick) {
	const having = entries.flatMap((entry) => {
		const spread = pick(entry);
		return spread ? [{ entry, spread }] : [];
	}).sort((a, b) => a.spread.median - b.spread.median);
	/** @type {Group[]} */
	const groups = [];
	for (const one of having) {
		const group = groups.at(-1);
		if (group && ties(group[0].spread, one.spread))
			group.push(one);
		else
			groups.push([one]);
	}
	return groups;
}

/** What the link itself cost at most, in a sentence; '' when that was not measured.
 * @param {Network} network */
export function linkCostOf({ entries }) {
	const results = entries.flatMap((entry) => entry.results);
	const most = (/** @type {string} */ name) => Math.max(...results.flatMap(({ summary }) =>
		summary[name]?.median ?? []));
	const [share, late] = [most('link_cpu_share'), most('link_late_p99_us')];
	return Number.isFinite(share) && Number.isFinite(late) ? 'The emulated link itself used at ' +
		`most ${inWords(share, 'share')} of a core. It delivered 99 % of the packets at most ` +
		`${inWords(late, 'µs')} late.` : '';
}

/** "40 ms round trip + 10 ms jitter, 0.5 % loss, 20 Mbit/s down, 5 up". @param {Kind} kind */
export function kindInWords({ rtt_ms, jitter_ms, loss, down_mbit, up_mbit }) {
	const rate = [down_mbit && `${down_mbit} Mbit/s down`, up_mbit && `${up_mbit} Mbit/s up`];
	return [`${rtt_ms} ms round trip${jitter_ms ? ` + up to ${jitter_ms} ms jitter` : ''}`,
		loss ? `${lossInWords(loss)} loss` : 'no loss', ...rate].filter(Boolean).join(', ');
}

/** @param {number} loss a share */
export function lossInWords(loss) {
	return `${Number((loss * 100).toPrecision(3))} %`;
}
