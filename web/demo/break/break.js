// Break it: a client of its own, obstacles before it, and a checker that counts what arrives.
import { Sluice } from '../../client/sluice.js';
import { create, createName, get, names, whileSeen } from '../panel.js';
import { Checker, describeVerdict } from './checker.js';
import { FaultList } from './fault_list.js';
import { blockedBy, blocks, faults, groups, plug } from './faults.js';
import { Ladder } from './ladder.js';
import { Numbers } from './numbers.js';
import { StripChart } from './strip_chart.js';
import { createWays } from './tries.js';
import { Blocks, Obstacle } from './ways.js';

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../page.js').TransportName} TransportName */
/** @typedef {import('../../client/sluice.js').SluiceEvent} SluiceEvent */
/** @typedef {import('./faults.js').Fault} Fault */

const PLUG_MS = 5000;
const LOOK_MS = 1000; // at what the obstacle does
const LOOKS = 5; // in vain, then it is gone
const STRIP_S = 60;
const EVENTS = 60; // on the page
const RECOVER_MS = 20000; // five heartbeats; what is still missing then is lost
/** Shorter than a client's own, so that what takes minutes is seen in seconds. */
const timings = { race: 300, check: 1000, young: 1500, promote: [2000, 3000, 4000, 5000] };
const heartbeat = 4;

export class Break {
	#page;
	#demo = `break-${createName()}`;
	#channel = `demo.break.${createName()}`;
	#checker = new Checker(RECOVER_MS);
	#numbers;
	#ladder;
	#chart;
	/** @type {Sluice | null} */
	#client = null;
	/** @type {string | undefined} */
	#cursor;
	/** @type {Obstacle | Blocks} */
	#way;
	/** @type {FaultList | null} */
	#list = null;
	/** @type {Fault[]} that are in force */
	#faults = [];
	#sending = Promise.resolve();
	#sent = 0;
	#misses = 0; // looks in vain
	/** @type {ReturnType<typeof setInterval> | undefined} */
	#looking;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#plug;
	#switches = 0;
	#move = ''; // the last
	#lastAt = 0; // the last message
	/** @type {HTMLElement | null} of the switch whose first message has not come */
	#pause = null;
	/** Failures since the last change, each told once.
	 * @type {Map<string, { count: HTMLElement, times: number }>} */
	#failures = new Map();
	/** What is said of the messages that came late since the last loss.
	 * @type {{ words: HTMLElement, times: number } | null} */
	#recovered = null;
	/** What is said of a time when nothing works. @type {HTMLElement | null} */
	#outage = null;

