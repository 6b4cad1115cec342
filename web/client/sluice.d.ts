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
export class Sluice extends EventTarget {
    /** @param {string | URL} url of the gateway, with its base path; ws: is http:, wss: is https:
     * @param {Options} [options] */
    constructor(url: string | URL, options?: Options);
    /** Where to go on: hand it to `since` of another Sluice, later.
     * @returns {string | undefined} */
    get cursor(): string | undefined;
    get state(): State;
    /** The transport in use. */
    get transport(): string | null;
    get channels(): string[];
    /** Throws a TypeError if one is no name of a channel (see isChannel), a RangeError if there are
     * too many in all; then nothing has changed.
     * @param {...string} channels */
    subscribe(...channels: string[]): void;
    /** @param {...string} channels */
    unsubscribe(...channels: string[]): void;
    /** Publishes data as JSON, an ArrayBuffer or a view of one as bytes; as it is now, whatever
     * becomes of it later. Rejects at once with a TypeError for what is no JSON or no channel. Else
     * rejects with a PublishError; its code `unknown_outcome` means that it may have been published
     * or not: the client has tried for 100 s under one key, which counts once.
     * @param {string} channel @param {any} data
     * @param {{ key?: string, event?: string }} [options] a key of one's own, to repeat it safely
     * 	later; the name of the event that it is
     * @returns {Promise<string>} the message's id */
    publish(channel: string, data: any, { key, event }?: {
        key?: string;
        event?: string;
    }): Promise<string>;
    /** Ends it for good. Publishes without an answer reject. */
    close(): void;
    #private;
}
export type TransportName = "websocket" | "sse" | "stream" | "longpoll" | "poll";
export type State = "idle" | "connecting" | "open" | "waiting" | "closed";
export type Options = {
    /**
     * to listen to from the start
     */
    channels?: string[] | undefined;
    /**
     * a cursor to go on from, '0' for all that is kept; else from now
     */
    since?: string | undefined;
    /**
     * which to use, best first
     */
    transports?: TransportName[] | undefined;
    /**
     * a JWT that the gateway takes, or a
     * function that gets one; see below
     */
    token?: string | (() => string | Promise<string>) | undefined;
    /**
     * added to the query of every request
     */
    params?: Record<string, string> | undefined;
    /**
     * one connection for all tabs of this origin whose tokens have the same
     * `iss` and `sub`, or that have the same `shareKey`
     */
    share?: boolean | undefined;
    /**
     * names the tabs that share, such as the user's id; it is no secret
     */
    shareKey?: string | undefined;
    /**
     * s, 4 to 60
     */
    heartbeat?: number | undefined;
    /**
     * s that a long-poll is held, up to 55
     */
    hold?: number | undefined;
    /**
     * ms between short polls, by default 1000
     */
    pollInterval?: number | undefined;
    /**
     * of trying and switching, ms
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
     * where there is none; with a token it has to take a list of
     * subprotocols as its second argument, as all browsers', Node's own and that of `ws` do
     */
    WebSocket?: any;
    /**
     * where there is none, or null to use fetch
     */
    EventSource?: any;
    fetch?: typeof fetch | undefined;
    /**
     * of what worked; null: none
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
     * close the client and make a new one.
     */
    storage?: Pick<Storage, "getItem" | "setItem"> | null | undefined;
};
import { PublishError } from './publisher.js';
export { isChannel, isEvent } from "./channels.js";
