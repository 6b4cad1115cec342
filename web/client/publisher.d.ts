/** A publish that failed; `code` is the gateway's, or `unknown_outcome`, `not_sent`. */
export class PublishError extends Error {
    /** @param {string} code @param {string} message */
    constructor(code: string, message: string);
    code: string;
}
/** @typedef {{ ref: string, tries: number, channel: string, data: any, key: string, epoch: string, way: any,
 * 	backoff: Backoff, resolve: (id: string) => void, reject: (error: Error) => void,
 * 	timers: Set<ReturnType<typeof setTimeout>> }} Pending */
/** What it stands on: a socket to send on (null: POST, undefined: nothing works now), the
 * epoch, the URL of /publish, and how to have the connection looked at.
 * @typedef {{ way: () => (((object: object) => void) | null | undefined), epoch: () => string,
 * 	url: (channel: string) => string, fetch: typeof fetch, doubt: () => void }} Base */
export class Publisher {
    /** @param {Base} base */
    constructor(base: Base);
    base: Base;
    /** @param {string} channel @param {any} data @param {string} [key]
     * @returns {Promise<string>} the message's id */
    publish(channel: string, data: any, key?: string): Promise<string>;
    /** Sends what waits, and again what was sent on a way that is gone. */
    flush(): void;
    /** An `ack` or `error` that came over a socket.
     * @param {import('./deliver.js').Control} object
     * @returns {boolean} if it was for a publish */
    answer({ type, ref, id, code, message }: import("./deliver.js").Control): boolean;
    close(): void;
    #private;
}
export type Pending = {
    ref: string;
    tries: number;
    channel: string;
    data: any;
    key: string;
    epoch: string;
    way: any;
    backoff: Backoff;
    resolve: (id: string) => void;
    reject: (error: Error) => void;
    timers: Set<ReturnType<typeof setTimeout>>;
};
/**
 * What it stands on: a socket to send on (null: POST, undefined: nothing works now), the
 * epoch, the URL of /publish, and how to have the connection looked at.
 */
export type Base = {
    way: () => (((object: object) => void) | null | undefined);
    epoch: () => string;
    url: (channel: string) => string;
    fetch: typeof fetch;
    doubt: () => void;
};
import { Backoff } from './backoff.js';
