// The client of a Sluice gateway: subscribes to channels and publishes, using whichever transport
// the network allows.
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

/** A transport's name, best first.
 * @typedef {'websocket' | 'sse' | 'stream' | 'longpoll' | 'poll'} TransportName */
/** What the client does: `idle`: it has no channels; `connecting`: it tries transports; `open`:
 * messages arrive; `waiting`: it retries after a pause; `closed`: for good.
 * @typedef {'idle' | 'connecting' | 'open' | 'waiting' | 'closed'} State */

/** The options of a Sluice.
 *
 * **When does the client call the token function?** At the start; 30 to 60 s before the token's
 * `exp` (for a shorter life: a quarter to a half of it before); and once when the gateway refuses
 * the token (`unauthorized`, `token_expired`, `token_revoked`). Before `exp` the client opens a new
 * connection beside the old one, and closes the old one when the new one has caught up. If the
 * gateway also refuses the token of that last call, or refuses a string, the client raises an
 * `error` with the gateway's code, and its state is `closed`.
 *
 * **What if the function fails?** It fails when it throws, rejects, takes longer than 30 s or
 * returns no token. The client raises an `error` with the code `no_token`, and calls the function
 * again after a random time that grows up to 30 s. The old connection stays in use meanwhile. A
 * text that is not a JWT has no known end: the client replaces it when the gateway refuses it.
 *
 * **Where does the token appear?** In the header Authorization of requests, and in the list of
 * subprotocols of a WebSocket (`sluice.v1, bearer.TOKEN`). A native EventSource has a ticket of
 * 30 s instead. The token is never in a URL, in storage, in a message between tabs or in the text
 * of an error.
 *
 * **Which tab calls the function with `share`?** Each tab calls its own function once, to find the
 * tabs it belongs to; with `shareKey` it does not. After that, only the leading tab calls its
 * function. If the gateway refuses the leading tab's token, that tab closes, and another tab leads
 * with its own token. When another user logs in, close the client and make a new one.
 *
 * @typedef {object} Options
 * @property {string[]} [channels] subscribes to these from the start; default: none
 * @property {string} [since] resumes at this cursor, or with '0' at the oldest message that the
 * 	gateway keeps; default: from now on
 * @property {TransportName[]} [transports] uses only these, best first; default: all five
 * @property {string | (() => string | Promise<string>)} [token] a JWT that the gateway accepts, or
 * 	a function that returns one, see above; default: none
 * @property {Record<string, string>} [params] added to the query of every request
 * @property {boolean} [share] uses one connection for all tabs of this origin whose tokens have the
 * 	same `iss` and `sub`, or that have the same `shareKey`; default: false
 * @property {string} [shareKey] names the tabs that share, for example by the user's id; not a
 * 	secret
 * @property {number} [heartbeat] seconds between signs of life of the gateway, a whole number from
 * 	4 to 60; default: the gateway's own
 * @property {number} [hold] seconds that the gateway holds a long-poll, up to 55; default: 25
 * @property {number} [pollInterval] ms between short polls; default: 1000
 * @property {Partial<import('./policy.js').Times>} [timings] changes when the client tries and
 * 	switches transports, in ms
 * @property {any} [WebSocket] the class to use if the platform has none. With a token it must take
 * 	a list of subprotocols as its second argument, as those of browsers, Node.js and `ws` do
 * @property {any} [EventSource] the class to use if the platform has none; null: use fetch
 * @property {typeof globalThis.fetch} [fetch] default: the platform's
 * @property {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] remembers which transport
 * 	worked; null: remembers nothing; default: the page's localStorage */

/** The class of all events. The type decides which fields an event has:
 * - `message`: channel; data; id; time (µs since 1970); event, '' if the message has none; args,
 *   the form of the event's arguments in data: '', `list` or `binary`; late: true if the path had
 *   lost the message, so it arrives after messages with higher ids
 * - `open`: transport. Messages arrive, for the first time or again
 * - `transport`: from, to, why. The client switched transports; from is null the first time
 * - `gap`: channel, after, resumed. The messages between the two cursors are lost
 * - `state`: state; why; wait, the ms until the next try if the state is `waiting`
 * - `backend`: state: `away` when the gateway loses the backend of its bus, `back` when it has it
 *   again. While it is away, publishes take longer, and messages of others arrive later, in
 *   order. Nothing is lost, and the client keeps its transport. Polls do not report this: a client
 *   that changes to polls raises `back`
 * - `error`: code; message; transport, if the error concerns one; wait, in ms, if the gateway asks
 *   the client to wait
 *
 * The code of an `error` is the gateway's (PROTOCOL.md, Errors) or one of these:
 * - `lost`: a transport failed or ended; message says why
 * - `blocked`: message says what blocks a transport
 * - `path_loses`: the path lost messages; they arrive late, over another transport
 * - `cached`: a cache on the path answers polls; the client polls by POST
 * - `no_token`: the token function failed
 *
 * **`rate_limited`** reports that this page asks for more than the gateway allows one client. The
 * client waits as long as the gateway asks, keeps its transport, and sends publishes later. Nothing
 * is lost.
 *
 * **If the gateway refuses every transport with a 4xx**, the state is `waiting` for a minute or
 * more, and why has the gateway's words. A change of the channels ends the wait at once. Publishes
 * go by POST meanwhile.
 *
 * **If the gateway refuses new channels beside others**, the client gives the new ones up: an
 * `error` names them, and `channels` omits them. With `share`, the channels of all tabs count
 * together: the tab whose channels are too many gets `too_many_channels`, and receives their
 * messages as soon as there is room. */
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

