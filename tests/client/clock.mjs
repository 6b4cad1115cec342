// A clock for tests of what waits: nothing happens until it is run.
const settle = () => new Promise(setImmediate);

/** Timers and the clock of this process, run by hand. */
export class Clock {
	now = 1e12;
	#timers = new Map();
	#count = 0;
	#real = { setTimeout, clearTimeout, now: Date.now };

	constructor() {
		globalThis.setTimeout = (then, ms = 0, ...args) => {
			this.#timers.set(++this.#count, { at: this.now + ms, then: () => then(...args) });
			return this.#count;
		};
		globalThis.clearTimeout = (id) => this.#timers.delete(id);
		Date.now = () => this.now;
	}

	async run(ms) {
		const end = this.now + ms;
		for (;;) {
			let next;
			for (const [id, { at }] of this.#timers)
				if (at <= end && (!next || at < next.at))
					next = { id, at };
			if (!next)
				break;
			const { then } = this.#timers.get(next.id);
			this.#timers.delete(next.id);
			this.now = Math.max(this.now, next.at);
			then();
			for (let i = 0; i < 4; i++)
				await undefined;
		}
		this.now = end;
		await settle();
	}

	restore() {
		Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
		Date.now = this.#real.now;
	}
}
