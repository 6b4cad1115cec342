// What a lane costs: the gateway's true counts of bytes, against the payload the page received.

const WINDOW_MS = 20000;

/** @typedef {import('./trace.js').TraceOfName} TraceOfName */
/** @typedef {{ at: number, heads: number, bodies: number, tls: number, requests: number,
 * 	payload: number, messages: number }} Sample */
/** @typedef {{ payload: number, framing: number, heads: number, tls: number, requests: number,
 * 	messages: number }} Share
 * bytes and requests for each message */

export class Traffic {
	/** @type {Sample[]} */
	#samples = [];
	#payload = 0;
	#messages = 0;
	#after = 0;
	connections = 0;
	requests = 0;

	/** @param {number} payload bytes */
	addMessage(payload) {
		this.#payload += payload;
		this.#messages++;
	}

	/** Begins anew.
	 * @param {number} [after] performance.now(), what is sampled before does not count */
	clear(after = 0) {
		this.#samples = [];
		this.#after = after;
	}

	/** @param {number} at performance.now() @param {TraceOfName} totals */
	sample(at, { connections, requests, received, sent }) {
		const last = this.#samples.at(-1);
		if (last && requests < last.requests)
			this.clear(); // the gateway began anew
		this.connections = connections;
		this.requests = requests;
		if (at < this.#after)
			return;
		this.#samples.push({ at, heads: received.heads + sent.heads,
			bodies: received.bodies + sent.bodies, tls: (received.tls ?? 0) + (sent.tls ?? 0),
			requests, payload: this.#payload, messages: this.#messages });
		while (this.#samples[0].at < at - WINDOW_MS)
			this.#samples.shift();
	}

	/** Over the last 20 s; undefined as long as no message came in them.
	 * @returns {Share | undefined} */
	share() {
		const [first, last] = [this.#samples[0], this.#samples.at(-1)];
		const messages = last ? last.messages - first.messages : 0;
		if (!last || messages <= 0)
			return undefined;
		const payload = last.payload - first.payload;
		return {
			messages,
			payload: payload / messages,
			framing: Math.max(0, last.bodies - first.bodies - payload) / messages,
			heads: (last.heads - first.heads) / messages,
			tls: (last.tls - first.tls) / messages,
			requests: (last.requests - first.requests) / messages,
		};
	}
}
