// The client of a Sluice gateway: channels in, messages out, over whatever way works.
import { toBase } from './base.js';
import { checkChannels } from './channels.js';
import { Connection } from './connection.js';
import { parseCursor } from './deliver.js';
import { PublishError, createPublication } from './publisher.js';
import { Shared } from './share.js';
import { checkSource } from './source.js';
import { Tokens } from './token.js';
import { transports } from './transports/index.js';

export { isChannel, isEvent } from './channels.js';
export { PublishError };

/** @typedef {'websocket' | 'sse' | 'stream' | 'longpoll' | 'poll'} TransportName */
/** @typedef {'idle' | 'connecting' | 'open' | 'waiting' | 'closed'} State */

/** @typedef {object} Options
 * @property {string[]} [channels] to listen to from the start
 * @property {string} [since] a cursor to go on from, '0' for all that is kept; else from now
 * @property {TransportName[]} [transports] which to use, best first
 * @property {string | (() => string | Promise<string>)} [token] a JWT that the gateway takes, or a
 * 	function that gets one; see below
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [share] one connection for all tabs of this origin whose tokens have the same
 * 	`iss` and `sub`, or that have the same `shareKey`
 * @property {string} [shareKey] names the tabs that share, such as the user's id; it is no secret
 * @property {number} [heartbeat] s, 4 to 60
 * @property {number} [hold] s that a long-poll is held, up to 55
 * @property {number} [pollInterval] ms between short polls, by default 1000
 * @property {Partial<import('./policy.js').Times>} [timings] of trying and switching, ms
 * @property {any} [WebSocket] where there is none; with a token it has to take a list of
 * 	subprotocols as its second argument, as all browsers', Node's own and that of `ws` do
 * @property {any} [EventSource] where there is none, or null to use fetch
 * @property {typeof globalThis.fetch} [fetch]
 * @property {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] of what worked; null: none
 *
 * **token.** The client calls a function at the start, 30 to 60 s before the token's `exp` (of a
 * shorter life a quarter to a half before), and once when the gateway refuses the token
 * (`unauthorized`, `token_expired`, `token_revoked`). Before `exp` a new link opens beside the old
 * one, which ends when the new one has caught up. When the gateway refuses the token from that
 * last call too, or refuses a string, the client raises an `error` with the gateway's code, and its
 * state is `closed`.
 *
 * A function that throws, rejects, takes longer than 30 s or returns no token raises an `error`
 * with the code `no_token`. The client calls it again after a random time that grows up to 30 s,
 * for as long as it is open, as it does where the gateway is down; the old link runs on meanwhile.
 * A text that is no JWT has no known end: the client replaces it once it is refused.
 *
 * A request by fetch has the token in its header Authorization, a WebSocket in its list of
 * subprotocols (`sluice.v1, bearer.TOKEN`), a native EventSource has a ticket of 30 s. No URL has
 * the token, nor has storage, a message between tabs or the text of an error.
 *
 * With `share`, each tab calls its own function, once, to know whose tabs it belongs to (with
 * `shareKey` it does not); from then on only the tab that leads does. A tab whose token is refused
 * is closed and leaves the lead to another, which uses its own token. When another user logs in,
 * close the client and make a new one. */

/** Every event's class. Which fields it has, its type says:
 * - `message`: channel, data, id, time (µs since 1970); event, '' if it has none, and args, in
 *   which way data has the event's arguments: '', `list` or `binary`; late: the path had lost it,
 *   and it comes after messages with higher ids
 * - `open`: transport; messages flow, for the first time or again
 * - `transport`: from, to, why
 * - `gap`: channel, after, resumed; messages between are lost
 * - `state`: state, why, wait (ms, of `waiting`)
 * - `backend`: state, `away` or `back`: the gateway has lost the backend of its bus, or has it
 *   again. Meanwhile publishes take longer, and what others publish comes later, in order; nothing
 *   is lost, and the client stays where it is. Polls do not tell: who changes to them hears `back`
 * - `error`: code, message, transport if it concerns one, wait (ms) if the gateway asks for it.
 *   The code is the gateway's (PROTOCOL.md, Errors), or `lost`, or `blocked`: what is in the
 *   way of the transport; `path_loses`: the path lost messages, which come late over another
 *   transport; `cached`: a cache on the path answers polls; `no_token`: the function failed.
 *
 * `rate_limited` reports that the page asks for more than the gateway allows one client. The
 * client waits as long as the gateway asks for, keeps its transport, and sends publishes later;
 * nothing is lost.
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
	event = '';
	args = '';
	time = 0;
	late = false;
	/** @type {string | null} */ from = null;
	to = '';
	why = '';
	/** @type {string | null} */ after = null;
	resumed = '';
	/** @type {State | 'away' | 'back' | undefined} */ state;
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
	/** @type {Record<string, string>} */
	#states = { state: 'idle', backend: 'back' };
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
		checkSource(options.token);
		const settings = { tokens: new Tokens(options.token), WebSocket, EventSource,
			pollInterval: 1000, ...check(options), fetch: options.fetch ?? fetch.bind(globalThis),
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
		return /** @type {State} */ (this.#states.state);
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
	 * or not: the client has tried for 100 s under one key, which counts once.
	 * @param {string} channel @param {any} data
	 * @param {{ key?: string, event?: string }} [options] a key of one's own, to repeat it safely
	 * 	later; the name of the event that it is
	 * @returns {Promise<string>} the message's id */
	async publish(channel, data, { key, event } = {}) {
		const publication =
			createPublication(channel, data, key, this.#core.limits?.message, event);
		if (this.state === 'closed')
			throw new PublishError('not_sent', 'the client is closed');
		return this.#core.publish(publication);
	}

	/** Ends it for good. Publishes without an answer reject. */
	close() {
		if (this.state === 'closed')
			return;
		this.#core.close();
	}

	/** @param {string[]} channels */
	#setChannels(channels) {
		this.#given = [];
		if (this.state !== 'closed')
			this.#core.setChannels(channels);
	}

	/** @param {string} type @param {any} fields */
	#tell(type, fields) {
		if (this.#states[type]) {
			if (fields.state === this.#states[type])
				return;
			this.#states[type] = fields.state;
		}
		if (fields.state === 'closed') { // a token may have been refused
			this.#given = [];
			this.#closed.abort();
		}
		if (type === 'message')
			fields = { channel: fields.channel, id: fields.id, time: fields.time,
				event: fields.event ?? '', args: fields.args ?? '', data: decode(fields),
				late: Boolean(fields.late) };
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
