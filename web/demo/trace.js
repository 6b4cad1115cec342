// What the gateway says went over the wire: one request at a time for every name somebody
// wants, twice a second while the page is looked at.

const EVERY_MS = 500;
const AWAY_MS = 2000; // while the gateway does not answer

/** @typedef {{ n: number, time: number, connection: number, transport: string,
 * 	from: 'client' | 'gateway', what: 'head' | 'bytes' | 'open' | 'close', bytes: number,
 * 	tls?: number, handshake?: { received: number, sent: number }, base64?: string }} TraceEvent
 * time: µs of the gateway's clock; tls: bytes of the wire beside those of the event */
/** @typedef {{ heads: number, bodies: number, tls?: number }} Totals bytes */
/** @typedef {{ name: string, connections: number, requests: number, received: Totals, sent: Totals,
 * 	blocked: string[], next: number, dropped: number, events: TraceEvent[] }} TraceOfName
 * next: the last event's number */

/** Tells by `trace` events, whose detail is a TraceOfName. */
export class Trace extends EventTarget {
	#base;
	/** @type {Map<string, { wanted: number, after: number }>} */
	#names = new Map();
	/** @type {string | null} */
	#shown = null;
	#started = false;
	#running = false;
	#asking = false;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/** @param {URL} base */
	constructor(base) {
		super();
		this.#base = base;
	}

	/** The gateway has traces. */
	start() {
		this.#started = true;
		this.#plan(0);
	}

	/** @param {boolean} running */
	run(running) {
		this.#running = running;
		this.#plan(0);
	}

	/** @param {string} name
	 * @returns {() => void} what ends the interest */
	want(name) {
		const entry = this.#names.get(name) ?? { wanted: 0, after: 0 };
		this.#names.set(name, entry);
		entry.wanted++;
		return () => --entry.wanted || this.#names.delete(name);
	}

	/** Whose bytes are wanted too, from the oldest that is kept; null: nobody's.
	 * @param {string | null} name */
	show(name) {
		this.#shown = name;
		const entry = name && this.#names.get(name);
		if (entry)
			entry.after = 0; // what was told without its bytes is told again
		this.#plan(0);
	}

	/** @param {number} ms */
	#plan(ms) {
		clearTimeout(this.#timer);
		if (this.#started && this.#running && !this.#asking)
			this.#timer = setTimeout(() => this.#ask(), ms);
	}

	async #ask() {
		const began = performance.now();
		this.#asking = true;
		let wait = EVERY_MS;
		try {
			if (this.#names.size)
				this.#take(await this.#read());
		} catch {
			wait = AWAY_MS; // the lanes say so too
		}
		this.#asking = false;
		this.#plan(Math.max(0, wait - (performance.now() - began)));
	}

	async #read() {
		const url = new URL('demo/api/trace', this.#base);
		url.searchParams.set('of',
			[...this.#names].map(([name, { after }]) => `${name}:${after}`).join());
		if (this.#shown)
			url.searchParams.set('show', this.#shown);
		const response = await fetch(url, { cache: 'no-store' });
		return response.ok ? (await response.json()).names : {};
	}

	/** @param {Record<string, Omit<TraceOfName, 'name'>>} answers */
	#take(answers) {
		for (const [name, answer] of Object.entries(answers)) {
			const entry = this.#names.get(name);
			if (!entry)
				continue;
			entry.after = answer.next;
			this.dispatchEvent(new CustomEvent('trace', { detail: { name, ...answer } }));
		}
	}
}