	/** @param {Page} page */
	constructor(page) {
		this.#page = page;
		this.#ladder = new Ladder(get('break-ladder'), names,
			(name) => this.#toggle(blocks[names.indexOf(name)]));
		this.#way = new Blocks(page.base, this.#demo);
		if (page.obstacle)
			this.#useObstacle(new Obstacle(page.obstacle, page.base));
		this.#chart = new StripChart(get('break-strip'), names, STRIP_S);
		this.#numbers = new Numbers(page.base, this.#channel,
			(number) => this.#checker.expect(number));
		get('break-plug').addEventListener('click', () => this.#pull());
		get('break-clear').addEventListener('click', () => this.#set([], 'All obstacles removed'));
		page.frames.addChart(get('break-strip'), 200, () => this.#chart.draw(performance.now()));
		page.frames.addChart(get('break'), 100, () => this.#draw());
		whileSeen(page, get('break'), (seen) => seen ? this.#start() : this.#rest());
		this.#draw();
	}

	#start() {
		if (this.#way instanceof Obstacle) {
			this.#looking = setInterval(() => this.#look(), LOOK_MS);
			this.#look();
		}
		const options = { channels: [this.#channel], since: this.#cursor,
			params: { demo: this.#demo }, timings, heartbeat, storage: null,
			...createWays((name) => this.#tried(name)) };
		const client = this.#client = new Sluice(this.#way.base, options);
		/** @param {string} type @param {(event: SluiceEvent) => void} take */
		const on = (type, take) => client.addEventListener(type,
			(event) => client === this.#client && take(/** @type {any} */ (event)));
		on('message', (event) => this.#take(event));
		on('transport', (event) => this.#switch(event));
		on('state', (event) => this.#changeState(event));
		on('error', ({ transport, message, code }) =>
			this.#fail(/** @type {TransportName} */ (transport), message, code));
		on('gap', ({ after, resumed }) => this.#tell('bad',
			`Gap: the history lacks messages between ${after} and ${resumed}`));
		const begin = () => client === this.#client && this.#numbers.start(() => this.#client);
		client.addEventListener('open', begin, { once: true });
	}

	/** Out of sight: no connection, no messages. It goes on where it was. */
	#rest() {
		clearInterval(this.#looking);
		this.#numbers.stop();
		this.#cursor = this.#client?.cursor ?? this.#cursor;
		this.#client?.close();
		this.#client = null;
		this.#lastAt = 0;
		this.#ladder.use(null);
		this.#chart.strip.use(null, performance.now());
		if (this.#faults.length)
			this.#set([], 'Panel out of view: all obstacles removed');
	}

	/* ---- the obstacles ---- */

	/** @param {Obstacle} obstacle */
	#useObstacle(obstacle) {
		this.#way = obstacle;
		this.#list = new FaultList(get('break-faults'), groups, (fault) => this.#toggle(fault));
		get('break-swallow').addEventListener('click', () => this.#swallow(obstacle));
		this.#showWay(true);
	}

	/** @param {boolean} isObstacle */
	#showWay(isObstacle) {
		for (const element of document.querySelectorAll('#break [data-way]'))
			/** @type {HTMLElement} */ (element).hidden =
				(element.getAttribute('data-way') === 'obstacle') !== isObstacle;
		get('break').dataset.obstacle = String(isObstacle);
		this.#ladder.showButtons(!isObstacle);
		if (isObstacle) {
			get('break-faults').before(get('break-tools'));
			get('break-figures').after(get('break-why'));
		} else {
			get('break-ladder').before(get('break-tools'));
			get('break-ladder').after(get('break-why'));
		}
	}

	/** @param {Fault} fault */
	#toggle(fault) {
		const isOn = this.#faults.includes(fault);
		const before = this.#faults.filter((other) => other !== plug);
		const without = before.filter((other) => other !== fault);
		this.#set(isOn ? without : [...before, fault], this.#nameToggle(fault, isOn));
	}

	/** @param {Fault} fault @param {boolean} isOn until now */
	#nameToggle({ id, name }, isOn) {
		if (this.#list)
			return `Fault ${isOn ? 'off' : 'on'}: ${name}`;
		return `${isOn ? 'Unblocked' : 'Blocked'} ${id}`;
	}

	#pull() {
		const before = this.#faults;
		this.#set([...before, plug], 'The plug is pulled: nothing gets through');
		get('break-plug').disabled = true;
		this.#plug = setTimeout(() => this.#set(before, 'The plug is back in'), PLUG_MS);
	}

	/** @param {Obstacle} obstacle */
	#swallow(obstacle) {
		this.#tell('obstacle',
			'Black hole: open connections go silent, and neither side learns of it');
		this.#send(() => obstacle.swallow(this.#faults));
	}

	/** @param {Fault[]} wanted @param {string} words */
	#set(wanted, words) {
		clearTimeout(this.#plug);
		get('break-plug').disabled = false;
		const added = wanted.filter((fault) => !this.#faults.includes(fault));
		const isOnline = blockedBy(this.#faults).length === names.length &&
			blockedBy(wanted).length < names.length;
		this.#tell(added.length ? 'obstacle' : 'relief', words);
		this.#adopt(wanted);
		this.#send(async () => {
			await this.#way.set(wanted, added);
			if (isOnline)
				dispatchEvent(new Event('online')); // which a browser says of a real plug
		});
	}

	/** @param {Fault[]} wanted */
	#adopt(wanted) {
		this.#faults = wanted;
		this.#failures.clear();
		this.#list?.show(wanted);
		this.#numbers.isSeldom = wanted.some(({ isOfSilence }) => isOfSilence);
		this.#ladder.block(blockedBy(wanted));
		this.#chart.strip.block(blockedBy(wanted), performance.now());
		this.#draw();
	}

	/** One after another, so that the last one stays.
	 * @param {() => Promise<void>} send */
	#send(send) {
		this.#sent++;
		this.#sending = this.#sending.then(send).catch((error) =>
			void this.#tell('bad', `The obstacles could not be changed: ${error.message}`));
	}

	/** What the obstacle does may be another's doing, in another window, and it may have begun
	 * anew. */
	async #look() {
		const sent = this.#sent;
		await this.#sending;
		try {
			const times = await /** @type {Obstacle} */ (this.#way).count();
			this.#misses = 0;
			if (sent !== this.#sent)
				return;
			const found = faults.filter(({ texts }) => texts.every((text) => times.has(text)));
			const known = this.#faults.filter((fault) => fault !== plug);
			if (found.length !== known.length || !found.every((fault) => known.includes(fault))) {
				this.#tell(found.length ? 'obstacle' : 'relief',
					'The faults were changed elsewhere');
				this.#adopt(found);
			}
			this.#list?.count(times);
		} catch {
			if (++this.#misses === LOOKS && this.#client)
				this.#loseObstacle();
		}
	}

	#loseObstacle() {
		this.#tell('bad', 'The proxy no longer answers: the client connects without it');
		this.#adopt([]);
		this.#list = null;
		this.#rest();
		this.#way = new Blocks(this.#page.base, this.#demo);
		this.#showWay(false);
		this.#start();
	}

	/* ---- what the client says ---- */

	/** @param {TransportName} name */
	#tried(name) {
		if (name !== this.#client?.transport)
			this.#ladder.tried(name, performance.now());
	}

	/** @param {SluiceEvent} event */
	#take({ data, late }) {
		const now = performance.now();
		if (!Number.isSafeInteger(data?.number))
			return;
		this.#checker.take(data.number, now, Boolean(late));
		if (late) {
			this.#recovered ??=
				{ words: this.#tell('relief', 'Missing messages arrived.'), times: 0 };
			this.#recovered.words.textContent = ` Recovered late: ${++this.#recovered.times}.`;
		}
		if (this.#pause) {
			const waited = (now - this.#lastAt) / 1000;
			if (this.#lastAt)
				this.#pause.textContent =
					` Messages again after ${waited.toFixed(waited < 1 ? 2 : 1)} s.`;
			this.#pause = null;
		}
		this.#lastAt = now;
	}

	/** @param {SluiceEvent} event */
	#switch({ from, to, why }) {
		const name = /** @type {TransportName} */ (to);
		this.#failures.clear();
		this.#outage = null;
		const isBetter = from !== null &&
			names.indexOf(name) < names.indexOf(/** @type {TransportName} */ (from));
		if (from)
			this.#switches++;
		this.#ladder.use(name);
		this.#chart.strip.use(name, performance.now());
		const words = describeSwitch(from, to, isBetter);
		const entry = this.#tell(from && !isBetter ? 'fall' : 'rise', words, why);
		this.#pause = from ? entry : null;
		this.#move = from && from !== to ? `${from} → ${to}` : to;
		get('break-why').textContent = `${this.#move}: ${why}.`;
	}

	/** @param {SluiceEvent} event */
	#changeState({ state, why, wait }) {
		if (state === 'open')
			return;
		this.#ladder.use(null);
		this.#chart.strip.use(null, performance.now());
		if (state === 'waiting') {
			this.#outage ??= this.#tell('bad', 'Nothing works now');
			this.#outage.textContent =
				` – ${why}; retry in ${((wait ?? 0) / 1000).toFixed(1)} s.`;
			get('break-why').textContent = `Nothing works: ${why}.`;
		}
	}

	/** @param {TransportName} transport @param {string} message @param {string} code */
	#fail(transport, message, code) {
		if (!transport)
			return;
		this.#ladder.failed(transport, message);
		if (code === 'path_loses') {
			const words = this.#tell('failure', `${transport} failed`, message);
			this.#recovered = { words, times: 0 };
			return;
		}
		if (code === 'blocked' && this.#client?.transport) // found out after the switch
			get('break-why').textContent = `${this.#move}: ${transport}: ${message}.`;
		if (this.#outage) // they all fail
			return;
		const words = `${transport}: ${message}`;
		const known = this.#failures.get(words);
		if (known)
			known.count.textContent = ` (${++known.times} times)`;
		else
			this.#failures.set(words,
				{ times: 1, count: this.#tell('failure', `${transport} failed`, message) });
	}

	/* ---- what is shown ---- */

	/** @param {string} kind @param {string} words @param {string} [why]
	 * @returns {HTMLElement} where more can be said of it */
	#tell(kind, words, why = '') {
		const list = get('break-events');
		const more = create('span', 'quiet');
		const time = new Date().toLocaleTimeString('en-GB', { hour12: false });
		const text = create('p', {}, create('b', {}, words), why ? ` – ${why}.` : '', more);
		list.prepend(create('li', `is-${kind}`, create('time', 'number quiet', time), text));
		while (list.childElementCount > EVENTS)
			list.lastElementChild.remove();
		return more;
	}

	#draw() {
		const now = performance.now();
		const { doubled, reordered, received, recovered, published } = this.#checker;
		const lost = this.#checker.countLost(now);
		this.#ladder.draw(now);
		/** @param {string} id @param {string} words */
		const set = (id, words) => {
			if (get(id).textContent !== words)
				get(id).textContent = words;
		};
		set('break-verdict', describeVerdict(lost, doubled, reordered));
		get('break-verdict').dataset.clean = String(lost + doubled + reordered === 0);
		set('break-published', published.toLocaleString('en'));
		set('break-received', received.toLocaleString('en'));
		set('break-underway', this.#checker.countUnderway(now).toLocaleString('en'));
		set('break-recovered', recovered.toLocaleString('en'));
		set('break-switches', String(this.#switches));
	}
}

/** @param {string | null} from @param {string} to @param {boolean} isBetter */
function describeSwitch(from, to, isBetter) {
	if (from === null)
		return `Begins on ${to}`;
	if (from === to)
		return `On ${to} again`;
	return `${isBetter ? 'Back' : 'Down'} from ${from} to ${to}`;
}
