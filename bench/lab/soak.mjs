// The soak: one obstacle whose faults change at random, for as long as is asked for; the
// client must lose and double nothing.
import { Arrivals } from './arrivals.mjs';
import { createBrowser } from './network.mjs';
import { Obstacle } from './obstacle.mjs';
import { createRandom } from './random.mjs';

/** @typedef {{ seed: number, seconds: number, published: number, got: number, lost: number, doubled: number,
 * 	reordered: number, recovered: number, gaps: number, changes: number, transports: Record<string, number>, wrong: string[] }} Soaked
 * 	transports: how often it came to use each */

const EVERY_MS = 250; // between two messages
const CHANGE_MS = [3000, 20000]; // between two changes
const CLEAR_MS = 60000; // to catch up when the faults are gone
const MOST_FAULTS = 2;

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** What a session meets in turn: those of the profiles, and cuts of what runs. Every third
 * change there is nothing wrong.
 * @param {() => number} random 0 to below 1 @param {string[]} faults
 * @returns {string[]} */
export function chooseFaults(random, faults) {
	if (random() < 1 / 3)
		return [];
	const count = 1 + Math.floor(random() * MOST_FAULTS);
	return [...new Set(Array.from({ length: count }, () => faults[Math.floor(random() * faults.length)]))];
}

/** What has to be set with the next faults: a tunnel from which bytes were left out must not go
 * on behind them, as no TCP would.
 * @param {string[]} before */
export function endBroken(before) {
	return before.some((fault) => /^(half-|dead-101)/.test(fault)) ? ['cut=rst'] : [];
}

/** The faults of all profiles, each once, and the cuts.
 * @param {import('./plan.mjs').Profile[]} profiles */
export function listFaults(profiles) {
	const faults = profiles.filter(({ forward }) => !forward).flatMap(({ faults: list }) => list ?? []);
	return [...new Set([...faults, 'cut', 'cut=rst', 'cut=hole'])];
}

/** @param {{ seed: number, minutes: number, profiles: import('./plan.mjs').Profile[], obstacle: string, Sluice: any,
 * 	gateway: import('./gateway.mjs').Gateway, onChange: (faults: string[]) => void }} options
 * @returns {Promise<Soaked>} */
export async function runSoak({ seed, minutes, profiles, obstacle: program, Sluice, gateway, onChange }) {
	const random = createRandom(seed);
	const faults = listFaults(profiles);
	const channel = `soak-${process.pid}-${seed}`;
	const obstacle = await new Obstacle().start(program, gateway.port, { faults: [] });
	const { fetch, WebSocket, close } = createBrowser({});
	const began = performance.now();
	let chosen = /** @type {string[]} */ ([]);
	const arrivals = new Arrivals();
	const seen = { published: 0, gaps: 0, changes: 0,
		transports: /** @type {Record<string, number>} */ ({}) };
	const client = new Sluice(obstacle.origin, { channels: [channel], since: '0', storage: null, fetch,
		EventSource: null, WebSocket });
	client.addEventListener('message', (/** @type {any} */ event) => arrivals.take(event.data, event, Date.now() - began));
	client.addEventListener('gap', () => seen.gaps++);
	client.addEventListener('transport', (/** @type {any} */ { to }) => {
		seen.transports[to] = (seen.transports[to] ?? 0) + 1;
	});
	try {
		for (let change = began; performance.now() < began + minutes * 60000; await sleep(EVERY_MS)) {
			await gateway.publish(channel, seen.published++);
			if (performance.now() < change)
				continue;
			const broken = endBroken(chosen);
			chosen = chooseFaults(random, faults);
			await obstacle.set([...new Set([...broken, ...chosen])]);
			onChange(chosen);
			seen.changes++;
			change = performance.now() + CHANGE_MS[0] + random() * (CHANGE_MS[1] - CHANGE_MS[0]);
		}
		await obstacle.set(endBroken(chosen));
		const end = performance.now() + CLEAR_MS;
		while (performance.now() < end && arrivals.got.size < seen.published)
			await sleep(EVERY_MS);
	} finally {
		client.close();
		close();
		await obstacle.stop();
	}
	const { published, gaps, changes, transports } = seen;
	const { got, doubled, reordered, recovered } = arrivals;
	const lost = published - got.size;
	return { seed, seconds: Math.round((performance.now() - began) / 1000), published, got: got.size, lost, doubled,
		reordered, recovered, gaps, changes, transports, wrong: tellWrong({ lost, doubled, reordered, gaps }) };
}

/** @param {string[]} wrong @param {number} recovered */
export const tellOutcome = (wrong, recovered) => wrong.join(', ') ||
	`all messages arrived once, ${recovered ? `${recovered} of them late` : 'in order'}`;

/** @param {Record<string, number>} counts
 * @returns {string[]} those that must be none and are not */
export function tellWrong(counts) {
	return Object.entries(counts).filter(([, n]) => n).map(([what, n]) => `${n} ${what}`);
}
