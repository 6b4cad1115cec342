// The client's token: when to ask the source for a new one, and when that is of no use. Nothing
// here, and no error text, ever shows a token.
import { Backoff } from './backoff.js';
import { getAge, getMoment, now } from './clock.js';
import { callSource } from './source.js';

/** @typedef {import('./source.js').Source} Source */
/** Why the gateway refuses a token, in its words, or why there is none (`no_token`). retry: ms
 * @typedef {{ why: string, code: string, status?: number, retry?: number }} Refusal */
/** onNew: there is a new token; onLack: the function failed, and the client calls it again
 * @typedef {{ onNew: () => void, onLack: (refusal: Refusal) => void }} Watcher */

const LEAD_MS = 60000; // the most between the renewal and the end; the least is half as much
const SOON_MS = 1000; // the least to the next renewal
const YOUNG_MS = 10000; // tokens that are refused before are not asked for at once
const REVOKED_MS = 1000; // a token of the same second counts as revoked too
const SPREAD_MS = 5000; // the most that a goodbye can ask for
const TIMER_MS = 2 ** 31 - 1; // the longest
const EARLY_MS = 2; // that a timer may be

/** @param {string | undefined} token
 * @returns {{ exp?: number, iat?: number, iss?: string, sub?: string }} nothing of one that is no
 * 	JWT (RFC 7519) */
function readClaims(token = '') {
	try {
		return Object(JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))));
	} catch {
		return {};
	}
}

/** How long a token is still valid. If its times and the wall clock disagree, the clock is wrong,
 * and the token counts as new.
 * @param {string | undefined} token
 * @returns {number} ms; NaN: it does not say */
function getRest(token) {
	const { exp = NaN, iat = NaN } = readClaims(token);
	const at = Date.now() / 1000;
	return (at >= exp || at < iat ? exp - iat : exp - at) * 1000;
}

export class Tokens {
	/** @type {string | undefined} */
	current;
	#source;
	#random;
	#got = getMoment();
	#due = Infinity; // ms after that: then a new one is asked for
	#ends = Infinity; // ms after that
	/** What came in the place of a token that was refused, while nothing has been taken of it.
	 * @type {Set<string>} */
	#hopes = new Set();
	#renewed = -Infinity; // ms, when that was the last time
	/** @type {Promise<string> | undefined} */
	#asking;
	/** @type {Promise<string> | undefined} */
	#renewing;
	/** @type {Refusal | undefined} */
	#lack;
	#until = -Infinity; // ms: then the function that failed is asked again
	#failures;
	#young;
	/** @type {Watcher | undefined} */
	#watcher;
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer;

	/** @param {Source} [source] none: there is no token, and none is needed
	 * @param {() => number} [random] 0 to below 1 */
	constructor(source, random = Math.random) {
		this.#source = source;
		this.#random = random;
		this.#failures = new Backoff(random);
		this.#young = new Backoff(random);
		if (typeof source === 'string')
			this.current = source;
	}

	get isGiven() {
		return this.#source !== undefined;
	}

	/** Whether a request can be sent without calling the function. */
	get isReady() {
		return typeof this.#source !== 'function' ||
			(this.current !== undefined && getAge(this.#got) < this.#ends);
	}

	/** The token's subject as a digest, which does not show it; '' if it is not known.
	 * @returns {string} */
	get subject() {
		const { iss = '', sub } = readClaims(this.current);
		return sub === undefined ? '' : digest(JSON.stringify([iss, sub]));
	}

	/** Rejects with a Refusal `no_token` while the function fails.
	 * @returns {Promise<string>} */
	async get() {
		return this.isReady ? /** @type {string} */ (this.current) : this.#ask();
	}

	/** A new token in place of a refused one. Rejects with the refusal if there is none, or if the
	 * gateway has not accepted the token of the previous renewal either.
	 * @param {string | undefined} refused @param {Refusal} refusal
	 * @returns {Promise<string>} */
	renew(refused, refusal) {
		if (refused !== this.current)
			return this.get();
		return this.#renewing ??= this.#renew(refused, refusal).finally(() => {
			this.#renewing = undefined;
		});
	}

