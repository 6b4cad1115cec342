// Why a transport is behind on an emulated network, as far as the figures and what the network is
// support that. No elements: node tests it as it is. All times are in µs.
import { ties, TRANSPORTS } from './networks.mjs';

/** @typedef {import('./networks.mjs').Kind} Kind */
/** @typedef {import('./networks.mjs').Entry} Entry */
/** @typedef {import('./networks.mjs').Group} Group */

/** @type {{ [name in 'p90' | 'p99']: { name: name, share: number, words: string } }} share of the
 * messages beyond */
const PERCENTILES = {
	p90: { name: 'p90', share: .1, words: '1 of 10' },
	p99: { name: 'p99', share: .01, words: '1 of 100' },
};

/** The entries of a group in the order of all tables: among equals the best is chance.
 * @param {Group} group */
export function inOrder(group) {
	return group.map(({ entry }) => entry).sort((a, b) =>
		TRANSPORTS.indexOf(a.transport) - TRANSPORTS.indexOf(b.transport));
}

/** Why the transports of a group are behind the best, as far as the figures show it: clauses
 * behind "because", or nothing.
 * @param {Kind} kind @param {Group} group @param {Group} best @param {number} rate */
export function reasonsOf(kind, group, best, rate) {
	const reasons = inOrder(group).map((entry) => reasonOf(kind, entry, best[0].entry, rate));
	return [...new Set(reasons)].filter(Boolean).join(', and ');
}

/** @param {Kind} kind @param {Entry} entry @param {Entry} best @param {number} rate */
export function reasonOf(kind, entry, best, rate) {
	const rtt = kind.rtt_ms * 1000, extra = extraOf(entry, best, rate);
	if (entry.transport === 'poll')
		return 'a poll gets a message only when it asks again';
	// A message waits on average half of the round trip for the next request.
	if (entry.transport === 'longpoll' && extra >= rtt / 4 && comesBefore(kind, rate))
		return 'a long-poll pays up to one more round trip for each message that comes within ' +
			'one round trip of the last';
	return isHeldBack(kind, entry, best, rate) ? 'a lost packet holds back all messages behind ' +
		'it on its connection until TCP sends it again' : '';
}

/** @param {Entry} entry @param {Entry} best @param {number} rate how much longer it takes, µs */
export function extraOf(entry, best, rate) {
	return (entry.latency[rate]?.p50?.median ?? 0) - (best.latency[rate]?.p50?.median ?? 0);
}

/** Whether messages follow each other within one round trip. @param {Kind} kind
 * @param {number} rate */
export function comesBefore({ rtt_ms, jitter_ms = 0 }, rate) {
	return 1000 / rate < rtt_ms + jitter_ms;
}

/** Whether loss has a part in what is behind the best. @param {Kind} kind @param {Entry} entry
 * @param {Entry} best @param {number} rate */
function isHeldBack(kind, entry, best, rate) {
	const own = tailOf(kind, entry, rate);
	const [far, least] = [entry, best].map(({ latency }) => own && latency[rate]?.[own.name]);
	return Boolean(far && least && far.median > least.median && !ties(far, least));
}

/** The tail that loss explains: the highest percentile there is, if it is far enough beyond the p50
 * and loss holds back as many messages. A packet that is sent again takes half of a round trip more
 * at the least. @param {Kind} kind @param {Entry} entry @param {number} rate */
export function tailOf({ rtt_ms, loss = 0 }, entry, rate) {
	const { p50, p90, p99 } = entry.latency[rate] ?? {}, far = p99 ?? p90;
	const percentile = PERCENTILES[p99 ? 'p99' : 'p90'];
	// With a lost packet wait those that follow within the time in which it is sent again.
	const heldBack = loss * (1 + 1.5 * rtt_ms / 1000 * rate);
	if (!p50 || !far || heldBack < percentile.share * .7)
		return null;
	const ratio = far.median / p50.median;
	return ratio >= 1.5 && far.median - p50.median >= rtt_ms * 500 ? { ...percentile, ratio } :
		null;
}
