// Which of the windows of this page is looked at: the one that was focused last, unless it is
// hidden. The others rest, so that they do not take the connections and the processor of it.

/** @typedef {{ id: string, at: number, left?: boolean }} Claim */

export class Front {
	#tell;
	#id = Math.random().toString(36).slice(2);
	#at = 0; // when this window said that it is in front
	#started = false;
	#channel = new BroadcastChannel('sluice demo');

	/** @param {(isFront: boolean) => void} tell */
	constructor(tell) {
		this.isFront = false;
		this.#tell = tell;
	}

	start() {
		this.#started = true;
		this.#channel.addEventListener('message', ({ data }) => this.#hear(data));
		addEventListener('focus', () => this.#claim());
		addEventListener('pageshow', () => this.#claim());
		addEventListener('pagehide', () => this.#leave());
		document.addEventListener('visibilitychange',
			() => document.hidden ? this.#leave() : this.#claim());
		this.#claim();
	}

	#claim() {
		if (document.hidden)
			return;
		this.#at = Date.now();
		this.#channel.postMessage({ id: this.#id, at: this.#at });
		this.#set(true);
	}

	#leave() {
		if (this.isFront)
			this.#channel.postMessage({ id: this.#id, at: this.#at, left: true });
		this.#set(false);
	}

	/** @param {Claim} claim */
	#hear({ id, at, left }) {
		if (left) // whoever is still in sight may go on; if several do, the latest stays
			this.#claim();
		else if (at > this.#at || (at === this.#at && id > this.#id))
			this.#set(false);
	}

	/** @param {boolean} isFront */
	#set(isFront) {
		if (!this.#started || isFront === this.isFront)
			return;
		this.isFront = isFront;
		this.#tell(isFront);
	}
}
