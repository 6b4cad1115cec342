// Remembers for half an hour what worked for this gateway. The memory only orders the candidates;
// storage that is full, foreign or forbidden is no error.
//
// A page cannot know which network it is in. If the browser says whether it is wifi or cellular
// (Chromium on phones), each has its own memory. Elsewhere one memory serves all networks, and the
// event `online` makes the client try the better transports again at once.

const MS = 30 * 60000;

/** @typedef {{ transport?: string } & import('./patience.js').Known} Known */

export class Memory {
	#origin;
	#storage;

	/** @param {string} origin
	 * @param {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] null: remember nothing */
	constructor(origin, storage) {
		this.#origin = origin;
		try {
			this.#storage = storage === undefined ? globalThis.window?.localStorage : storage;
		} catch {} // a sandboxed page
	}

	get #key() {
		/** @type {any} */
		const { connection } = globalThis.navigator ?? {};
		return `sluice ${this.#origin} ${connection?.type ?? ''}`;
	}

	/** @param {number} now ms
	 * @returns {Known} */
	read(now) {
		try {
			const { at, ...known } = JSON.parse(this.#storage?.getItem(this.#key) ?? '');
			return now - at >= 0 && now - at < MS ? known : {};
		} catch {
			return {};
		}
	}

	/** @param {Known} known @param {number} now ms */
	write(known, now) {
		try {
			this.#storage?.setItem(this.#key, JSON.stringify({ ...known, at: now }));
		} catch {}
	}
}
