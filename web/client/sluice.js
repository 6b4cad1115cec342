// The client of a Sluice gateway: channels in, messages out, over whatever way works.
import { toBase } from './base.js';
import { checkChannels } from './channels.js';
import { Connection } from './connection.js';
import { parseCursor } from './deliver.js';
import { PublishError, createPublication } from './publisher.js';
import { Shared } from './share.js';
import { transports } from './transports/index.js';

export { isChannel } from './channels.js';
export { PublishError };

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
 * - `error`: code, message, and transport if it concerns one. The code is the gateway's
 *   (PROTOCOL.md, Errors), or `lost`, or `blocked`: what is in the way of the
 *   transport; `path_loses`: the path lost messages, which come late over another transport;
 *   `cached`: a cache on the path answers polls.
 *
 * A gateway that answers 4xx will not change its mind soon. When every transport is refused, the
 * state is `waiting` with the gateway's words as `why`, for a minute or more; a change of the
 * channels ends the wait at once, and publishes go by POST meanwhile. Channels that the gateway
 * refuses beside others are given up: `error` names them, and `channels` has them no more. With
 * `share`, the channels of all tabs count together: the tab whose channels are too many hears
 * `too_many_channels`, and listens to them as soon as there is room. */
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
	/** @type {string[]} */
	#given; // to the constructor, and not yet subscribed to
	#closed = new AbortController();

	/** @param {string | URL} url of the gateway, with its base path; ws: is http:, wss: is https:
	 * @param {Options} [options] */
	constructor(url, options = {}) {
		super();
		const base = toBase(url);
		const { WebSocket, EventSource, fetch } = globalThis;
		this.#given = checkChannels(options.channels ?? []);
		const settings = { WebSocket, EventSource, pollInterval: 1000, ...check(options),
			fetch: options.fetch ?? fetch.bind(globalThis),
			transports: choose(options, WebSocket) };
		const tell = this.#tell.bind(this);
		this.#core = options.share && Shared.isPossible ? new Shared(base, settings, tell) :
			new Connection(base, settings, tell);
		this.#listen();
		// The first events come after the caller could listen for them.
		queueMicrotask(() => this.#given.length && this.subscribe());
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
		return [...new Set([...this.#given, ...this.#core.channels])];
	}

	/** Throws a TypeError if one is no name of a channel (see isChannel), a RangeError if there are
	 * too many in all; then nothing has changed.
	 * @param {...string} channels */
	subscribe(...channels) {
		this.#setChannels(
			checkChannels([...this.channels, ...channels], this.#core.limits?.channels));
	}

	/** @param {...string} channels */
	unsubscribe(...channels) {
		this.#setChannels(this.channels.filter((name) => !channels.includes(name)));
	}

	/** Publishes data as JSON, an ArrayBuffer or a view of one as bytes; as it is now, whatever
	 * becomes of it later. Rejects at once with a TypeError for what is no JSON or no channel. Else
	 * rejects with a PublishError; its code `unknown_outcome` means that it may have been published
	 * or not.
	 * @param {string} channel @param {any} data
	 * @param {{ key?: string }} [options] of one's own, to repeat it safely later
	 * @returns {Promise<string>} the message's id */
	async publish(channel, data, { key } = {}) {
		const publication = createPublication(channel, data, key, this.#core.limits?.message);
		if (this.#state === 'closed')
			throw new PublishError('not_sent', 'the client is closed');
		return this.#core.publish(publication);
	}

	/** Ends it for good. Publishes without an answer reject. */
	close() {
		if (this.#state === 'closed')
			return;
		this.#given = [];
		this.#closed.abort();
		this.#core.close();
	}

	/** @param {string[]} channels */
	#setChannels(channels) {
		this.#given = [];
		if (this.#state !== 'closed')
			this.#core.setChannels(channels);
	}

	/** @param {string} type @param {any} fields */
	#tell(type, fields) {
		if (type === 'state') {
			if (fields.state === this.#state)
				return;
			this.#state = fields.state;
		}
		if (type === 'message')
			fields = { channel: fields.channel, id: fields.id, time: fields.time,
				data: decode(fields), late: Boolean(fields.late) };
		this.dispatchEvent(new SluiceEvent(type, fields));
		if (fields.state === 'open')
			this.dispatchEvent(new SluiceEvent('open', { transport: this.transport }));
	}

	/** What may have killed the connection unseen. */
	#listen() {
		const { document, window } = globalThis;
		if (!window?.addEventListener || !document)
			return;
		const wake = (/** @type {Event} */ { type }) =>
			document.hidden || this.#core.wake(type === 'online');
		const { signal } = this.#closed;
		window.addEventListener('online', wake, { signal });
		window.addEventListener('pageshow', wake, { signal });
		document.addEventListener('visibilitychange', wake, { signal });
	}
}

/** Throws for what the gateway would refuse with every request.
 * @param {Options} options */
function check({ since, ...options }) {
	const { heartbeat = 4, hold = 1 } = options;
	const from = String(since ?? '');
	if (from && from !== '0' && !parseCursor(from))
		throw new TypeError(`since: "${from}" is not a cursor`);
	if (!Number.isInteger(heartbeat) || heartbeat < 4 || heartbeat > 60)
		throw new RangeError(`heartbeat: ${heartbeat} is out of range; use 4 to 60 (seconds)`);
	if (!(hold > 0 && hold <= 55))
		throw new RangeError(`hold: ${hold} is out of range; use more than 0, up to 55 (seconds)`);
	return { ...options, since: from || undefined };
}

/** @param {{ data?: any, base64?: string }} message */
function decode({ data, base64 }) {
	return base64 === undefined ? data : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
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
