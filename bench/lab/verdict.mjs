// From what happened to a verdict: pure.

/** @typedef {import('./session.mjs').Observed} Observed */
/** @typedef {import('./plan.mjs').Profile} Profile */
/** @typedef {{ verdict: 'works' | 'degraded' | 'dead', how: string, after?: number,
 * 	expected?: string, first?: number, late?: number }} Cell first, late, after: ms */
/** @typedef {{ verdict: string, transports: Record<string, { state: Cell['verdict'] }> }} Diagnosis */
/** @typedef {{ transport: string | null, first?: number, lost: number, doubled: number, reordered: number,
 * 	recovered: number, reconnects: number, recovery?: number, reasons: string[], wrong: string[] }} Client */

export const transports = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];

const LATE = 150; // ms, the median of the messages
const VERY_LATE = 2000; // ms, any of them
const POLL = 1000; // ms between two short polls
const FIRST = 4; // s
const REFUSED = 2; // s
const STALLED = 2; // s above what the path itself takes
const RECOVERY = 35; // s: the client looks every 30 s at first

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`;
const times = (/** @type {number} */ n) => n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`;

/** What counts of a session: those from the first that came.
 * @param {Observed} seen */
export function count({ base, sent, got }) {
	const counted = [...sent.keys()].filter((n) => n >= base);
	const latencies = counted.filter((n) => got.has(n)).map((n) => /** @type {number} */ (got.get(n)) -
		/** @type {number} */ (sent.get(n))).sort((a, b) => a - b);
	const newest = Math.max(-1, ...got.keys());
	return {
		// One that is missing before one that came is lost; behind the last it did not come in time.
		lost: counted.filter((n) => n < newest && !got.has(n)).length,
		missing: counted.filter((n) => n > newest).length,
		median: latencies[latencies.length >> 1] ?? 0,
		worst: latencies[latencies.length - 1] ?? 0,
	};
}

/** @param {Observed} seen
 * @returns {string} the last that went wrong, or nothing */
function lastTrouble({ troubles, state }) {
	return troubles[troubles.length - 1]?.why ?? (state === 'open' ? '' : `the client is ${state}`);
}

/** It never came to use: why, and when that was found first.
 * @param {Observed} seen @param {string} otherwise */
function tellDead(seen, otherwise) {
	const how = lastTrouble(seen) || otherwise;
	return { how, after: seen.troubles.find(({ why }) => why === how)?.at ?? seen.limit };
}

/** A transport on a path.
 * @param {Profile} profile @param {string} transport @param {Observed} seen
 * @returns {Cell} */
export function judgeCell(profile, transport, seen) {
	const expected = profile.expected?.[transport];
	if (seen.first === Infinity)
		return { verdict: 'dead', ...tellDead(seen, 'no message arrived'), expected };
	if (!seen.transports.length) // what came, came before the client had given it up
		return { verdict: 'dead', ...tellDead(seen, 'the transport never proved itself'), expected };
	const { lost, missing, median, worst } = count(seen);
	const cell = { expected, first: Math.round(seen.first), late: Math.round(median) };
	if (missing) {
		const after = Math.max(...seen.got.values());
		return { verdict: 'dead', how: lastTrouble(seen) || 'no more messages arrived', after, ...cell };
	}
	const slack = transport === 'poll' ? POLL : 0;
	const allowed = (profile.stall_seconds ?? 0) + FIRST;
	const hows = [
		seen.first > allowed * 1000 && `the first message took ${seconds(seen.first)}`,
		lost && `${lost} lost`,
		seen.doubled && `${seen.doubled} doubled`,
		seen.recovered && `${seen.recovered} recovered late`,
		seen.lost && `connected again ${times(seen.lost)} (${lastTrouble(seen)})`,
		median > LATE + slack && `${seconds(median - slack / 2)} late`,
		worst > VERY_LATE + slack && `up to ${seconds(worst)} late`,
		...seen.publishes.filter(({ ms }) => ms === undefined).slice(0, 1).map(({ why }) => `publishing failed: ${why ?? 'no answer'}`),
	].filter((how) => typeof how === 'string');
	return { verdict: hows.length ? 'degraded' : 'works', how: hows.join(', '), ...cell };
}

/** How soon the first message has to be there, in s.
 * @param {Profile} profile */
export function firstLimit({ stall_seconds: stall, refuses }) {
	return stall ? stall + STALLED : refuses ? REFUSED : FIRST;
}

/** The automatic client on a path; `wrong` is what must not be.
 * @param {Profile} profile @param {Record<string, Cell>} cells of the transports measured, may be none
 * @param {Observed} seen
 * @returns {Client} */
export function judgeClient(profile, cells, seen) {
	const { lost, missing } = count(seen);
	const measured = Object.values(cells).map(({ verdict }) => verdict);
	const isPossible = (measured.length ? measured : Object.values(profile.expected)).some((verdict) => verdict !== 'dead');
	const limit = firstLimit(profile);
	const wrong = [
		lost && `${lost} lost`,
		isPossible && missing && `${missing} were missing at the end`,
		seen.doubled && `${seen.doubled} doubled`,
		seen.reordered && `${seen.reordered} out of order`,
		seen.gaps && `${seen.gaps} gaps reported although nothing was lost`,
		isPossible && seen.first > limit * 1000 && (seen.first === Infinity ? 'no message' :
			`the first message after ${seconds(seen.first)}`) + `, not within ${limit} s`,
		isPossible && seen.recovery !== undefined && seen.recovery > RECOVERY * 1000 &&
			`not back on websocket within ${RECOVERY} s after the fault's end`,
	].filter((what) => typeof what === 'string');
	return { transport: seen.transport, first: seen.first === Infinity ? undefined : Math.round(seen.first),
		lost: lost + missing, doubled: seen.doubled, reordered: seen.reordered, recovered: seen.recovered, reconnects: seen.lost,
		recovery: seen.recovery, reasons: tellReasons(seen), wrong };
}

/** Why it is where it is, each reason once.
 * @param {Observed} seen */
function tellReasons({ transports: switches, troubles, first }) {
	const reasons = switches.map(({ to, why }) => `${to}: ${why}`);
	if (first === Infinity)
		reasons.push(...troubles.map(({ transport, why }) => transport ? `${transport}: ${why}` : why));
	return [...new Set(reasons)];
}

/** Where a diagnosis of a path calls dead what came through, or the other way round. Beside what
 * was measured the expected holds too: what goes by chance may go better once. Paths whose
 * fault it cannot see say why in `unseen`.
 * @param {Profile} profile @param {Record<string, Cell>} cells @param {Diagnosis} diagnosis
 * @returns {string[]} */
export function judgeDiagnosis({ unseen }, cells, { transports: said }) {
	const isDead = (/** @type {string | undefined} */ verdict) => verdict === 'dead';
	return Object.entries(cells).filter(([transport, { verdict, expected = verdict }]) => !unseen &&
		(!said[transport] || ![verdict, expected].map(isDead).includes(isDead(said[transport].state))))
		.map(([transport, { verdict }]) => `the diagnosis says ${transport} ${said[transport]?.state ?? 'nothing'}, measured ${verdict}`);
}
