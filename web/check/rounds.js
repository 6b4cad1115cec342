// Measures the transports that a diagnosis found alive: all at once, or in turn if the path allows
// few connections. Each step knows when the whole must end, and rather sends fewer messages.
import { now } from '../client/ask.js';
import { Listener } from './listener.js';
import { Meter, SIZES } from './meter.js';

/** @typedef {import('../client/ask.js').Way} Way */
/** @typedef {import('../client/verdict.js').Facts} Facts */
/** @typedef {import('./meter.js').By} By */
/** What was measured of a transport.
 * @typedef {object} Measured
 * @property {number | null} connect ms until the connection stood
 * @property {number | null} first ms until the first message
 * @property {number[]} trips ms of round trips, in order of size
 * @property {number} sent messages that count for the round trips
 * @property {number} lost of these, did not arrive while later ones did
 * @property {number} late of these, had not arrived at the end
 * @property {{ lived: number, size: number, opened: boolean, bye?: string }[]} ends of its
 * 	connections; size: bytes of the messages sent then
 * @property {number | null} up bytes of the largest message sent; null: not tried
 * @property {number | null} down bytes of the largest message received; null: not tried
 * @property {number} tried bytes of the largest message that had time enough to arrive
 * @property {number | null} mute ms after which a connection that neither side closed carried no
 * 	more data; null: none did
 * @property {boolean} crowded the path allows few connections, so messages may have found none
 * @property {{ good: number, bad: number, stale: number }} answers of polls */
/** posts: messages can be published by POST; few: connections are; base: ms, the quickest answer;
 * limit: bytes that the gateway takes; until: ms, when all has to be over.
 * @typedef {{ names: string[], posts: boolean, few: boolean, polls: boolean, base: number,
 * 	limit: number, until: number, signal: AbortSignal,
 * 	onStep: (step: 'round trips' | 'payloads', done: number) => void }} Plan */

const COUNT = 20;
const EVERY_MS = 200; // at most, between two
const ALONE_MS = 40; // the same, where one transport has the path for itself
const AT_ONCE = 2; // requests that wait: more would wait for each other in the browser
const HOLD_S = 10;
const HOLD_ALONE_S = 2;
const RESERVE = 0.3; // of the time, for the payloads
const RESERVE_MS = 4000;
const WAIT_MS = [0, 1500, 3000]; // for a message of each size
const LEAST_MS = 1200; // for a transport by itself
const LATE_MS = 3000;
const AGAIN_MS = 1200; // for a small message after a large one that did not come

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until it is so, or the time is over.
 * @param {() => boolean} test @param {number} until ms @param {AbortSignal} signal
 * @returns {Promise<boolean>} */
async function wait(test, until, signal) {
	while (!test()) {
		if (now() >= until || signal.aborted)
			return false;
		await sleep(15);
	}
	return true;
}

/** @param {Way} way @param {Plan} plan
 * @returns {Promise<{ measured: Record<string, Measured>, meter: Meter }>} */
export async function measure(way, plan) {
	const meter = new Meter(way);
	const { names, few, until, signal } = plan;
	/** @type {Record<string, Measured>} */
	const measured = {};
	if (!few)
		Object.assign(measured, await new Group(way, meter, plan, names, until).run());
	const left = names.filter((name) => !measured[name]?.trips.length);
	for (const [i, name] of left.entries()) {
		const slot = (until - now()) / (left.length - i);
		if (signal.aborted || (slot < LEAST_MS && measured[name]))
			break;
		const alone = await new Group(way, meter, plan, [name], now() + slot).run();
		if (!measured[name] || alone[name].trips.length)
			Object.assign(measured, alone);
	}
	return { measured, meter };
}

/** Some transports that listen at a time. */
class Group {
	/** @type {Listener[]} */
	#listeners = [];
	#way;
	#meter;
	#plan;
	#names;
	#until;
	#from; // number of the first message
	#tried = SIZES[0]; // bytes of the largest message that was waited for long enough
	/** @type {Listener[]} */
	#mute = []; // that carried something, and then nothing any more
	/** @type {{ size: number, at: number }[]} */
	#sizes = [{ size: SIZES[0], at: 0 }]; // since when messages of this size are on their way

	/** @param {Way} way @param {Meter} meter @param {Plan} plan @param {string[]} names
	 * @param {number} until ms */
	constructor(way, meter, plan, names, until) {
		this.#way = way;
		this.#meter = meter;
		this.#plan = plan;
		this.#names = names;
		this.#until = until;
		this.#from = meter.sent.length;
	}

