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
    /** @param {string} type @param {any} fields */
    constructor(type: string, { type: _, ...fields }: any);
    channel: string;
    /** @type {any} */ data: any;
    id: string;
    event: string;
    args: string;
    time: number;
    late: boolean;
    /** @type {string | null} */ from: string | null;
    to: string;
    why: string;
    /** @type {string | null} */ after: string | null;
    resumed: string;
    /** @type {State | 'away' | 'back' | undefined} */ state: State | "away" | "back" | undefined;
    /** @type {number | undefined} */ wait: number | undefined;
    code: string;
    message: string;
    transport: string;
}
/** A client: an EventTarget that raises SluiceEvents. It connects as soon as it has channels. */
export class Sluice extends EventTarget {
    /** Throws a TypeError or RangeError for a wrong URL or option. Connects after the caller has
     * had time to add listeners.
     * @param {string | URL} url of the gateway, with its base path; ws: counts as http:, wss: as
     * 	https:
     * @param {Options} [options] */
    constructor(url: string | URL, options?: Options);
    /** The position of the last message. Give it to the option `since` of a later Sluice, which
     * resumes there.
     * @returns {string | undefined} undefined before the first connection */
    get cursor(): string | undefined;
    /** The state, as the last event `state` reported it. */
    get state(): State;
    /** The name of the transport in use; null: none. */
    get transport(): string | null;
    /** The channels that the client is subscribed to. */
    get channels(): string[];
    /** Subscribes to more channels. Throws a TypeError for an illegal name (see isChannel), and a
     * RangeError if the channels become more than the gateway allows (64 until it has said how
     * many); then nothing changes.
     * @param {...string} channels */
    subscribe(...channels: string[]): void;
    /** Unsubscribes from channels. Without any, the client disconnects, and its state is `idle`.
     * @param {...string} channels */
    unsubscribe(...channels: string[]): void;
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
    publish(channel: string, data: any, { key, event }?: {
        key?: string;
        event?: string;
    }): Promise<string>;
    /** Closes the client for good. Publishes without an answer reject. */
    close(): void;
    #private;
}
/**
 * A transport's name, best first.
 */
export type TransportName = "websocket" | "sse" | "stream" | "longpoll" | "poll";
/**
 * What the client does: `idle`: it has no channels; `connecting`: it tries transports; `open`:
 * messages arrive; `waiting`: it retries after a pause; `closed`: for good.
 */
export type State = "idle" | "connecting" | "open" | "waiting" | "closed";
/**
 * The options of a Sluice.
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
 */
export type Options = {
    /**
     * subscribes to these from the start; default: none
     */
    channels?: string[] | undefined;
    /**
     * resumes at this cursor, or with '0' at the oldest message that the
     * gateway keeps; default: from now on
     */
    since?: string | undefined;
    /**
     * uses only these, best first; default: all five
     */
    transports?: TransportName[] | undefined;
    /**
     * a JWT that the gateway accepts, or
     * a function that returns one, see above; default: none
     */
    token?: string | (() => string | Promise<string>) | undefined;
    /**
     * added to the query of every request
     */
    params?: Record<string, string> | undefined;
    /**
     * uses one connection for all tabs of this origin whose tokens have the
     * same `iss` and `sub`, or that have the same `shareKey`; default: false
     */
    share?: boolean | undefined;
    /**
     * names the tabs that share, for example by the user's id; not a
     * secret
     */
    shareKey?: string | undefined;
    /**
     * seconds between signs of life of the gateway, a whole number from
     * 4 to 60; default: the gateway's own
     */
    heartbeat?: number | undefined;
    /**
     * seconds that the gateway holds a long-poll, up to 55; default: 25
     */
    hold?: number | undefined;
    /**
     * ms between short polls; default: 1000
     */
    pollInterval?: number | undefined;
    /**
     * changes when the client tries and
     * switches transports, in ms
     */
    timings?: Partial<{
        race: number;
        silence: number;
        check: number;
        retire: number;
        beside: number;
        refused: number;
        portal: number;
        young: number;
        apart: number;
        heap: number;
        promote: number[];
    }> | undefined;
    /**
     * the class to use if the platform has none. With a token it must take
     * a list of subprotocols as its second argument, as those of browsers, Node.js and `ws` do
     */
    WebSocket?: any;
    /**
     * the class to use if the platform has none; null: use fetch
     */
    EventSource?: any;
    /**
     * default: the platform's
     */
    fetch?: typeof fetch | undefined;
    /**
     * remembers which transport
     * worked; null: remembers nothing; default: the page's localStorage
     */
    storage?: Pick<Storage, "getItem" | "setItem"> | null | undefined;
};
import { PublishError } from './publisher.js';
export { isChannel, isEvent } from "./channels.js";
