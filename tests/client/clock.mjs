// Timers and the clock of this process, run by hand.
const settle = () => new Promise(setImmediate);

export class Clock {
	now = 2e12; // later than any process began
	#isDeep;
	#timers = new Map();
	#count = 0;
	#real = { setTimeout, clearTimeout, now: Date.now, monotonic: performance.now };
	#stepped = 0; // ms, by which the wall clock is wrong

	/** @param {boolean} [isDeep] what runs between two timers goes through streams and bodies */
	constructor(isDeep = false) {
		this.#isDeep = isDeep;
		globalThis.setTimeout = (then, ms = 0, ...args) => {
			this.#timers.set(++this.#count, { at: this.now + ms, then: () => then(...args) });
			return this.#count;
		};
		globalThis.clearTimeout = (id) => this.#timers.delete(id);
		Date.now = () => this.now + this.#stepped;
		performance.now = () => this.now - performance.timeOrigin;
	}

	/** Somebody sets the wall clock.
	 * @param {number} ms */
	step(ms) {
		this.#stepped += ms;
	}

	#findNext(end) {
		let next;
		for (const [id, { at }] of this.#timers)
			if (at <= end && (!next || at < next.at))
				next = { id, at };
		return next;
	}

	async run(ms) {
		const end = this.now + ms;
		for (;;) {
			let next = this.#findNext(end);
			if (!next) { // but what has run may be about to set one
				await settle();
				next = this.#findNext(end);
			}
			if (!next)
				break;
			const { then } = this.#timers.get(next.id);
			this.#timers.delete(next.id);
			this.now = Math.max(this.now, next.at);
			then();
			for (let i = 0; i < 4; i++)
				await (this.#isDeep ? settle() : undefined);
		}
		this.now = end;
		await settle();
	}

	restore() {
		Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
		Date.now = this.#real.now;
		performance.now = this.#real.monotonic;
	}
}
