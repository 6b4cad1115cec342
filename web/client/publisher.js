// Publishes in flight. Each has a key: repeated on whichever transport works next it counts
// once, for as long as the gateway remembers keys (two minutes; we stop at 100 s) and only
// while the epoch is the same. Whatever else: nobody can tell, and the caller is told so.
import { Backoff } from './backoff.js';
import { parseCursor } from './deliver.js';
import { check, createKey } from './transports/request.js';

const LIMIT_MS = 100000;
const AT_ONCE = 60; // a WebSocket takes 64 unanswered ones
const ANSWER_MS = 5000; // then the connection is looked at
const POST_MS = 20000; // then it is sent again

/** A publish that failed; `code` is the gateway's, or `unknown_outcome`, `not_sent`. */
export class PublishError extends Error {
	/** @param {string} code @param {string} message */
	constructor(code, message) {
		super(message);
		this.name = 'PublishError';
		this.code = code;
	}
}

/** @typedef {{ ref: string, tries: number, channel: string, data: any, key: string, epoch: string, way: any,
 * 	backoff: Backoff, resolve: (id: string) => void, reject: (error: Error) => void,
 * 	timers: Set<ReturnType<typeof setTimeout>> }} Pending */

/** What it stands on: a socket to send on (null: POST, undefined: nothing works now), the
 * epoch, the URL of /publish, and how to have the connection looked at.
 * @typedef {{ way: () => (((object: object) => void) | null | undefined), epoch: () => string,
 * 	url: (channel: string) => string, fetch: typeof fetch, doubt: () => void }} Base */

export class Publisher {
	/** @type {Map<string, Pending>} */
	#pending = new Map();
	#count = 0;

	/** @param {Base} base */
	constructor(base) {
		this.base = base;
	}

	/** @param {string} channel @param {any} data @param {string} [key]
	 * @returns {Promise<string>} the message's id */
	publish(channel, data, key = createKey()) {
		return new Promise((resolve, reject) => {
			const ref = `p${++this.#count}`;
			/** @type {Pending} */
			const pending = { ref, tries: 0, channel, data, key, epoch: '', way: undefined, backoff: new Backoff(),
				resolve, reject, timers: new Set() };
			this.#pending.set(ref, pending);
			this.#later(pending, LIMIT_MS, () => this.#giveUp(pending));
			this.flush();
		});
	}

	/** Sends what waits, and again what was sent on a way that is gone. */
	flush() {
		const way = this.base.way();
		if (way === undefined)
			return;
		let busy = [...this.#pending.values()].filter((pending) => way && pending.way === way).length;
		for (const pending of this.#pending.values()) {
			if (pending.way === way || pending.way === 'waits' || pending.way === 'post')
				continue;
			const epoch = this.base.epoch();
			if (pending.epoch && epoch && pending.epoch !== epoch) {
				this.#giveUp(pending);
				continue;
			}
			const byPost = !way || pending.data instanceof ArrayBuffer || ArrayBuffer.isView(pending.data);
			if (!byPost && busy++ >= AT_ONCE)
				continue;
			pending.epoch ||= epoch;
			pending.tries++;
			if (byPost)
				this.#post(pending);
			else
				this.#send(pending, /** @type {(object: object) => void} */ (way));
		}
	}

	/** An `ack` or `error` that came over a socket.
	 * @param {import('./deliver.js').Control} object
	 * @returns {boolean} if it was for a publish */
	answer({ type, ref, id, code, message }) {
		const pending = this.#pending.get(ref);
		if (!pending)
			return false;
		if (type === 'ack')
			this.#finish(pending, () => pending.resolve(/** @type {any} */ (id)));
		else
			this.#refuse(pending, code ?? 'error', message ?? 'refused');
		this.flush();
		return true;
	}

	close() {
		for (const pending of this.#pending.values())
			this.#giveUp(pending);
	}

	/** @param {Pending} pending @param {(object: object) => void} way */
	#send(pending, way) {
		const { channel, data, ref, key } = pending;
		pending.way = way;
		way({ type: 'publish', channel, data, ref, key });
		this.#later(pending, ANSWER_MS, () => pending.way === way && this.base.doubt());
	}

	/** @param {Pending} pending */
	async #post(pending) {
		const { channel, data, key } = pending;
		const isBinary = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
		pending.way = 'post';
		try {
			const response = await check(await this.base.fetch(this.base.url(channel), { method: 'POST',
				signal: AbortSignal.timeout?.(POST_MS),
				headers: { 'Content-Type': isBinary ? 'application/octet-stream' : 'application/json', 'Idempotency-Key': key },
				body: isBinary ? /** @type {any} */ (data) : JSON.stringify(data) }));
			const { id } = await response.json();
			// Repeated across a restart that we had not seen yet: the first may have counted too.
			if (pending.tries > 1 && pending.epoch && parseCursor(id)?.epoch !== pending.epoch)
				this.#giveUp(pending);
			this.#finish(pending, () => pending.resolve(id));
		} catch (/** @type {any} */ error) {
			if (error?.why && error.code) // a DOMException has a code too
				this.#refuse(pending, error.code, error.why, error.retry);
			else
				this.#again(pending);
		}
	}

	/** @param {Pending} pending @param {string} code @param {string} message @param {number} [retry] */
	#refuse(pending, code, message, retry) {
		if (['limit', 'draining', 'too_many_connections', 'unknown_outcome'].includes(code))
			this.#again(pending, retry ?? 1000);
		else
			this.#finish(pending, () => pending.reject(new PublishError(code, message)));
	}

	/** @param {Pending} pending @param {number} [retry] */
	#again(pending, retry) {
		pending.way = 'waits';
		this.#later(pending, pending.backoff.next(retry), () => {
			pending.way = undefined;
			this.flush();
		});
	}

	/** @param {Pending} pending */
	#giveUp(pending) {
		this.#finish(pending, () => pending.reject(pending.epoch ?
			new PublishError('unknown_outcome', 'no answer came: it may have been published or not') :
			new PublishError('not_sent', 'there was no connection to publish on')));
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
