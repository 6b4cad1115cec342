// A link made of polls, one after another. An answer arrives whole or not at all. But a cache on
// the path may give an old one, so every poll has its own `n` (PROTOCOL.md).
import { now } from '../clock.js';
import { isHigher } from '../deliver.js';
import { listObjects } from '../recover.js';
import { asLoss, check, createKey, garbled, getSlack } from './request.js';

/** @typedef {import('./request.js').Host} Host */
/** @typedef {import('./request.js').Answer} Answer */
/** @typedef {import('./request.js').Loss} Loss */

const SPOILED = 2; // answers in a row that bring nothing and are not what was asked for
const FIRST_MS = 25000; // some paths take 20 s for a connection
const LATE_MS = 5000;
const EARLY = 0.5; // of the hold

/** The first poll is not held: it proves the path. The first held poll is held for 1 s only: it
 * proves that held answers arrive. */
export class Polls {
	#closed = false;
	#checking = false;
	#wait = 0; // s
	#took = 0; // ms, the first
	#mayHold = false;
	#spoiled = 0;
	#method = 'GET';
	#abort = new AbortController();
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;
	#callOff = () => {};

	/** @param {Host} host @param {() => number} hold s
	 * @param {number} pause ms between two */
	constructor(host, hold, pause) {
		this.host = host;
		this.hold = hold;
		this.pause = pause;
		this.#poll();
	}

	close() {
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#callOff();
		this.#abort.abort();
	}

	check() {
		this.#checking = true;
		this.change();
	}

	/** Asks anew, at once: what is under way may be dead, or of the old channels. */
	change() {
		if (this.#closed)
			return;
		const old = this.#abort;
		this.#abort = new AbortController();
		old.abort();
		this.#wait = 0;
		this.#next(0);
	}

	/** @param {number} pause ms */
	#next(pause) {
		clearTimeout(this.#timer);
		this.#callOff();
		const start = () => {
			this.#callOff = this.host.start(() => this.#closed || this.#poll());
		};
		if (this.#closed)
			return;
		if (pause)
			this.#timer = setTimeout(start, pause);
		else
			start(); // without a timer: those of hidden tabs are slow
	}

	async #poll() {
		const { signal } = this.#abort = new AbortController();
		const began = now();
		const patience = this.#wait * 1000 + this.#getPatience();
		const timeout = setTimeout(() => this.#abort.abort(), patience);
		try {
			await this.#ask(signal, began);
		} catch (error) {
			if (this.#closed || signal !== this.#abort.signal)
				return;
			this.#closed = true;
			const isHold = signal.aborted && this.#wait > 0 && !this.#mayHold;
			const cause = error instanceof SyntaxError ? garbled : error;
			this.host.lost({ silent: now() - began, ...isHold ?
				{ why: 'a held answer does not arrive', demote: true } :
				asLoss(cause, 'the answer was cut off') });
		} finally {
			clearTimeout(timeout);
		}
	}

	/** ms, beyond the hold */
	#getPatience() {
		if (!this.#took)
			return FIRST_MS;
		return this.#wait && !this.#mayHold ? getSlack(this.#took) : LATE_MS;
	}

	/** @param {AbortSignal} signal @param {number} began ms */
	async #ask(signal, began) {
		const { host } = this;
		const { version } = host;
		const n = createKey();
		const url = host.url('poll', { wait: this.#wait, n });
		const method = this.#method;
		const response = await check(await host.fetch(url, { method, signal, cache: 'no-store' }));
		/** @type {Answer} */
		const answer = await response.json();
		if (signal !== this.#abort.signal || this.#closed)
			return;
		if (!Array.isArray(answer?.messages) || !Array.isArray(answer.gaps))
			throw garbled;
		const isOwn = answer.n === n;
		host.alive();
		// One that is framed for this client alone has its `n`; the first one always is.
		if (!isOwn && (!this.#took || !answer.messages.length))
			return this.#refuse('a cache on the path gives old answers to polls', false);
		const isAhead = isHigher(answer.cursor, new URL(url).searchParams.get('since'));
		const isNew = this.#take(answer, version);
		if (this.#closed)
			return;
		this.#accept(began);
		const isEarly = this.#wait > 0 && now() - began < this.#wait * 1000 * EARLY;
		this.#wait = this.#mayHold ? this.hold() : Math.min(1, this.hold());
		if (isEarly && !isNew && !isAhead)
			return this.#refuse('held polls get empty answers early', true);
		if (isNew || !isEarly)
			this.#spoiled = 0;
		this.#next(this.pause);
	}

	/** @param {Answer} answer @param {number} version */
	#take(answer, version) {
		let isNew = false;
		for (const object of listObjects(answer))
			if (!this.#closed)
				isNew = this.host.take(object, version) || isNew;
		return isNew;
	}

	/** @param {number} began ms */
	#accept(began) {
		this.host.stage('answer');
		if (this.#checking)
			this.host.checked();
		this.#checking = false;
		this.#took ||= Math.max(1, now() - began);
		this.#mayHold ||= this.#wait > 0;
	}

	/** Polls by POST, which no cache may answer (RFC 9110, section 9.3.3). If that does not help, a
	 * path with old answers is of no use; a path that does not hold answers gets short polls.
	 * @param {string} why @param {boolean} isOwn the gateway itself answered */
	#refuse(why, isOwn) {
		if (++this.#spoiled < SPOILED && this.#took)
			return this.#next(this.pause);
		this.#spoiled = 0;
		if (this.#method === 'GET') {
			this.#method = 'POST';
			this.host.warn('cached', `${why}; the client polls by POST from now on`);
		} else if (isOwn) {
			this.hold = () => 0;
			this.#wait = 0;
			this.pause = this.host.interval;
		} else
			throw { why, demote: true };
		this.#next(this.pause);
	}
}