	/** @returns {Promise<Record<string, Measured>>} */
	async run() {
		try {
			await this.#open();
			const left = this.#until - now();
			const reserve = Math.min(RESERVE_MS, RESERVE * left);
			if (await this.#sendRounds(this.#until - reserve)) {
				await this.#sendPayloads();
				await this.#lookAgain();
			}
			return Object.fromEntries(this.#listeners.map((one) =>
				[one.name, this.#conclude(one)]));
		} finally {
			this.#listeners.forEach((one) => one.close());
		}
	}

	/** @returns {Listener | undefined} */
	get #socket() {
		return this.#listeners.find(({ name, isOpen }) => name === 'websocket' && isOpen);
	}

	/** @param {string} name
	 * @returns {By} by whom the messages are published that count for it */
	#getBy(name) {
		return name === 'websocket' || !this.#plan.posts ? 'websocket' : 'post';
	}

	/** @returns {By[]} all that could be used */
	get #wanted() {
		return [...new Set(this.#listeners.map(({ name }) => this.#getBy(name)))];
	}

	/** @returns {By[]} those that can be used now */
	get #publishers() {
		return this.#wanted.filter((one) => one === 'post' || this.#socket);
	}

	/** @param {By} by @param {number} size @param {boolean} [round]
	 * @returns {Promise<boolean>} */
	#publish(by, size, round) {
		const limit = Math.max(100, Math.min(this.#until - now(), 6000));
		const publish = (/** @type {object} */ data) =>
			this.#socket?.publish(data) ?? Promise.resolve(false);
		return this.#meter.publish(by, size, { publish, limit, round });
	}

	/** Publishes one message and opens the listeners, which receive it first, from the history.
	 * @returns {Promise<void>} */
	async #open() {
		const { posts, base } = this.#plan;
		const isSocketFirst = !posts && this.#names.includes('websocket');
		if (posts)
			await Promise.race([this.#publish('post', SIZES[0]), sleep(2000 + 4 * base)]);
		else if (isSocketFirst) {
			this.#listen('websocket');
			await Promise.race([this.#listeners[0].opened, sleep(2000 + 4 * base)]);
			await Promise.race([this.#publish('websocket', SIZES[0]), sleep(1000 + 4 * base)]);
		}
		this.#names.forEach((name) => isSocketFirst && name === 'websocket' || this.#listen(name));
		const most = Math.min(this.#until - now(), 1000 + 6 * base);
		await Promise.race([Promise.all(this.#listeners.map(({ opened }) => opened)), sleep(most)]);
	}

	/** @param {string} name */
	#listen(name) {
		const hold = this.#names.length > 1 ? HOLD_S : HOLD_ALONE_S;
		this.#listeners.push(new Listener(name, this.#way, { hold, posts: this.#plan.polls,
			hear: (who, message, at) => {
				this.#meter.hear(who, message, at);
			} }));
	}

	/** @param {number} until ms
	 * @returns {Promise<boolean>} there was something to measure */
	async #sendRounds(until) {
		const { onStep, signal } = this.#plan;
		const isAlone = this.#names.length === 1;
		const [most, atOnce] = isAlone ? [ALONE_MS, 1] : [EVERY_MS, AT_ONCE];
		const every = Math.min(most, Math.max(0, until - now()) / (COUNT + 5));
		const wanted = this.#wanted;
		const late = Math.min(until, now() + LATE_MS); // for a socket that is not open yet
		let count = 0;
		await Promise.all(wanted.map(async (by) => {
			await wait(() => this.#publishers.includes(by), late, signal);
			const isFree = () => this.#meter.count(by) < atOnce || this.#isStarved();
			for (let i = 0; i < COUNT && now() < until - every; i++) {
				const hasEnded = !this.#publishers.includes(by) ||
					!await wait(isFree, until, signal) || this.#isStarved();
				if (hasEnded)
					return;
				this.#publish(by, SIZES[0], true);
				onStep('round trips', ++count / COUNT / wanted.length);
				await sleep(every);
			}
		}));
		const grace = Math.min(until, now() + 1500 + 2 * this.#plan.base);
		await wait(() => this.#isComplete() || this.#isStarved(), grace, signal);
		return this.#publishers.length > 0 && !this.#isStarved();
	}

	/** Whether the listeners leave no connection for messages to be sent.
	 * @returns {boolean} */
	#isStarved() {
		const { base } = this.#plan;
		const [first, ...others] = this.#meter.sent.slice(this.#from)
			.filter(({ by, round }) => round && by === 'post');
		return this.#listeners.length > 1 && first && [first, ...others].every(({ taken }) =>
			taken === undefined) && now() - first.at > 2500 + 4 * base;
	}

	/** Whether all listeners have received all messages that the gateway accepted.
	 * @returns {boolean} */
	#isComplete() {
		return this.#listeners.every(({ name, isOpen }) => {
			const by = this.#getBy(name);
			return !isOpen || (!this.#meter.count(by) &&
				!this.#meter.countMissing(name, by, this.#from, false));
		});
	}

	async #sendPayloads() {
		const { limit, onStep, base, signal } = this.#plan;
		for (const [i, size] of SIZES.entries()) {
			if (!i || size > limit || this.#until - now() < 100 || signal.aborted)
				continue;
			onStep('payloads', i / SIZES.length);
			const number = this.#meter.sent.length;
			const before = SIZES[i - 1];
			const publishers = this.#publishers.filter((by) =>
				this.#meter.findLargestSent(by) === before);
			if (!publishers.length)
				break;
			this.#sizes.push({ size, at: now() });
			publishers.forEach((by) => this.#publish(by, size));
			const enough = now() + WAIT_MS[i] + 6 * base;
			const until = Math.min(this.#until, enough);
			const hasCome = await wait(() => publishers.every((by) => !this.#meter.count(by)) &&
				this.#listeners.every((one) => one.ends.length > 0 ||
					this.#meter.findLargest(one.name) >= size), until, signal);
			if (hasCome || until === enough)
				this.#tried = size;
			if (this.#meter.sent.slice(number).every(({ failed }) => failed))
				break;
		}
		onStep('payloads', 1);
	}

	/** If a large message did not arrive: does a small one?
	 * @returns {Promise<void>} */
	async #lookAgain() {
		const most = Math.max(...this.#sizes.map(({ size }) => size));
		const isDoubtful = (/** @type {Listener} */ { name, isOpen }) => isOpen &&
			(this.#meter.findLargest(name) < most || (name === 'websocket' &&
				(this.#meter.findLargestSent('websocket') ?? 0) < most));
		const doubtful = this.#listeners.filter(isDoubtful);
		const until = now() + AGAIN_MS + 2 * this.#plan.base;
		if (!doubtful.length || doubtful.length === this.#listeners.length || until > this.#until)
			return;
		const number = this.#meter.sent.length;
		this.#publishers.forEach((by) => this.#publish(by, SIZES[0]));
		const hasCome = (/** @type {Listener} */ { name }) => {
			const numbers = [...this.#meter.got.get(name)?.keys() ?? []];
			return numbers.some((i) => i >= number && this.#meter.sent[i].by === this.#getBy(name));
		};
		await wait(() => doubtful.every(hasCome), until, this.#plan.signal);
		this.#mute = doubtful.filter((one) => one.isOpen && !hasCome(one));
	}

	/** @param {number} at ms
	 * @returns {number} bytes of the messages that were on their way then */
	#findSize(at) {
		return Math.max(...this.#sizes.filter((one) => one.at <= at).map(({ size }) => size));
	}

	/** @param {Listener} listener
	 * @returns {Measured} */
	#conclude(listener) {
		const { name, began, connect, ends, answers } = listener;
		const meter = this.#meter;
		const by = this.#getBy(name);
		const got = [...meter.got.get(name)?.values() ?? []].filter((at) => at >= began);
		const sent = meter.sent.slice(this.#from).filter((one) =>
			one.round && one.by === by && one.taken !== undefined);
		const trips = meter.listTrips(name, by, this.#from);
		return { connect, first: got.length ? Math.min(...got) - began : null, trips,
			sent: sent.length, lost: meter.countMissing(name, by, this.#from, true),
			late: sent.length - trips.length,
			ends: ends.map(({ lived, opened, bye, at }) =>
				({ lived, opened, bye, size: this.#findSize(at) })),
			up: meter.findLargestSent(name === 'websocket' ? 'websocket' : 'post'),
			down: sent.length || got.length ? meter.findLargest(name) : null,
			tried: this.#tried, answers, crowded: this.#plan.few,
			mute: this.#mute.includes(listener) && got.length ? Math.max(...got) - began : null };
	}
}
