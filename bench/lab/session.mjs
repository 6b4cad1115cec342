// One cell: a client on one path, a publisher beside it, and all that happened written down.
import { Arrivals } from './arrivals.mjs';
import { createBrowser } from './network.mjs';
import { planSession, planWaits } from './plan.mjs';

/** @typedef {object} Observed everything in ms since the client was made
 * @property {number} limit how long the first message was waited for
 * @property {number} first the first message, Infinity for none
 * @property {number} base number of the first message that counts
 * @property {Map<number, number>} sent by number: when
 * @property {Map<number, number>} got by number: when
 * @property {number} doubled
 * @property {number} reordered
 * @property {number} recovered late, as the client says
 * @property {number} gaps
 * @property {number} lost while it was open: how often it had to connect again
 * @property {{ at: number, from: string | null, to: string, why: string }[]} transports
 * @property {{ at: number, transport: string, why: string }[]} troubles
 * @property {{ at: number, ms?: number, why?: string }[]} publishes over the path; ms: until the answer
 * @property {string | null} transport at the end
 * @property {string} state at the end
 * @property {number} [recovery] until the best transport was used again, the fault being gone
 * @property {number} ended */

const FIRST_EVERY = 100;
const POLL_MS = 20;
const FAULT_MS = 10000;
const RECOVERY_MS = 45000;

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
let count = 0;

/** @param {import('./plan.mjs').Profile} profile @param {string} column a transport, or client
 * @param {{ origin: string, proxy?: string, set?: (faults: string[]) => Promise<void> }} path
 * @param {{ Sluice: any, gateway: import('./gateway.mjs').Gateway, isQuick: boolean }} lab
 * @returns {Promise<Observed>} */
export async function runSession(profile, column, path, { Sluice, gateway, isQuick }) {
	const waits = planWaits(profile, isQuick, column);
	const channel = `lab-${process.pid}-${++count}`;
	const { fetch, WebSocket, close } = createBrowser(path);
	const began = performance.now();
	const now = () => Math.round(performance.now() - began);
	const seen = observe(waits.first);
	const client = new Sluice(path.origin, { channels: [channel], storage: null, fetch, EventSource: null,
		WebSocket, heartbeat: profile.heartbeat, ...(column === 'client' ? {} : { transports: [column] }) });
	const arrivals = listen(client, seen, now);
	const send = async (/** @type {number} */ size) => {
		const n = seen.sent.size;
		seen.sent.set(n, now());
		await gateway.publish(channel, { n, fill: 'x'.repeat(size) });
	};
	try {
		while ((seen.first === Infinity || !seen.transports.length) && now() < waits.first) {
			await send(20);
			await sleep(FIRST_EVERY);
		}
		if (seen.first < Infinity && (seen.transports.length || column === 'client')) {
			for (const step of planSession(profile, isQuick))
				await take(step, { send, client, seen, now });
			const last = now() + waits.last;
			while (now() < last && !hasAll(seen))
				await sleep(POLL_MS);
		}
		const { reordered, recovered } = arrivals;
		Object.assign(seen, { reordered, recovered, doubled: seen.doubled + arrivals.doubled, transport: client.transport, state: client.state, ended: now(),
			publishes: seen.publishes.map((publish) => ({ ...publish })) }); // closing ends those without an answer
	} finally {
		client.close();
		close();
	}
	return seen;
}

/** @param {number} limit
 * @returns {Observed} */
function observe(limit) {
	return { limit, first: Infinity, base: Infinity, sent: new Map(), got: new Map(), doubled: 0, reordered: 0,
		recovered: 0, gaps: 0, lost: 0, transports: [], troubles: [], publishes: [], transport: null, state: 'idle', ended: 0 };
}

/** @param {any} client @param {Observed} seen @param {() => number} now
 * @returns {Arrivals} of what is published beside the path; `seen` has its `got` */
function listen(client, seen, now) {
	let isOpen = false;
	const arrivals = new Arrivals();
	seen.got = arrivals.got;
	const published = new Set(); // over the path
	client.addEventListener('message', (/** @type {any} */ event) => {
		const { n, published: at } = event.data;
		if (at !== undefined) {
			seen.doubled += Number(published.has(at));
			published.add(at);
			return;
		}
		if (seen.first === Infinity)
			Object.assign(seen, { first: now(), base: n });
		arrivals.take(n, event, now());
	});
	client.addEventListener('gap', () => seen.gaps++);
	client.addEventListener('state', (/** @type {any} */ { state }) => {
		seen.lost += Number(isOpen && state !== 'open' && state !== 'closed');
		isOpen = state === 'open';
	});
	client.addEventListener('transport', (/** @type {any} */ { from, to, why }) =>
		seen.transports.push({ at: now(), from, to, why }));
	client.addEventListener('error', (/** @type {any} */ { transport, message }) =>
		seen.troubles.push({ at: now(), transport, why: message }));
	return arrivals;
}

/** @param {import('./plan.mjs').Step} step
 * @param {{ send: (size: number) => Promise<void>, client: any, seen: Observed, now: () => number }} means */
async function take(step, { send, client, seen, now }) {
	if (step.do === 'silence')
		return sleep(step.ms);
	if (step.do === 'messages') {
		for (let i = 0; i < step.count; i++) {
			await send(step.size);
			await sleep(step.every);
		}
		return;
	}
	/** @type {Observed['publishes'][0]} */
	const publish = { at: now() };
	seen.publishes.push(publish);
	client.publish(client.channels[0], { published: publish.at }).then(() => { publish.ms = now() - publish.at; },
		(/** @type {Error} */ error) => { publish.why = error.message; });
}

/** @param {Observed} seen */
function hasAll({ base, sent, got, publishes }) {
	return [...sent.keys()].every((n) => n < base || got.has(n)) && publishes.every(({ ms, why }) => ms !== undefined || why);
}

/** How long a client takes to be on the best transport when the fault is gone; looked at early,
 * since it tries less and less often.
 * @param {import('./plan.mjs').Profile} profile
 * @param {{ origin: string, proxy?: string, set?: (faults: string[]) => Promise<void> }} path
 * @param {any} Sluice
 * @returns {Promise<number>} ms */
export async function runRecovery({ stall_seconds: stall = 0 }, { origin, proxy, set }, Sluice) {
	const { fetch, WebSocket, close } = createBrowser({ proxy });
	const client = new Sluice(origin, { channels: [`lab-${process.pid}-${++count}`], storage: null, fetch,
		EventSource: null, WebSocket });
	try {
		await sleep(FAULT_MS + stall * 1000);
		await set?.([]);
		const cleared = performance.now();
		while (client.transport !== 'websocket' && performance.now() < cleared + RECOVERY_MS)
			await sleep(POLL_MS);
		return client.transport === 'websocket' ? Math.round(performance.now() - cleared) : Infinity;
	} finally {
		client.close();
		close();
	}
}
