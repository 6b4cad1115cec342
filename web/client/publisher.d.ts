/** What is published, made once, so that every try sends the same. size: bytes of the body;
 * made: when the caller asked for it; unsure and epoch: of one that another tab may have tried.
 * @typedef {{ channel: string, event?: string, key: string,
 * 	body: string | Uint8Array<ArrayBuffer>, size: number,
 * 	made: { at: number, wall: number }, unsure?: boolean, epoch?: string }} Publication */
/** Throws what no try could mend: a TypeError, or a PublishError `too_large`.
 * @param {string} channel @param {any} data @param {string} [key]
 * @param {number} [most] bytes, if it is known @param {string} [event]
 * @returns {Publication} */
export function createPublication(channel: string, data: any, key?: string, most?: number, event?: string): Publication;
export const LIMIT_MS: 100000;
/** A publish that failed. `code` is the gateway's, or one of these:
 * - `too_large`: it has more bytes than the gateway takes
 * - `refused`: a proxy refused it; the message has the status
 * - `not_published`: the gateway was too busy until the end; the message says what it said
 * - `not_sent`: there was no connection
 * - `unknown_outcome`: a try had no answer, or the gateway does not know what became of it, so it
 *   may have been published or not */
export class PublishError extends Error {
    /** @param {string} [code] @param {string} [message] */
    constructor(code?: string, message?: string);
    code: string;
}
/** asked: the last try has had no answer; unsure: nor had one before it; reason: what the
 * gateway said when it was too busy.
 * @typedef {Publication & { ref: string, asked: boolean, unsure: boolean, epoch: string,
 * 	tries: number, posts: boolean, reason: string, way: any, backoff: Backoff,
 * 	resolve: (id: string) => void, reject: (error: Error) => void,
 * 	timers: Set<ReturnType<typeof setTimeout>> }} Pending */
/** What it stands on: a socket to send on (null: POST, undefined: nothing works now), the
 * epoch, the most bytes of a message (undefined: not known yet), the URL of /publish, how
 * to have the connection looked at, and whom to tell that publishes wait, for so many ms.
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
    /** Sends what waits, and again what was sent on a way that is gone. What may be too large for
     * a socket, which would be closed for it, goes by POST: its 413 concerns nothing else. */
    flush(): void;
    /** An `ack` or `error` that came over a socket. An error without a ref is of a frame that the
     * gateway could not read; the answers to POST say which. A POST renews a token that is refused.
     * @param {import('./deliver.js').Control} object
     * @returns {boolean} if it was for a publish */
    answer({ type, ref, id, code, message, retry }: import("./deliver.js").Control): boolean;
    /** A socket was closed because of a frame that was too large. Of what has had no answer on
     * it, the largest is too large in any case; the others will be sent again.
     * @param {((text: string) => void) | undefined} way @param {string} why
     * @returns {boolean} if there was one */
    refuseLargest(way: ((text: string) => void) | undefined, why: string): boolean;
    close(): void;
    #private;
}
/**
 * What is published, made once, so that every try sends the same. size: bytes of the body;
 * made: when the caller asked for it; unsure and epoch: of one that another tab may have tried.
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
 * asked: the last try has had no answer; unsure: nor had one before it; reason: what the
 * gateway said when it was too busy.
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
 * What it stands on: a socket to send on (null: POST, undefined: nothing works now), the
 * epoch, the most bytes of a message (undefined: not known yet), the URL of /publish, how
 * to have the connection looked at, and whom to tell that publishes wait, for so many ms.
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
