// The client of a Sluice gateway: channels in, messages out, over whatever way works.
import { Connection } from './connection.js';
import { Shared } from './share.js';
import { transports } from './transports/index.js';

export { PublishError } from './publisher.js';

/** @typedef {'websocket' | 'sse' | 'stream' | 'longpoll' | 'poll'} TransportName */
/** @typedef {'idle' | 'connecting' | 'open' | 'waiting' | 'closed'} State */

/** @typedef {object} Options
 * @property {string[]} [channels] to listen to from the start
 * @property {string} [since] a cursor to go on from, '0' for all that is kept; else from now
 * @property {TransportName[]} [transports] which to use, best first
 * @property {string} [token] a header of what is fetched, in the query of WebSocket and EventSource
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [share] one connection for all tabs of this origin
 * @property {number} [heartbeat] s, 4 to 60
 * @property {number} [hold] s that a long-poll is held, up to 55
 * @property {number} [pollInterval] ms between short polls, by default 1000
 * @property {Partial<import('./policy.js').Times>} [timings] of trying and switching, ms
 * @property {any} [WebSocket] where there is none
 * @property {any} [EventSource] where there is none, or null to use fetch
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] of what worked; null: none */

/** Every event's class. Which fields it has, its type says:
 * - `message`: channel, data, id, time (µs since 1970); late: the path had lost it, and it
 *   comes after messages with higher ids
 * - `open`: transport; messages flow, for the first time or again
 * - `transport`: from, to, why
 * - `gap`: channel, after, resumed; messages between are lost
 * - `state`: state, why, wait (ms, of `waiting`)
 * - `error`: code, message, and transport if it concerns one. `blocked`: what is in its way;
 *   `path_loses`: the path lost messages, which come late over another transport; `cached`: a
 *   cache answers polls */
export class SluiceEvent extends Event {
	channel = '';
	/** @type {any} */ data;
	id = '';
	time = 0;
	late = false;
	/** @type {string | null} */ from = null;
	to = '';
	why = '';
	/** @type {string | null} */ after = null;
	resumed = '';
	/** @type {State | undefined} */ state;
	/** @type {number | undefined} */ wait;
	code = '';
	message = '';
	transport = '';

	/** @param {string} type @param {any} fields */
	constructor(type, { type: _, ...fields }) {
		super(type);
		Object.assign(this, fields);
	}
}

export class Sluice extends EventTarget {
	/** @type {State} */
	#state = 'idle';
	#core;
	#closed = new AbortController();

	/** @param {string | URL} url of the gateway, with its base path
	 * @param {Options} [options] */
	constructor(url, options = {}) {
		super();
		const base = new URL(url, globalThis.document?.baseURI);
		base.pathname = base.pathname.replace(/\/?$/, '/');
		const { WebSocket, EventSource, fetch } = globalThis;
		const settings = { WebSocket, EventSource, pollInterval: 1000, ...options,
			fetch: options.fetch ?? fetch.bind(globalThis), transports: choose(options, WebSocket) };
		const tell = this.#tell.bind(this);
		this.#core = options.share && Shared.isPossible ? new Shared(base, settings, tell) :
			new Connection(base, settings, tell);
		this.#listen();
		// The first events come after the caller could listen for them.
		const channels = [...new Set(options.channels)];
		queueMicrotask(() => this.#state !== 'closed' && this.subscribe(...channels));
	}

	/** Where to go on: hand it to `since` of another Sluice, later.
	 * @returns {string | undefined} */
	get cursor() {
		return this.#core.cursor;
	}

	get state() {
		return this.#state;
	}

	/** The transport in use. */
	get transport() {
		return this.#core.transport;
	}

	get channels() {
		return [...this.#core.channels];
	}

	/** @param {...string} channels */
	subscribe(...channels) {
		this.#core.setChannels([...new Set([...this.#core.channels, ...channels])]);
	}

	/** @param {...string} channels */
	unsubscribe(...channels) {
		this.#core.setChannels(this.#core.channels.filter((name) => !channels.includes(name)));
	}

	/** Publishes data as JSON, an ArrayBuffer or a view of one as bytes. Rejects with a
	 * PublishError; its code `unknown_outcome` means that it may have been published or not.
	 * @param {string} channel @param {any} data
	 * @param {{ key?: string }} [options] of one's own, to repeat it safely later
	 * @returns {Promise<string>} the message's id */
	publish(channel, data, { key } = {}) {
		return this.#core.publish(channel, data, key);
	}

	/** Ends it for good. Publishes without an answer reject. */
	close() {
		if (this.#state === 'closed')
			return;
		this.#closed.abort();
		this.#core.close();
	}

	/** @param {string} type @param {any} fields */
	#tell(type, fields) {
		if (type === 'state') {
			if (fields.state === this.#state)
				return;
			this.#state = fields.state;
		}
		if (type === 'message')
			fields = { channel: fields.channel, id: fields.id, time: fields.time, late: Boolean(fields.late), data:
				fields.base64 === undefined ? fields.data : Uint8Array.from(atob(fields.base64), (c) => c.charCodeAt(0)) };
		this.dispatchEvent(new SluiceEvent(type, fields));
		if (fields.state === 'open')
			this.dispatchEvent(new SluiceEvent('open', { transport: this.transport }));
	}

	/** What may have killed the connection unseen. */
	#listen() {
		const { document, window } = globalThis;
		if (!window?.addEventListener || !document)
			return;
		const wake = (/** @type {Event} */ { type }) => document.hidden || this.#core.wake(type === 'online');
		const { signal } = this.#closed;
		window.addEventListener('online', wake, { signal });
		window.addEventListener('pageshow', wake, { signal });
		document.addEventListener('visibilitychange', wake, { signal });
	}
}

/** @param {Options} options @param {any} WebSocket */
function choose({ transports: names, WebSocket: given }, WebSocket) {
	const chosen = names?.map((name) => {
		const found = transports.find((transport) => transport.name === name);
		if (!found)
			throw new TypeError(`there is no transport ${name}`);
		return found;
	}) ?? transports;
	const usable = chosen.filter(({ name }) => name !== 'websocket' || (given ?? WebSocket));
	if (!usable.length)
		throw new TypeError('none of the transports can be used here');
	return usable;
}
