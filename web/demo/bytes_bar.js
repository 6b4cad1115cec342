// What each message costs, as a bar of payload, framing, HTTP heads and TLS; the bars of all
// lanes share one scale.
import { formatBytes, formatShare } from './format.js';

/** @typedef {import('./lane.js').Lane} Lane */

const parts = /** @type {('payload' | 'framing' | 'heads' | 'tls')[]} */ (
	['payload', 'framing', 'heads', 'tls']);

export class BytesBar {
	#lane;
	#lanes;
	#elements;

	/** @param {Lane} lane @param {Lane[]} lanes that share the scale @param {HTMLElement} host */
	constructor(lane, lanes, host) {
		this.#lane = lane;
		this.#lanes = lanes;
		/** @returns {any} */
		const find = (/** @type {string} */ selector) => host.querySelector(selector);
		this.#elements = { bar: find('.bar'), total: find('.total'),
			bars: parts.map((part) => find(`.bar .part-${part}`)),
			figures: parts.map((part) => find(`dd.part-${part}`)) };
	}

	draw() {
		const { bar, total, bars, figures } = this.#elements;
		const share = this.#lane.traffic.share();
		const widest = Math.max(1, ...this.#lanes.map((lane) => sum(lane.traffic.share())));
		total.textContent = share ? formatBytes(sum(share)) : '–';
		parts.forEach((part, i) => {
			bars[i].style.width = `${(share ? share[part] : 0) / widest * 100}%`;
			figures[i].textContent = share ? formatShare(share[part]) : '–';
		});
		const words = share &&
			`${formatBytes(sum(share))} per message, on a scale up to ${formatBytes(widest)}`;
		bar.setAttribute('aria-label', words || 'no message yet');
	}
}

/** @param {import('./traffic.js').Share | undefined} share */
export function sum(share) {
	return share ? share.payload + share.framing + share.heads + share.tls : 0;
}
