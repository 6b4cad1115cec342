// Break it: a client of its own, obstacles before it, and a checker that counts what arrives.
import { Sluice } from '../../client/sluice.js';
import { create, createName, get, whileSeen } from '../panel.js';
import { Checker } from './checker.js';
import { Ladder } from './ladder.js';
import { Numbers } from './numbers.js';
import { StripChart } from './strip_chart.js';
import { createWays } from './tries.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../page.js').TransportName} TransportName */
/** @typedef {import('../../client/sluice.js').SluiceEvent} SluiceEvent */

const names = /** @type {TransportName[]} */ (['websocket', 'sse', 'stream', 'longpoll', 'poll']);
const PLUG_MS = 5000;
const STRIP_S = 60;
const EVENTS = 60; // on the page
/** Shorter than a client's own, so that what takes minutes is seen in seconds. */
const timings = { race: 300, check: 1000, young: 1500, promote: [3000, 5000, 8000, 12000] };

export class Break {
	#page;
	#demo = `break-${createName()}`;
	#channel = `demo.break.${createName()}`;
	#checker = new Checker();
	#numbers;
	#ladder;
	#chart;
	/** @type {Sluice | null} */
	#client = null;
	/** @type {string | undefined} */
	#cursor;
	/** @type {TransportName[]} */
	#blocked = [];
	#sending = Promise.resolve();
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#plug;
	#switches = 0;
	#lastAt = 0; // the last message
	/** @type {HTMLElement | null} of the switch whose first message has not come */
	#pause = null;
	/** Failures since the last change, each told once. @type {Map<string, { count: HTMLElement, times: number }>} */
	#failures = new Map();
	/** What is said of a time when nothing works. @type {HTMLElement | null} */
	#outage = null;

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		this.#ladder = new Ladder(get('break-ladder'), names, (name) => this.#toggle(name));
		this.#chart = new StripChart(get('break-strip'), names, STRIP_S);
		this.#numbers = new Numbers(page.base, this.#channel, (number) => this.#checker.expect(number));
		get('break-plug').addEventListener('click', () => this.#pull());
		get('break-clear').addEventListener('click', () => this.#block([], 'All obstacles are gone'));
		page.frames.addChart(get('break-strip'), 200, () => this.#chart.draw(performance.now()));
		page.frames.addChart(get('break-ladder'), 100, () => this.#draw());
		whileSeen(page, get('break'), (seen) => seen ? this.#start() : this.#rest());
		this.#draw();
	}

	#start() {
		const client = this.#client = new Sluice(this.#page.base, { channels: [this.#channel], since: this.#cursor,
			params: { demo: this.#demo }, timings, storage: null,
			...createWays((name) => this.#tried(name)) });
		/** @param {string} type @param {(event: SluiceEvent) => void} take */
		const on = (type, take) => client.addEventListener(type, (event) => client === this.#client && take(/** @type {any} */ (event)));
		on('message', (event) => this.#take(event));
		on('transport', (event) => this.#switch(event));
		on('state', (event) => this.#changeState(event));
		on('error', ({ transport, message }) => this.#fail(/** @type {TransportName} */ (transport), message));
		on('gap', ({ after, resumed }) => this.#tell('bad', `A gap: what lies between ${after} and ${resumed} is no longer kept`));
		client.addEventListener('open', () => client === this.#client && this.#numbers.start(() => this.#client), { once: true });
	}

	/** Out of sight: no connection, no messages. It goes on where it was. */
	#rest() {
		this.#numbers.stop();
		this.#cursor = this.#client?.cursor ?? this.#cursor;
		this.#client?.close();
		this.#client = null;
		this.#lastAt = 0;
		this.#ladder.use(null);
		this.#chart.strip.use(null, performance.now());
		if (this.#blocked.length)
			this.#block([], 'Out of sight: all obstacles are gone');
	}

	/* ---- the obstacles ---- */

	/** @param {TransportName} name */
	#toggle(name) {
		const isBlocked = this.#blocked.includes(name);
		this.#block(names.filter((other) => other === name ? !isBlocked : this.#blocked.includes(other)),
			`${isBlocked ? 'Unblocked' : 'Blocked'} ${name}`);
	}

	#pull() {
		const before = this.#blocked;
		this.#block(names, 'The plug is pulled: nothing gets through');
		get('break-plug').disabled = true;
		this.#plug = setTimeout(async () => {
			this.#block(before, 'The plug is in again');
			await this.#sending;
			dispatchEvent(new Event('online')); // which a browser says of a real plug
		}, PLUG_MS);
	}

	/** One list after another, so that the last one stays.
	 * @param {TransportName[]} wanted @param {string} words */
	#block(wanted, words) {
		clearTimeout(this.#plug);
		get('break-plug').disabled = false;
		this.#tell(wanted.length > this.#blocked.length ? 'obstacle' : 'relief', words);
		this.#blocked = wanted;
		this.#failures.clear();
		this.#ladder.block(wanted);
		this.#chart.strip.block(wanted, performance.now());
		const url = new URL('demo/api/blocked', this.#page.base);
		url.searchParams.set('name', this.#demo);
		this.#sending = this.#sending.then(async () => {
			const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wanted) });
			if (!response.ok)
				throw new Error(`status ${response.status}`);
		}).catch((error) => void this.#tell('bad', `The gateway did not take the obstacles: ${error.message}`));
		this.#draw();
	}

	/* ---- what the client says ---- */

	/** @param {TransportName} name */
	#tried(name) {
		if (name !== this.#client?.transport)
			this.#ladder.tried(name, performance.now());
	}

	/** @param {SluiceEvent} event */
	#take({ data }) {
		const now = performance.now();
		if (!Number.isSafeInteger(data?.number))
			return;
		this.#checker.take(data.number);
		if (this.#pause) {
			const waited = (now - this.#lastAt) / 1000;
			if (this.#lastAt)
				this.#pause.textContent = ` Messages again after ${waited.toFixed(waited < 1 ? 2 : 1)} s.`;
			this.#pause = null;
		}
		this.#lastAt = now;
	}

	/** @param {SluiceEvent} event */
	#switch({ from, to, why }) {
		const name = /** @type {TransportName} */ (to);
		this.#failures.clear();
		this.#outage = null;
		const isBetter = from && names.indexOf(name) < names.indexOf(/** @type {TransportName} */ (from));
		if (from)
			this.#switches++;
		this.#ladder.use(name);
		this.#chart.strip.use(name, performance.now());
		const entry = this.#tell(from && !isBetter ? 'fall' : 'rise', !from ? `Begins on ${to}` : from === to ? `On ${to} again` :
			`${isBetter ? 'Back' : 'Down'} from ${from} to ${to}`, why);
		this.#pause = from ? entry : null;
		get('break-why').textContent = `${from && from !== to ? `${from} → ${to}` : to}: ${why}.`;
	}

	/** @param {SluiceEvent} event */
	#changeState({ state, why, wait }) {
		if (state === 'open')
			return;
		this.#ladder.use(null);
		this.#chart.strip.use(null, performance.now());
		if (state === 'waiting') {
			this.#outage ??= this.#tell('bad', 'Nothing works now');
			this.#outage.textContent = ` – ${why}; tries again in ${((wait ?? 0) / 1000).toFixed(1)} s.`;
			get('break-why').textContent = `Nothing works: ${why}.`;
		}
	}

	/** @param {TransportName} transport @param {string} message */
	#fail(transport, message) {
		if (!transport)
			return;
		this.#ladder.failed(transport, message);
		if (this.#outage) // they all fail
			return;
		const words = `${transport}: ${message}`;
		const known = this.#failures.get(words);
		if (known)
			known.count.textContent = ` (${++known.times} times)`;
		else
			this.#failures.set(words, { times: 1, count: this.#tell('failure', `${transport} failed`, message) });
	}

	/* ---- what is shown ---- */

	/** @param {string} kind @param {string} words @param {string} [why]
	 * @returns {HTMLElement} where more can be said of it */
	#tell(kind, words, why = '') {
		const list = get('break-events');
		const more = create('span', 'quiet');
		const time = new Date().toLocaleTimeString('en-GB', { hour12: false });
		list.prepend(create('li', `is-${kind}`, create('time', 'number quiet', time), create('p', {}, create('b', {}, words),
			why ? ` – ${why}.` : '', more)));
		while (list.childElementCount > EVENTS)
			list.lastElementChild.remove();
		return more;
	}

	#draw() {
		const { lost, doubled, reordered, received, published, underway, isClean } = this.#checker;
		this.#ladder.draw(performance.now());
		/** @param {string} id @param {string} words */
		const set = (id, words) => {
			if (get(id).textContent !== words)
				get(id).textContent = words;
		};
		set('break-verdict', `${lost} lost, ${doubled} doubled, ${reordered} out of order of ${received.toLocaleString('en')}`);
		get('break-verdict').dataset.clean = String(isClean);
		set('break-published', published.toLocaleString('en'));
		set('break-received', received.toLocaleString('en'));
		set('break-underway', underway.toLocaleString('en'));
		set('break-switches', String(this.#switches));
	}
}
