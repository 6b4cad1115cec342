// A lane that may be moved: a client of one transport, its cursor, and what it was sent, checked.
import { Sluice } from '../../client/sluice.js';
import { Checker } from '../break/checker.js';

/** @typedef {import('../page.js').TransportName} TransportName */

const RECOVER_MS = 20000; // what is missing for longer is lost

/** Tells by `words` events (detail: kind, words); the rest is looked at. */
export class Reader extends EventTarget {
	#channel;
	#urlOf;
	/** @type {Sluice | null} */
	#client = null;
	/** @type {string} '0': all that is kept, before anything came */
	#cursor = '0';
	checker = new Checker(RECOVER_MS);
	state = 'stopped';
	why = '';
	isAway = false; // its gateway says that it has lost the bus
	gateway = '';
	number = 0; // the last
	moves = 0;
	gaps = 0;

	/** @param {TransportName} name @param {string} channel
	 * @param {(gateway: string) => URL} urlOf */
	constructor(name, channel, urlOf) {
		super();
		this.name = name;
		this.#channel = channel;
		this.#urlOf = urlOf;
	}

	get cursor() {
		return this.#client?.cursor ?? this.#cursor;
	}

	get running() {
		return this.#client !== null;
	}

	/** @param {string} gateway */
	start(gateway) {
		if (this.#client)
			return;
		this.gateway = gateway;
		this.#open();
	}

	stop() {
		if (!this.#client)
			return;
		this.#cursor = this.cursor;
		this.#client.close();
		this.#client = null;
		this.isAway = false;
		this.state = 'stopped';
	}

	/** Goes on at another gateway, from its cursor.
	 * @param {string} gateway @param {string} [why] */
	move(gateway, why) {
		if (gateway === this.gateway || !this.#client)
			return;
		this.stop();
		this.moves++;
		this.#tell('rise', `${this.name}: ${this.gateway} → ${gateway}`,
			`${why ? `${why}; ` : ''}resumes at ${this.#cursor}`);
		this.gateway = gateway;
		this.#open();
	}

	#open() {
		const client = this.#client = new Sluice(this.#urlOf(this.gateway),
			{ channels: [this.#channel], since: this.#cursor, transports: [this.name],
				heartbeat: 4, storage: null });
		/** @param {string} type @param {(event: any) => void} take */
		const on = (type, take) => client.addEventListener(type,
			(event) => client === this.#client && take(event));
		on('message', ({ data, late }) => this.#take(data?.number, Boolean(late)));
		on('state', ({ state, why }) => {
			this.state = state;
			this.why = why;
			if (state !== 'open')
				this.isAway = false; // the next connection is told anew
		});
		on('gap', ({ resumed }) => {
			this.gaps++;
			this.#tell('bad', `${this.name}: gap`, `the history lacks messages up to ${resumed}`);
		});
		on('backend', ({ state }) => {
			this.isAway = state === 'away';
			const words = this.isAway ? 'unreachable' : 'reachable again';
			this.#tell(this.isAway ? 'fall' : 'relief',
				`${this.name}: gateway ${this.gateway} reports the bus as ${words}`);
		});
		this.state = 'connecting';
	}

	/** @param {number} number @param {boolean} isLate */
	#take(number, isLate) {
		if (!Number.isSafeInteger(number))
			return;
		this.checker.take(number, performance.now(), isLate);
		this.number = Math.max(this.number, number);
	}

	/** @param {string} kind @param {string} words @param {string} [why] */
	#tell(kind, words, why = '') {
		this.dispatchEvent(new CustomEvent('words', { detail: { kind, words, why } }));
	}
}
