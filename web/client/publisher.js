// Publishes in flight. Each has a key: the client repeats it on whichever transport works next, and
// the gateway publishes it once. That holds while the epoch is the same and the gateway remembers
// the key (two minutes; the client stops at 100 s).
//
// A refusal is final: a 4xx answer of any server, an `error` of the gateway, a socket closed for a
// frame that was too large (1009). A 429 is not final: that try published nothing for certain, so
// the next one is as good as the first. A try without an answer may have published, and so may one
// whose answer is `unknown_outcome`. One such try makes the outcome unknown, whatever the answers
// to the other tries are.
//
// When the gateway limits this client (`rate_limited`), all publishes wait as long as it asks. Then
// one is sent, then two, and so on as the gateway accepts them, so that few are refused again.
import { Backoff } from './backoff.js';
import { checkChannels, isEvent } from './channels.js';
import { getAge, getMoment, now } from './clock.js';
import { parseCursor } from './deliver.js';
import { isRefusal } from './source.js';
import { check, createKey, getRetry } from './transports/request.js';

export const LIMIT_MS = 100000;
const AT_ONCE = 60; // a WebSocket takes 64 unanswered ones
const ANSWER_MS = 5000; // then the connection is checked
const POST_MS = 20000; // then it is sent again

/** A publish that failed. `code` is the gateway's (PROTOCOL.md, Errors) or one of these:
 * - `too_large`: the message has more bytes than the gateway accepts
 * - `refused`: a proxy refused it; the error's message has the status
 * - `not_published`: the gateway was too busy until the client gave up; the error says why
 * - `not_sent`: there was no connection, or the client is closed
 * - `unknown_outcome`: a try had no answer, or the gateway does not know the outcome either. The
 *   message may have been published or not */
export class PublishError extends Error {
	/** @param {string} [code] @param {string} [message] */
	constructor(code = 'unknown_outcome',
		message = 'no answer came: the message may have been published or not') {
		super(message);
		this.name = 'PublishError';
		this.code = code;
	}
}

/** A message to publish, made once, so that every try sends the same. size: bytes of the body;
 * made: when the caller asked for it; unsure, epoch: of one that another tab may have tried.
 * @typedef {{ channel: string, event?: string, key: string,
 * 	body: string | Uint8Array<ArrayBuffer>, size: number,
 * 	made: { at: number, wall: number }, unsure?: boolean, epoch?: string }} Publication */

/** Throws for what no retry could mend: a TypeError, or a PublishError `too_large`.
 * @param {string} channel @param {any} data @param {string} [key]
 * @param {number} [most] bytes, if it is known @param {string} [event]
 * @returns {Publication} */
export function createPublication(channel, data, key = createKey(), most = Infinity, event) {
	checkChannels([channel]);
	if (event !== undefined && !isEvent(event))
		throw new TypeError(`${JSON.stringify(event)} is not an event name; use 1 to 128 ` +
			'bytes of UTF-8 without control characters');
	if (!/^[!-~]{8,64}$/.test(key))
		throw new TypeError(`key: "${key}" is not valid; use 8 to 64 visible ASCII characters`);
	const body = copyBytes(data) ?? JSON.stringify(data);
	if (body === undefined)
		throw new TypeError(`data: JSON has no ${typeof data}`);
	const size = typeof body === 'string' ? new TextEncoder().encode(body).length : body.length;
	if (size > most)
		throw new PublishError('too_large',
			`${size} bytes are too large; use at most ${most}`);
	return { channel, event, key, body, size, made: getMoment() };
}

/** A copy of bytes, since the caller may change them later; undefined for anything else. The tag is
 * the same in every window.
 * @param {any} data */
function copyBytes(data) {
	if (ArrayBuffer.isView(data))
		return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
	if (/ArrayBuffer]$/.test(Object.prototype.toString.call(data)))
		return new Uint8Array(data).slice();
}

/** asked: the last try has no answer; unsure: an earlier one had none; reason: the gateway's words
 * when it was too busy.
 * @typedef {Publication & { ref: string, asked: boolean, unsure: boolean, epoch: string,
 * 	tries: number, posts: boolean, reason: string, way: any, backoff: Backoff,
 * 	resolve: (id: string) => void, reject: (error: Error) => void,
 * 	timers: Set<ReturnType<typeof setTimeout>> }} Pending */

/** What a Publisher needs. way: a socket to send on, null: POST, undefined: nothing works now;
 * most: bytes of a message, undefined: not known yet; url: of /publish; doubt: has the connection
 * checked; limited: reports that publishes wait, and for how many ms.
 * @typedef {{ way: () => (((text: string) => void) | null | undefined), epoch: () => string,
 * 	most: () => number | undefined, url: (channel: string, event?: string) => string,
 * 	fetch: typeof fetch,
 * 	doubt: () => void, limited: (message: string, wait: number) => void }} Base */