/** A client: an EventTarget that raises SluiceEvents. It connects as soon as it has channels. */
export class Sluice extends EventTarget {
	/** @type {Record<string, string>} */
	#states = { state: 'idle', backend: 'back' };
	#core;
	/** @type {string[]} */
	#given; // to the constructor, and not yet subscribed to
	#closed = new AbortController();

	/** Throws a TypeError or RangeError for a wrong URL or option. Connects after the caller has
	 * had time to add listeners.
	 * @param {string | URL} url of the gateway, with its base path; ws: counts as http:, wss: as
	 * 	https:
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

	/** The position of the last message. Give it to the option `since` of a later Sluice, which
	 * resumes there.
	 * @returns {string | undefined} undefined before the first connection */
	get cursor() {
		return this.#core.cursor;
	}

	/** The state, as the last event `state` reported it. */
	get state() {
		return /** @type {State} */ (this.#states.state);
	}

	/** The name of the transport in use; null: none. */
	get transport() {
		return this.#core.transport;
	}

	/** The channels that the client is subscribed to. */
	get channels() {
		return [...new Set([...this.#given, ...this.#core.channels])];
	}

	/** Subscribes to more channels. Throws a TypeError for an illegal name (see isChannel), and a
	 * RangeError if the channels become more than the gateway allows (64 until it has said how
	 * many); then nothing changes.
	 * @param {...string} channels */
	subscribe(...channels) {
		this.#setChannels(
			checkChannels([...this.channels, ...channels], this.#core.limits?.channels));
	}

	/** Unsubscribes from channels. Without any, the client disconnects, and its state is `idle`.
	 * @param {...string} channels */
	unsubscribe(...channels) {
		this.#setChannels(this.channels.filter((name) => !channels.includes(name)));
	}

	/** Publishes a message. Retries for up to 100 s with the same key, so that the message is
	 * published once at most.
	 *
	 * Rejects at once with a TypeError if the channel, key or event is illegal or the data is not
	 * JSON. Else it rejects with a PublishError. Its code `unknown_outcome` means that the message
	 * may have been published or not.
	 * @param {string} channel
	 * @param {any} data an ArrayBuffer or a view of one is published as bytes, anything else as
	 * 	JSON. The client copies the data before it returns
	 * @param {{ key?: string, event?: string }} [options] key: the idempotency key, 8 to 64 visible
	 * 	ASCII characters, to repeat the call safely within two minutes; default: a new one. event:
	 * 	the name of the message's event
	 * @returns {Promise<string>} the message's id */
	async publish(channel, data, { key, event } = {}) {
		const publication =
			createPublication(channel, data, key, this.#core.limits?.message, event);
		if (this.state === 'closed')
			throw new PublishError('not_sent', 'the client is closed');
		return this.#core.publish(publication);
	}

	/** Closes the client for good. Publishes without an answer reject. */
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

	/** Checks the connection after events during which it may have ended unnoticed. */
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

/** Throws for options that the gateway would refuse with every request.
 * @param {Options} options */
function check({ since, ...options }) {
	const { heartbeat = 4, hold = 1 } = options;
	const from = String(since ?? '');
	if (from && from !== '0' && !parseCursor(from))
		throw new TypeError(`since: "${from}" is not a cursor; use "0" or the cursor of a client`);
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
			throw new TypeError(`transports: there is no ${name}; use ` +
				transports.map((transport) => transport.name).join(', '));
		return found;
	}) ?? transports;
	const usable = chosen.filter(({ name }) => name !== 'websocket' || (given ?? WebSocket));
	if (!usable.length)
		throw new TypeError('transports: none works here; use more than websocket');
	return usable;
}
