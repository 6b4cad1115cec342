// What worked for this origin on this network, for half an hour. It only orders the
// candidates; storage that is full, foreign or forbidden is no error.

const MS = 30 * 60000;

/** @typedef {{ transport?: string, heartbeat?: number, hold?: number }} Known */

export class Memory {
	#key;
	#storage;

	/** @param {string} origin
	 * @param {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] null: remember nothing */
	constructor(origin, storage) {
		/** @type {any} */
		const { connection } = globalThis.navigator ?? {};
		this.#key = `sluice ${origin} ${connection?.type ?? ''}`;
		try {
			this.#storage = storage === undefined ? globalThis.window?.localStorage : storage;
		} catch {} // a sandboxed page
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
