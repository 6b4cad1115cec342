// What the figures of an emulated network say in sentences: which transport wins, by how much, and
// which reason the figures support. No elements: node tests it as it is. All times are in µs.
import {
	groupsOf, isAlike, mainRateOf, overlap, ratesOf, transportInWords,
} from './networks.mjs';
import { comesBefore, extraOf, inOrder, reasonOf, reasonsOf, tailOf } from './reasons.mjs';
import { inWords, listInWords } from './words.mjs';

/** @typedef {import('./networks.mjs').Spread} Spread */
/** @typedef {import('./networks.mjs').Kind} Kind */
/** @typedef {import('./networks.mjs').Entry} Entry */
/** @typedef {import('./networks.mjs').Group} Group */
/** @typedef {import('./networks.mjs').Network} Network */

/** @param {Group} group */
function namesOf(group) {
	return listInWords(inOrder(group).map(({ transport }) => transportInWords(transport)));
}

/** @param {number} value µs */
function time(value) {
	return inWords(value, 'µs');
}

/** "3.1 ms", or a range where several differ. @param {Group} group */
function timesInWords(group) {
	const [low, high] = [time(group[0].spread.median), time(group.at(-1)?.spread.median ?? 0)];
	return low === high ? low : `${low} to ${high}`;
}

/** @param {string} text */
function capital(text) {
	return text[0].toUpperCase() + text.slice(1);
}

const MANY = 20; // what takes more round trips than these waits for something else

/** @param {Group} group @param {string} one @param {string} more */
function verb(group, one, more) {
	return group.length === 1 ? one : more;
}

