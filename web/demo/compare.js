// The table: what the lanes, and a plain request beside them, have measured so far.
import { Baseline } from './baseline.js';
import { formatBytes, formatMs, formatShare } from './format.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./latency.js').Latency} Latency */
/** @typedef {import('./traffic.js').Traffic} Traffic */

export class Compare {
	/** @type {{ row: any, latency: Latency, traffic: Traffic }[]} */
	#entries;

	/** @param {Page} page */
	constructor(page) {
		const table = /** @type {HTMLElement} */ (document.getElementById('comparison'));
		const row = (/** @type {string} */ name) =>
			table.querySelector(`[data-transport="${name}"]`);
		this.#entries = [{ row: row('request'), ...new Baseline(page) },
			...page.lanes.map(({ name, latency, traffic }) =>
				({ row: row(name), latency, traffic }))];
		page.frames.addChart(null, 1000, () => this.#fill());
	}

	#fill() {
		const now = performance.now();
		for (const { row, latency, traffic } of this.#entries) {
			const share = traffic.share();
			const [middle, most] = latency.quantiles(now, 0.5, 0.99);
			const put = (/** @type {string} */ name, /** @type {string} */ text) => {
				const cell = row.querySelector(`.${name}`);
				if (cell.textContent !== text)
					cell.textContent = text;
			};
			put('overhead', share ? formatBytes(share.framing + share.heads + share.tls) : '–');
			put('requests', share ? formatShare(share.requests) : '–');
			put('p50', formatMs(middle));
			put('p99', formatMs(most));
		}
	}
}