	/** The gateway has accepted a token.
	 * @param {string | undefined} token */
	accept(token) {
		if (token !== undefined && this.#hopes.has(token))
			this.#hopes.clear();
	}

	/** Renews the token before it ends, from now on.
	 * @param {Watcher} watcher */
	watch(watcher) {
		this.#watcher = watcher;
		this.#schedule(this.#due - getAge(this.#got));
	}

	stop() {
		this.#watcher = undefined;
		clearTimeout(this.#timer);
	}

	/** Looks at the clock: the machine may have slept, or there is a network again. */
	wake() {
		this.#until = -Infinity;
		if (getAge(this.#got) >= this.#due)
			this.#schedule(0);
	}

	/** @param {string | undefined} refused @param {Refusal} refusal */
	async #renew(refused, { retry = 0, ...refusal }) {
		if (typeof this.#source !== 'function' || this.#hopes.size)
			throw refusal;
		if (now() - this.#renewed >= YOUNG_MS)
			this.#young.reset();
		const revoked = refusal.code === 'token_revoked' ? REVOKED_MS * (1 + this.#random()) : 0;
		const ms = Math.max(Math.min(retry, SPREAD_MS), revoked,
			now() - this.#renewed < YOUNG_MS ? this.#young.next() : 0);
		if (ms)
			await new Promise((done) => setTimeout(done, ms));
		if (this.current !== refused) // it came meanwhile, and may be as old as the refusal
			return /** @type {string} */ (this.current);
		await this.#ask();
		this.#renewed = now();
		const { current } = this;
		this.#hopes.add(/** @type {string} */ (current));
		if (current === refused)
			throw refusal;
		return /** @type {string} */ (current);
	}

	/** Calls the function, once at a time, and after a failure not before the backoff ends.
	 * @returns {Promise<string>} */
	#ask() {
		const rest = this.#until - now();
		if (!this.#asking && rest > EARLY_MS)
			return Promise.reject({ ...this.#lack, retry: rest });
		return this.#asking ??= this.#call().finally(() => {
			this.#asking = undefined;
		});
	}

	async #call() {
		let token;
		try {
			token = await callSource(/** @type {any} */ (this.#source));
		} catch (/** @type {any} */ { message }) {
			const retry = this.#failures.next();
			this.#until = now() + retry;
			this.#lack = { code: 'no_token', retry, why: message };
			throw this.#lack;
		}
		return this.#set(token);
	}

	/** @param {string} token */
	#set(token) {
		const isNew = token !== this.current;
		const rest = getRest(token);
		const lead = Math.min(LEAD_MS, rest / 2) * (1 + this.#random()) / 2;
		this.#failures.reset();
		this.current = token;
		if (this.#hopes.size)
			this.#hopes.add(token);
		this.#got = getMoment();
		[this.#due, this.#ends] = rest > 0 ? [Math.max(SOON_MS, rest - lead), rest] :
			[Infinity, Infinity];
		this.#schedule(this.#due);
		if (isNew)
			this.#watcher?.onNew();
		return token;
	}

	/** @param {number} ms */
	#schedule(ms) {
		clearTimeout(this.#timer);
		if (this.#watcher && ms < Infinity)
			this.#timer = setTimeout(() => this.#ask().catch((lack) => {
				this.#watcher?.onLack(lack);
				this.#schedule(lack.retry);
			}), Math.min(ms, TIMER_MS));
	}
}

/** FNV-1a of 32 bits, twice: no secret is kept by it, names are.
 * @param {string} text */
function digest(text) {
	let [a, b] = [0x811c9dc5, 0x050c5d1f];
	for (let i = 0; i < text.length; i++) {
		a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
		b = Math.imul(b ^ text.charCodeAt(i), 0x01000193) ^ a >>> 13;
	}
	return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
