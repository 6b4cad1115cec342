// A lane: one transport on the page, with the client that holds it, its cursor and its figures.
import { Sluice } from '../client/sluice.js';
import { countBytes } from './format.js';
import { Latency } from './latency.js';
import { Traffic } from './traffic.js';

/** @typedef {import('./page.js').Page} Page */
/** @typedef {import('./page.js').TransportName} TransportName */
/** @typedef {'stopped' | 'resting' | 'connecting' | 'open' | 'waiting'} LaneState */

const OPENING_MS = 1500; // what proving the way costs is no message's cost
const NOT_IN_FRONT = 'another window is in front';

/** Random, so that no other window has it. */
const createName = (/** @type {string} */ transport) =>
	`lane-${transport}-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;

/** Tells by events: `message` and `gap` (the client's own), `note` (detail: words) and `state`. */
export class Lane extends EventTarget {
	#page;
	#place;
	#channel = '';
	#url = ''; // in use
	/** @type {string | undefined} */
	#cursor;
	#wanted = false; // it runs, or would if the window were in front
	#began = 0; // the gateway's time
	/** @type {Sluice | null} */
	client = null;
	/** @type {LaneState} */
	state = 'stopped';
	why = '';
	messages = 0;
	gaps = 0;
	late = 0; // messages that the client recovered
	/** Set by the view that shows it. @type {HTMLElement | null} */
	element = null;

	/** @param {Page} page @param {TransportName} name
	 * @param {number} place of its origin, -1: the base */
	constructor(page, name, place) {
		super();
		this.#page = page;
		this.#place = place;
		this.name = name;
		this.demo = createName(name);
		this.latency = new Latency();
		this.traffic = new Traffic();
		page.trace.want(this.demo);
		page.trace.addEventListener('trace', (event) => {
			const { detail } = /** @type {CustomEvent} */ (event);
			if (detail.name === this.demo)
				this.traffic.sample(performance.now(), detail);
		});
		page.addEventListener('front', () => this.#open());
		page.addEventListener('rest', () => this.#close('resting'));
		page.addEventListener('origins', () => this.#move());
	}

	get url() {
		return this.#page.origins[this.#place] ?? this.#page.base.href;
	}

	get running() {
		return this.#wanted;
	}

	get resting() {
		return this.#wanted && !this.client;
	}

	/** Another channel: from now.
	 * @param {string} channel */
	watch(channel) {
		this.stop();
		this.#channel = channel;
		this.#cursor = undefined;
		this.latency.clear();
		this.traffic.clear();
		this.start();
	}

	start() {
		this.#wanted = true;
		if (this.#page.front)
			this.#open();
		else
			this.#show('resting', NOT_IN_FRONT);
	}

	stop() {
		this.#wanted = false;
		this.#close('stopped');
	}

	#open() {
		if (!this.#wanted || this.client)
			return;
		this.#began = this.#page.time();
		const { demo, name } = this;
		this.#url = this.url;
		const client = this.client = new Sluice(this.#url, {
			channels: [this.#channel], since: this.#cursor, transports: [name], params: { demo },
			storage: null, // what a lane learns is not for others
		});
		client.addEventListener('message', (event) => this.#take(/** @type {any} */ (event)));
		client.addEventListener('gap', (event) => this.#takeGap(/** @type {any} */ (event)));
		client.addEventListener('state', (event) => {
			const { state, why, wait } = /** @type {any} */ (event);
			if (state === 'waiting') {
				this.#show('waiting', `retry in ${((wait ?? 0) / 1000).toFixed(1)} s: ${why}`);
				this.#page.checkOrigins();
			} else if (state === 'connecting' || state === 'open')
				this.#show(state, why);
			if (state === 'open')
				this.traffic.clear(performance.now() + OPENING_MS);
		});
		client.addEventListener('error', (event) => this.#note(/** @type {any} */ (event).message));
		this.#show('connecting', '');
	}

	/** Goes on at another origin if its own is not there any more. */
	#move() {
		if (!this.client || this.#url === this.url || this.state !== 'waiting')
			return;
		const [from, to] = [this.#url, this.url].map((url) => new URL(url).host);
		this.#note(`${from} is unreachable: the lane resumes at ${to}`);
		this.#close('connecting');
		this.#open();
	}

	/** @param {LaneState} state of it afterwards */
	#close(state) {
		if (this.client) {
			this.#cursor = this.client.cursor ?? this.#cursor;
			this.client.close();
			this.client = null;
		}
		if (state === 'stopped' || this.#wanted)
			this.#show(state, state === 'resting' ? NOT_IN_FRONT : '');
	}

	/** @param {import('../client/sluice.js').SluiceEvent} message */
	#take(message) {
		const { time, data, late } = message;
		this.messages++;
		this.late += Number(Boolean(late));
		this.traffic.addMessage(countBytes(data));
		// What waited while the lane did not run says nothing of the transport.
		if (time >= this.#began)
			this.#page.frames.painted((at) =>
				this.latency.add(at, (this.#page.timeAt(at) - time) / 1000));
		this.dispatchEvent(new CustomEvent('message', { detail: message }));
	}

	/** @param {import('../client/sluice.js').SluiceEvent} gap */
	#takeGap(gap) {
		this.gaps++;
		this.#note(`gap: the history lacks messages up to ${gap.resumed}`);
	}

	/** @param {string} words */
	#note(words) {
		this.dispatchEvent(new CustomEvent('note', { detail: words }));
	}

	/** @param {LaneState} state @param {string} why */
	#show(state, why) {
		this.state = state;
		this.why = why;
		this.dispatchEvent(new Event('state'));
	}
}
