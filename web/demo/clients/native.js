// The gateway's own client.
import { Sluice } from '../../client/sluice.js';
import { countBytes } from '../format.js';
import { originAt } from '../panel.js';
import { Side } from './side.js';

/** @typedef {import('../page.js').TransportName} TransportName */

export class NativeSide extends Side {
	#channel;
	#event;
	/** @type {Sluice | null} */
	#client = null;

	/** @param {import('../page.js').Page} page @param {string} channel @param {string} event */
	constructor(page, channel, event) {
		super(page, 'native');
		this.#channel = channel;
		this.#event = event;
	}

	/** @param {string} demo @param {string} over */
	open(demo, over) {
		const client = this.#client = new Sluice(originAt(this.page, 4), {
			channels: [this.#channel], params: { demo }, storage: null,
			...over && { transports: [/** @type {TransportName} */ (over)] },
		});
		client.addEventListener('message', (event) => {
			const { data } = /** @type {any} */ (event);
			this.take(data, countBytes(data));
		});
		client.addEventListener('open', () => this.use(client.transport ?? ''));
		client.addEventListener('state', (event) => {
			const { state, why } = /** @type {any} */ (event);
			if (state === 'waiting')
				this.tell(`disconnected: ${why}`);
		});
	}

	close() {
		this.#client?.close();
		this.#client = null;
	}

	/** @param {import('./side.js').Line} line */
	async publish(line) {
		await this.#client?.publish(this.#channel, line, { event: this.#event });
	}
}
