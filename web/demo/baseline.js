// What a plain request costs: one GET every few seconds for a message that is known to exist,
// so that the answer is that message and nothing else.
import { addQuery } from '../client/base.js';
import { nameChannels } from '../client/channels.js';
import { Latency } from './latency.js';
import { Traffic } from './traffic.js';

const EVERY_MS = 3000;

/** @typedef {import('./page.js').Page} Page */

export class Baseline {
	#page;
	#demo = `request-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
	/** @type {{ id: string, channel: string } | undefined} */
	#last;

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		this.latency = new Latency();
		this.traffic = new Traffic();
		page.trace.want(this.#demo);
		page.trace.addEventListener('trace', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (detail.name === this.#demo)
				this.traffic.sample(performance.now(), detail);
		});
		for (const lane of page.lanes)
			lane.addEventListener('message',
				(event) => this.#last = /** @type {CustomEvent} */ (event).detail);
		setInterval(() => {
			if (page.front && this.#last && page.lanes.some(({ state }) => state === 'open'))
				this.#ask(this.#last);
		}, EVERY_MS);
	}

	/** @param {{ id: string, channel: string }} message */
	async #ask({ id, channel }) {
		const [epoch, seq] = id.split('-');
		const url = addQuery(new URL('poll', this.#page.base), { ...nameChannels([channel]),
			format: 'raw', wait: '0', since: `${epoch}-${Number(seq) - 1}`, demo: this.#demo });
		const began = performance.now();
		try {
			const response = await fetch(url, { cache: 'no-store' });
			const body = await response.arrayBuffer();
			const at = performance.now();
			if (response.status !== 200) // history has let go of it
				return;
			this.latency.add(at, at - began);
			this.traffic.addMessage(body.byteLength);
		} catch {
			// The gateway is away, as the lanes say too.
		}
	}
}