/** @param {number} ratio */
function timesAs(ratio) {
	return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString('en')} times`;
}

// ---- the verdict ----

/** The sentence, and what else the figures show, in sentences too.
 * @param {Network} network @param {number} [rate]
 * @returns {{ winners: string[], sentence: string, notes: string[] }} */
export function verdictOf(network, rate = mainRateOf(ratesOf([network]))) {
	const { kind, entries } = network;
	const groups = groupsAt(entries, rate), [best, next] = groups;
	const others = [...opening(kind, entries), ...upload(kind, entries), ...sentAgain(entries),
		...recovery(entries)];
	if (!best)
		return { winners: [], sentence: 'No latency was measured on this network.', notes: others };
	return { winners: inOrder(best).map(({ transport }) => transport),
		sentence: `${headline(best, rate)}${next ? margin(kind, best, next, rate) : alone(best)}.`,
		notes: [...behind(kind, groups, rate), ...atOtherRates(network, rate),
			...tail(kind, entries, best, rate), ...others, ...doubt([...best, ...next ?? []])] };
}

/** @param {Entry[]} entries @param {number} rate */
function groupsAt(entries, rate) {
	return groupsOf(entries, ({ latency }) => latency[rate]?.p50);
}

/** @param {number} rate */
function atRate(rate) {
	return `at ${rate} message${rate === 1 ? '' : 's'}/s`;
}

/** @param {Group} best @param {number} rate */
function headline(best, rate) {
	return `${capital(namesOf(best))} ${verb(best, 'wins', 'tie')} with a p50 of ` +
		`${timesInWords(best)} ${atRate(rate)}${whyTheyTie(best)}`;
}

/** Nothing where the figures are so near to each other that it can be seen. @param {Group} group */
function whyTheyTie(group) {
	const apart = group.filter(({ spread }) => !isAlike(spread, group[0].spread));
	if (!apart.length)
		return '';
	return apart.every(({ spread }) => overlap(spread, group[0].spread)) ?
		' (their ranges overlap)' :
		' (they differ by less than the delay of the emulated link itself)';
}

/** What follows the headline where nobody is behind. @param {Group} best */
function alone(best) {
	return best.length === 1 ? '; no other transport has a figure' :
		'; no transport is slower';
}

/** @param {Kind} kind @param {Group} best @param {Group} next @param {number} rate */
function margin(kind, best, next, rate) {
	const reason = reasonsOf(kind, next, best, rate);
	return `, ${time(next[0].spread.median - best[0].spread.median)} ahead of ${namesOf(next)} ` +
		`(${moreThan(next[0].spread, best[0].spread)})` +
		(reason ? `, because ${reason}` : '; the figures give no reason');
}

/** "12 % longer" or "3.4 times as long". @param {Spread} worse @param {Spread} better */
function moreThan(worse, better) {
	const ratio = worse.median / better.median;
	if (ratio >= 2)
		return `${timesAs(ratio)} as long`;
	return `${((ratio - 1) * 100).toFixed(ratio < 1.1 ? 1 : 0)} % longer`;
}

/** Those behind the second. @param {Kind} kind @param {Group[]} groups @param {number} rate */
function behind(kind, groups, rate) {
	return groups.slice(2).map((group) => {
		const reason = reasonsOf(kind, group, groups[0], rate);
		return `${capital(namesOf(group))} ${verb(group, 'needs', 'need')} ` +
			timesInWords(group) + (reason ? `: ${reason}.` : '.');
	});
}

/** Where another rate has another winner, or a long-poll pays its round trip only at one of both.
 * @param {Network} network @param {number} rate */
function atOtherRates({ kind, entries }, rate) {
	const won = groupsAt(entries, rate)[0].map(({ entry }) => entry);
	return ratesOf([{ kind, entries, server: '' }]).filter((other) => other !== rate)
		.flatMap((other) => {
			const [best] = groupsAt(entries, other);
			return best.some(({ entry }) => won.includes(entry)) ?
				longPollAt(kind, entries, rate, other) : [`${headline(best, other)}.`];
		});
}

/** @param {Kind} kind @param {Entry[]} entries @param {number} rate @param {number} other */
function longPollAt(kind, entries, rate, other) {
	const entry = entries.find(({ transport }) => transport === 'longpoll');
	const best = groupsAt(entries, other)[0][0].entry;
	if (!entry?.latency[rate]?.p50 || !entry.latency[other]?.p50)
		return [];
	const much = kind.rtt_ms * 1000 / 4;
	const extra = extraOf(entry, groupsAt(entries, rate)[0][0].entry, rate);
	const extraThere = extraOf(entry, best, other);
	const [wins, winsThere] = [rate, other].map((at) => isBestAt(entries, at, entry));
	if (!winsThere && extra < much && extraThere >= much && comesBefore(kind, other))
		return [`${capital(atRate(other))} long-poll is ${time(extraThere)} behind, because ` +
			`${reasonOf(kind, entry, best, other)}.`];
	if (!wins && extra >= much && extraThere < much && !comesBefore(kind, other))
		return [`${capital(atRate(other))} long-poll is ${winsThere ? 'not' :
			`only ${time(extraThere)}`} behind: its next request arrives before the next message.`];
	return [];
}

/** @param {Entry[]} entries @param {number} rate @param {Entry} entry */
function isBestAt(entries, rate, entry) {
	return groupsAt(entries, rate)[0].some((one) => one.entry === entry);
}

/** @param {Kind} kind @param {Entry[]} entries @param {Group} best @param {number} rate */
function tail(kind, entries, best, rate) {
	const [entry] = inOrder(best), own = tailOf(kind, entry, rate);
	if (!own)
		return [];
	const { name, words, ratio } = own;
	const [least] = groupsOf(entries, ({ latency }) => latency[rate]?.[name]);
	const note = `A lost packet holds back the messages behind it: ${words} over ` +
		`${transportInWords(entry.transport)} takes ` +
		`${time(entry.latency[rate][name]?.median ?? 0)} or more, ${timesAs(ratio)} the p50.`;
	return [least.some((one) => one.entry === entry) ? note : `${note} ` +
		`${capital(namesOf(least))} ${verb(least, 'has', 'have')} the least ${name}, ` +
		`${timesInWords(least)}.`];
}

/** @param {Kind} kind @param {Entry[]} entries */
function opening(kind, entries) {
	const groups = groupsOf(entries, ({ fresh }) => fresh.p50), rtt = kind.rtt_ms * 1000;
	const [first, last] = [groups[0], groups.at(-1)];
	if (!last || first === last || last[0].spread.median - first[0].spread.median < rtt / 2)
		return [];
	const trips = (/** @type {Group} */ [{ spread }]) => spread.median < rtt * MANY ?
		` (${(spread.median / rtt).toFixed(1)} round trips)` : '';
	return [`A new connection gets its first message first over ${namesOf(first)}, after ` +
		`${timesInWords(first)}${trips(first)}; last over ${namesOf(last)}, after ` +
		`${timesInWords(last)}${trips(last)}.`];
}

/** @param {Kind} kind @param {Entry[]} entries */
function upload(kind, entries) {
	const groups = groupsOf(entries, ({ bytes }) => bytes.up);
	const [least, most] = [groups[0]?.[0], groups.at(-1)?.at(-1)];
	if (!least || !most || most.spread.median < least.spread.median * 2)
		return [];
	const { entry: { transport, bytes }, spread } = most;
	const share = kind.up_mbit && bytes.rate ?
		spread.median * bytes.rate * 8 / (kind.up_mbit * 1e6) : 0;
	const note = `A message over ${transportInWords(transport)} costs ` +
		`${inWords(spread.median, 'B')} of upload, ` +
		`${transport.endsWith('poll') ? 'with its share of requests' : 'with acknowledgements'}; ` +
		`over ${namesOf(groups[0])} it costs ${inWords(least.spread.median, 'B')}.`;
	return [share < .05 ? note : `${note} One client that receives ` +
		`${bytes.rate} messages/s uses ${inWords(share, 'share')} of the upload rate.`];
}

/** @param {Entry[]} entries */
function sentAgain(entries) {
	const shares = entries.flatMap(({ transport, bytes: { down, up, again } }) =>
		down && up && again ? [{ transport, share: again.median / (down.median + up.median) }] : [])
		.sort((a, b) => a.share - b.share);
	const [least, most] = [shares[0], shares.at(-1)];
	if (!most || most.share < .01)
		return [];
	const named = (/** @type {typeof least} */ { transport, share }) =>
		`${inWords(share, 'share')} (${transportInWords(transport)})`;
	const range = least === most ? named(most) : `${named(least)} to ${named(most)}`;
	return [`TCP retransmissions add ${range} to the bytes on the link.`];
}

/** @param {Entry[]} entries */
function recovery(entries) {
	const cuts = new Set(entries.flatMap((entry) => Object.keys(entry.recovery).map(Number)));
	const cut = Math.max(...cuts);
	const groups = groupsOf(entries, (entry) => entry.recovery[cut]);
	if (!groups.length)
		return [];
	const [first, last] = [groups[0], groups[groups.length - 1]];
	const after = `After a cut of ${cut} s`;
	const has = `${after} ${namesOf(first)} ${verb(first, 'has', 'have')} all messages`;
	return [first === last ? `${has} within ${timesInWords(first)}.` :
		`${has} first, within ${timesInWords(first)}; ${namesOf(last)} ` +
		`${verb(last, 'is', 'are')} last with ${timesInWords(last)}.`];
}

/** Whether what was compared may be the generator's own. @param {Group} compared */
function doubt(compared) {
	return compared.some(({ spread }) => spread.doubtful) ? ['The load generator was saturated ' +
		'in some of these measurements: figures marked ! may show its limit, not the ' +
		'server’s.'] : [];
}
