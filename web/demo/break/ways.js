// How faults come into force: over the control address of the obstacle, or by the gateway's
// own blocks. Both take a list of faults, and which of them are new in it.

/** @typedef {import('./faults.js').Fault} Fault */
import { blockedBy } from './faults.js';

const PATIENCE_MS = 2000;

/** @param {string | URL} url @param {any} value @param {Record<string, string>} [headers] */
async function post(url, value, headers) {
	const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(value),
		keepalive: true, // a page that goes takes its faults away
		signal: AbortSignal.timeout(PATIENCE_MS) });
	if (!response.ok)
		throw new Error(`status ${response.status}`);
}

/** sluice-obstacle, which stands before the gateway. */
export class Obstacle {
	#control;

	/** @param {{ origin: string, control: string }} where @param {URL} base of the gateway */
	constructor({ origin, control }, base) {
		this.base = new URL(base.pathname, origin);
		this.#control = control;
	}

	/** @param {Fault[]} list @param {Fault[]} added */
	async set(list, added) {
		const texts = list.flatMap((fault) => fault.texts);
		const cuts = added.flatMap((fault) => fault.cuts ?? []);
		if (cuts.length) // once: each list that has them cuts
			await post(`${this.#control}/faults`, [...texts, ...new Set(cuts)]);
		await post(`${this.#control}/faults`, texts);
	}

	/** Ends what runs, and tells nobody. @param {Fault[]} list */
	async swallow(list) {
		await this.set(list, [{ id: '', name: '', texts: [], blocks: [], cuts: ['cut=hole'] }]);
	}

	/** How often each text that is in force took effect.
	 * @returns {Promise<Map<string, number>>} */
	async count() {
		const response = await fetch(`${this.#control}/counts`,
			{ cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
		return new Map(Object.entries((await response.json()).faults));
	}
}

/** Transports blocked to a name by the gateway (PROTOCOL.md, under --demo only). */
export class Blocks {
	#url;

	/** @param {URL} base of the gateway @param {string} name */
	constructor(base, name) {
		this.base = base;
		this.#url = new URL('demo/api/blocked', base);
		this.#url.searchParams.set('name', name);
	}

	/** @param {Fault[]} list */
	async set(list) {
		await post(this.#url, blockedBy(list), { 'Content-Type': 'application/json' });
	}
}
