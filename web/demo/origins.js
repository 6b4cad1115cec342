// Where else the gateway listens, and what time it has there. A browser opens six HTTP/1.1
// connections to a host: lanes that each hold one need origins of their own.

const REACH_MS = 2000;
const CHECK_MS = 2000;
const ROUND_TRIPS = 4;
const AGAIN_MS = 30000; // clocks drift

const isLoopback = (/** @type {string} */ host) =>
	host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);

export class Origins {
	#base;
	#found = '';
	#checking = false;
	#next = 0; // check, not before
	#offset = 0; // µs, the gateway's clock less this one's

	/** @param {URL} base */
	constructor(base) {
		this.#base = base;
		this.isDemo = false;
		this.isCluster = false;
		/** @type {string[]} */
		this.list = [];
		/** @type {{ origin: string, control: string } | null} */
		this.obstacle = null;
	}

	/** The gateway's time, µs since the epoch, at a moment of this window's.
	 * @param {number} at performance.now() */
	timeAt(at) {
		return (performance.timeOrigin + at) * 1000 + this.#offset;
	}

	/** Asks the gateway for them and tries each. */
	async find() {
		const found = await this.#offers() ? await this.#ask() : undefined;
		if (!found)
			return;
		this.isDemo = true;
		this.isCluster = found.cluster;
		this.#found = found.join();
		await Promise.all([this.#try(found), found.obstacle && this.#findObstacle()]);
		setInterval(() => document.hidden || this.#measure(1), AGAIN_MS);
		await this.#measure(ROUND_TRIPS);
	}

	/** Tries them again, when one does not answer any more. A gateway that began anew has others,
	 * which this page's policy does not know. */
	async check() {
		const found = this.isDemo && !this.#checking && performance.now() > this.#next ?
			await this.#ask() : undefined;
		if (!found)
			return;
		this.#checking = true;
		if (found.join() === this.#found)
			await this.#try(found);
		else
			this.list = found.map(() => this.#base.href);
		this.#next = performance.now() + CHECK_MS;
		this.#checking = false;
	}

	/** @param {string[]} found */
	async #try(found) {
		// From elsewhere, 127.0.0.1 is another machine.
		this.list = isLoopback(location.hostname) ?
			await Promise.all(found.map((origin) => this.#reach(origin))) :
			found.map(() => this.#base.href);
	}

	/** Its control is asked, since the way through it may be broken on purpose. */
	async #findObstacle() {
		if (!isLoopback(location.hostname))
			return;
		try {
			const response = await fetch(new URL('demo/api/obstacle', this.#base),
				{ cache: 'no-store' });
			const obstacle = await response.json();
			const faults = await fetch(`${obstacle.control}/faults`,
				{ cache: 'no-store', signal: AbortSignal.timeout(REACH_MS) });
			this.obstacle = faults.ok ? obstacle : null;
		} catch {
			// the page does without
		}
	}

	/** Only under --demo is there anything to ask for. */
	async #offers() {
		try {
			const response = await fetch(new URL('transports', this.#base), { cache: 'no-store' });
			return Boolean((await response.json()).demo);
		} catch {
			return false;
		}
	}

	async #ask() {
		const sent = this.#now();
		try {
			const response = await fetch(new URL('demo/api/origins', this.#base),
				{ cache: 'no-store' });
			if (!response.ok)
				return undefined;
			const { origins, obstacle, cluster, time } = await response.json();
			const trip = this.#now() - sent;
			return Object.assign(/** @type {string[]} */ (origins),
				{ obstacle: Boolean(obstacle), cluster: Boolean(cluster),
					trip, offset: time - (sent + trip / 2) });
		} catch {
			return undefined;
		}
	}

	#now() {
		return (performance.timeOrigin + performance.now()) * 1000;
	}

	/** The shortest round trip tells the clock best.
	 * @param {number} times */
	async #measure(times) {
		let shortest = Infinity;
		for (let i = 0; i < times; i++) {
			const answer = await this.#ask();
			if (answer && answer.trip < shortest) {
				shortest = answer.trip;
				this.#offset = answer.offset;
			}
		}
	}

	/** @param {string} origin */
	async #reach(origin) {
		const url = new URL(this.#base.pathname, origin);
		try {
			const response = await fetch(new URL('healthz', url),
				{ cache: 'no-store', signal: AbortSignal.timeout(REACH_MS) });
			return response.headers.get('Sluice') === null ? this.#base.href : url.href;
		} catch {
			return this.#base.href;
		}
	}
}