export class Publisher {
	/** @type {Map<string, Pending>} */
	#pending = new Map();
	#count = 0;
	#tooLarge = Infinity; // bytes that closed a socket: the gateway's limit is not the only one
	#most = Infinity; // without an answer at once, on all ways
	#limit = ''; // what the gateway said when it limited us last
	#until = 0; // ms, the end of the pause
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#pause;

	/** @param {Base} base */
	constructor(base) {
		this.base = base;
	}

	/** @param {Publication} publication
	 * @returns {Promise<string>} the message's id */
	publish(publication) {
		return new Promise((resolve, reject) => {
			const ref = `p${++this.#count}`;
			/** @type {Pending} */
			const pending = { unsure: false, epoch: '', ...publication, ref, asked: false,
				tries: 0, posts: false, reason: '', way: undefined, backoff: new Backoff(),
				resolve, reject, timers: new Set() };
			this.#pending.set(ref, pending);
			this.#later(pending, this.#getRest(pending), () => this.#giveUp(pending));
			this.flush();
		});
	}

	/** Sends what waits, and again what was sent on a connection that is gone. A message that may
	 * be too large for a socket goes by POST: a 413 does not close the connection. */
	flush() {
		const way = this.base.way();
		if (way === undefined || this.#pause)
			return;
		const most = Math.min(this.base.most() ?? -1, this.#tooLarge - 1);
		const open = [...this.#pending.values()].map((pending) => pending.way);
		let busy = open.filter((other) => way && other === way).length;
		let all = busy + open.filter((other) => other === 'post').length;
		for (const pending of this.#pending.values()) {
			if (pending.way === way || pending.way === 'waits' || pending.way === 'post')
				continue;
			const epoch = this.base.epoch();
			if (pending.epoch && epoch && pending.epoch !== epoch) {
				this.#giveUp(pending);
				continue;
			}
			const byPost = !way || pending.posts || typeof pending.body !== 'string' ||
				pending.size > most;
			if (all >= this.#most || (!byPost && busy++ >= AT_ONCE))
				continue;
			all++;
			pending.epoch ||= epoch;
			pending.unsure ||= pending.asked;
			pending.asked = true;
			if (byPost)
				this.#post(pending);
			else
				this.#send(pending, /** @type {(text: string) => void} */ (way));
		}
	}

	/** Takes an `ack` or `error` that came over a socket. An error without a ref concerns a frame
	 * that the gateway could not read; the answers to POST say which. A POST renews a refused
	 * token.
	 * @param {import('./deliver.js').Control} object
	 * @returns {boolean} whether it was for a publish */
	answer({ type, ref, id, code, message, retry }) {
		const pending = this.#pending.get(ref);
		if (!pending) {
			if (ref === null)
				this.#postAll((other) => other.way === this.base.way());
			const isLate = code === 'rate_limited' && /^p\d+$/.test(ref);
			if (isLate)
				this.#hold(message ?? code, retry ?? 1000);
			return isLate;
		}
		if (type === 'ack')
			this.#take(pending, /** @type {any} */ (id));
		else if (isRefusal(code)) {
			pending.asked = false;
			this.#postAll((other) => other === pending);
		} else
			this.#refuse(pending, code ?? 'error', message ?? 'refused', retry);
		this.flush();
		return true;
	}

	/** A socket was closed because of a frame that was too large. Of the messages without an answer
	 * on it, the largest is too large in any case; the others are sent again.
	 * @param {((text: string) => void) | undefined} way @param {string} why
	 * @returns {boolean} whether there was one */
	refuseLargest(way, why) {
		const [largest] = [...this.#pending.values()]
			.filter((pending) => way && pending.way === way)
			.sort((a, b) => b.size - a.size);
		if (!largest)
			return false;
		this.#tooLarge = Math.min(this.#tooLarge, largest.size);
		this.#refuse(largest, 'too_large', `${largest.size} bytes are too large: ${why}`);
		return true;
	}

	close() {
		clearTimeout(this.#pause);
		for (const pending of this.#pending.values())
			this.#giveUp(pending);
	}

	/** @param {Pending} pending @param {(text: string) => void} way */
	#send(pending, way) {
		const { channel, event, body, ref, key } = pending;
		pending.way = way;
		const number = ++pending.tries;
		const isOpen = () => pending.way === way && pending.tries === number;
		const rest = JSON.stringify({ type: 'publish', channel, event, ref, key });
		way(`${rest.slice(0, -1)},"data":${body}}`);
		this.#later(pending, ANSWER_MS, () => isOpen() && this.base.doubt());
		// The connection lives, but somebody has dropped the publish or its answer.
		this.#later(pending, 2 * ANSWER_MS, () =>
			this.#postAll((other) => other === pending && isOpen()));
	}

	/** @param {(pending: Pending) => boolean} isMeant */
	#postAll(isMeant) {
		for (const pending of this.#pending.values())
			if (isMeant(pending))
				Object.assign(pending, { posts: true, way: undefined });
		this.flush();
	}

	/** @param {Pending} pending */
	async #post(pending) {
		const { channel, event, body, key } = pending;
		pending.way = 'post';
		try {
			const type = typeof body === 'string' ? 'json' : 'octet-stream';
			const response = await this.base.fetch(this.base.url(channel, event), {
				method: 'POST', body, signal: AbortSignal.timeout?.(POST_MS),
				headers: { 'Idempotency-Key': key, 'Content-Type': `application/${type}` } });
			const { id } = await (await checkPublish(response)).json();
			// Repeated across a restart that we had not seen yet: the first may have counted too.
			if (pending.unsure && pending.epoch && parseCursor(id)?.epoch !== pending.epoch)
				this.#giveUp(pending);
			this.#take(pending, id);
			this.flush();
		} catch (/** @type {any} */ error) {
			if (error?.why && error.code) // a DOMException has a code too
				this.#refuse(pending, error.code, error.why, error.retry);
			else
				this.#again(pending);
		}
	}

	/** @param {Pending} pending @param {string} id */
	#take(pending, id) {
		this.#most += 1 / this.#most;
		this.#finish(pending, () => pending.resolve(id));
	}

	/** @param {Pending} pending @param {string} code @param {string} message
	 * @param {number} [retry] ms */
	#refuse(pending, code, message, retry) {
		const isLimited = code === 'rate_limited';
		const isBusy = retry !== undefined || isLimited ||
			['limit', 'draining', 'too_many_connections'].includes(code);
		if (isBusy) {
			pending.asked = false;
			pending.reason = `${message} (${code})`;
			if (!pending.unsure)
				pending.epoch = ''; // that it meets another one is no danger
		}
		if (isLimited) {
			pending.way = undefined;
			this.#hold(message, retry ?? 1000);
			this.#isLate(pending, this.#until - now());
		}
		else if (isBusy || code === 'unknown_outcome')
			this.#again(pending, retry ?? 1000);
		else
			this.#finish(pending, () => pending.reject(new PublishError(code, message)));
	}

	/** The client has published too much.
	 * @param {string} message @param {number} retry ms */
	#hold(message, retry) {
		const ms = new Backoff().next(retry);
		const until = now() + ms;
		this.#limit = message;
		this.#most = 1;
		if (!this.#pause)
			this.base.limited(message, ms);
		if (!this.#pause || until > this.#until) {
			this.#until = until;
			clearTimeout(this.#pause);
			this.#pause = setTimeout(() => {
				this.#pause = undefined;
				this.flush();
			}, ms);
		}
	}

	/** Gives up one whose next try would come too late, while what became of it is certain.
	 * @param {Pending} pending @param {number} ms */
	#isLate(pending, ms) {
		const isLate = !pending.asked && ms + ANSWER_MS > this.#getRest(pending);
		if (isLate)
			this.#giveUp(pending);
		return isLate;
	}

	/** @param {Pending} pending @param {number} [retry] */
	#again(pending, retry) {
		const ms = pending.backoff.next(retry);
		if (this.#isLate(pending, ms))
			return;
		pending.way = 'waits';
		this.#later(pending, ms, () => {
			pending.way = undefined;
			this.flush();
		});
	}

	/** The ms that are left.
	 * @param {Pending} pending */
	#getRest({ made }) {
		return LIMIT_MS - getAge(made);
	}

	/** @param {Pending} pending */
	#giveUp(pending) {
		const { asked, unsure } = pending;
		const reason = pending.reason || (this.#most < AT_ONCE && this.#limit);
		let error = new PublishError('not_sent', 'there was no connection to publish on');
		if (asked || unsure)
			error = new PublishError();
		else if (reason)
			error = new PublishError('not_published', `the message was not published: ${reason}`);
		this.#finish(pending, () => pending.reject(error));
	}

	/** @param {Pending} pending @param {() => void} settle */
	#finish(pending, settle) {
		if (this.#pending.delete(pending.ref)) {
			pending.timers.forEach(clearTimeout);
			settle();
		}
	}

	/** @param {Pending} pending @param {number} ms @param {() => void} then */
	#later(pending, ms, then) {
		if (this.#pending.has(pending.ref))
			pending.timers.add(setTimeout(then, ms));
	}
}

/** As check(), but somebody between refuses for good as well: the next try would meet the same.
 * @param {Response} response */
async function checkPublish(response) {
	const { status } = response;
	if (status < 400 || status > 499)
		return check(response);
	const loss = await check(response).catch((error) => error);
	const code = loss.code ?? (status === 413 ? 'too_large' : 'refused');
	throw { ...loss, code, retry: getRetry(response) };
}
