/** A message to publish, made once, so that every try sends the same. size: bytes of the body;
 * made: when the caller asked for it; unsure, epoch: of one that another tab may have tried.
 * @typedef {{ channel: string, event?: string, key: string,
 * 	body: string | Uint8Array<ArrayBuffer>, size: number,
 * 	made: { at: number, wall: number }, unsure?: boolean, epoch?: string }} Publication */
/** Throws for what no retry could mend: a TypeError, or a PublishError `too_large`.
 * @param {string} channel @param {any} data @param {string} [key]
 * @param {number} [most] bytes, if it is known @param {string} [event]
 * @returns {Publication} */
export function createPublication(channel: string, data: any, key?: string, most?: number, event?: string): Publication;
export const LIMIT_MS: 100000;
/** A publish that failed. `code` is the gateway's (PROTOCOL.md, Errors) or one of these:
 * - `too_large`: the message has more bytes than the gateway accepts
 * - `refused`: a proxy refused it; the error's message has the status
 * - `not_published`: the gateway was too busy until the client gave up; the error says why
 * - `not_sent`: there was no connection, or the client is closed
 * - `unknown_outcome`: a try had no answer, or the gateway does not know the outcome either. The
 *   message may have been published or not */
export class PublishError extends Error {
    /** @param {string} [code] @param {string} [message] */
    constructor(code?: string, message?: string);
    code: string;
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
    /** @param {Base} base */
    constructor(base: Base);
    base: Base;
    /** @param {Publication} publication
     * @returns {Promise<string>} the message's id */
    publish(publication: Publication): Promise<string>;
    /** Sends what waits, and again what was sent on a connection that is gone. A message that may
     * be too large for a socket goes by POST: a 413 does not close the connection. */
    flush(): void;
    /** Takes an `ack` or `error` that came over a socket. An error without a ref concerns a frame
     * that the gateway could not read; the answers to POST say which. A POST renews a refused
     * token.
     * @param {import('./deliver.js').Control} object
     * @returns {boolean} whether it was for a publish */
    answer({ type, ref, id, code, message, retry }: import("./deliver.js").Control): boolean;
    /** A socket was closed because of a frame that was too large. Of the messages without an answer
     * on it, the largest is too large in any case; the others are sent again.
     * @param {((text: string) => void) | undefined} way @param {string} why
     * @returns {boolean} whether there was one */
    refuseLargest(way: ((text: string) => void) | undefined, why: string): boolean;
    close(): void;
    #private;
}
/**
 * A message to publish, made once, so that every try sends the same. size: bytes of the body;
 * made: when the caller asked for it; unsure, epoch: of one that another tab may have tried.
 */
export type Publication = {
    channel: string;
    event?: string;
    key: string;
    body: string | Uint8Array<ArrayBuffer>;
    size: number;
    made: {
        at: number;
        wall: number;
    };
    unsure?: boolean;
    epoch?: string;
};
/**
 * asked: the last try has no answer; unsure: an earlier one had none; reason: the gateway's words
 * when it was too busy.
 */
export type Pending = Publication & {
    ref: string;
    asked: boolean;
    unsure: boolean;
    epoch: string;
    tries: number;
    posts: boolean;
    reason: string;
    way: any;
    backoff: Backoff;
    resolve: (id: string) => void;
    reject: (error: Error) => void;
    timers: Set<ReturnType<typeof setTimeout>>;
};
/**
 * What a Publisher needs. way: a socket to send on, null: POST, undefined: nothing works now;
 * most: bytes of a message, undefined: not known yet; url: of /publish; doubt: has the connection
 * checked; limited: reports that publishes wait, and for how many ms.
 */
export type Base = {
    way: () => (((text: string) => void) | null | undefined);
    epoch: () => string;
    most: () => number | undefined;
    url: (channel: string, event?: string) => string;
    fetch: typeof fetch;
    doubt: () => void;
    limited: (message: string, wait: number) => void;
};
import { Backoff } from './backoff.js';
