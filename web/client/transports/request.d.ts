/** @typedef {import('../policy.js').Loss} Loss */
/** @typedef {import('../deliver.js').Control} Control */
/** @typedef {import('../deliver.js').Message} Message */
/** @typedef {{ cursor: string, messages: Message[], gaps: Control[], n?: string,
 * 	limits?: object }} Answer */
/** What a transport gets from its connection: settings, and callbacks.
 * @typedef {object} Host
 * @property {(path: string, params?: object) => string} url with channels and the position
 * @property {number} version of the list of channels, as url() writes it now
 * @property {number | undefined} heartbeat s
 * @property {number} hold s
 * @property {number} interval ms between short polls
 * @property {string | undefined} token the present one, for what does not go by fetch
 * @property {typeof fetch} fetch sets the header Authorization
 * @property {any} WebSocket
 * @property {any} EventSource
 * @property {(stage: string) => void} stage a gate was passed
 * @property {(then: () => void) => () => void} start runs what starts a request: at once, or as
 * 	soon as the pace allows it; returns what calls it off. A link is opened by it.
 * @property {(object: any, version: number) => boolean} take an object of the gateway; true: a
 * 	message or gap that is new
 * @property {(code: string, message: string) => void} warn an error that ends nothing
 * @property {() => void} alive something arrived
 * @property {() => void} checked the answer to check()
 * @property {(loss: Loss) => void} lost the end, said once
 * @property {() => void} replace another link has to take its place */
/** What a transport returns.
 * @typedef {object} Link
 * @property {() => void} close
 * @property {() => void} check prove that it lives, by checked()
 * @property {(added: string[], removed: string[]) => void} change the list of channels is another
 * @property {() => void} [use] it was chosen
 * @property {(text: string) => void} [send] takes publishes, as JSON */
/** diagnose: what is in the way, in words; '' for nothing that could be found.
 * @typedef {{ name: string, open: (host: Host) => Link,
 * 	diagnose?: (host: Host) => Promise<string> }} Transport */
/** Throws a Loss unless the gateway itself sent the answer, with a status below 300.
 * @param {Response} response */
export function check(response: Response): Promise<Response>;
/** @param {Response} response
 * @returns {number | undefined} ms to wait, where it asks for that and refuses nothing */
export function getRetry({ status, headers }: Response): number | undefined;
/** The Loss that a goodbye stands for, as the answer to a request would give it.
 * @param {any} bye
 * @returns {Loss} */
export function readBye({ reason, message, retry }: any): Loss;
/** Buys a ticket, which stands for the token in the query of one request (PROTOCOL.md, Tickets).
 * @param {Pick<Host, 'fetch' | 'url'> & { token?: string }} way
 * @returns {Promise<string | undefined>} undefined: none is needed */
export function buyTicket({ fetch, token, url }: Pick<Host, "fetch" | "url"> & {
    token?: string;
}): Promise<string | undefined>;
/** A plain question to the gateway.
 * @param {typeof fetch} fetch @param {string} url @param {number} ms to wait for the answer
 * @param {string} [method] */
export function ask(fetch: typeof globalThis.fetch, url: string, ms: number, method?: string): Promise<Response>;
/** @param {any} error @param {string} why
 * @returns {Loss} */
export function asLoss(error: any, why: string): Loss;
/** @param {string} text
 * @returns {any} {} for a text that is not JSON, and so not from the gateway */
export function parse(text: string): any;
/** An object as the gateway sends them: a message or one with a type.
 * @param {string} text
 * @returns {any} undefined for what the path has altered */
export function parseObject(text: string): any;
/** Reads the lines of a stream.
 * @param {Host} host @param {string} url @param {(line: string) => void} onLine
 * @param {(loss: Loss) => void} onEnd */
export function readLines(host: Host, url: string, onLine: (line: string) => void, onEnd: (loss: Loss) => void): () => void;
/** How late an answer may be that is held for the first time.
 * @param {number} took ms, the first answer that was not
 * @returns {number} ms */
export function getSlack(took: number): number;
/** Random, and fit for a nonce and an idempotency key. */
export function createKey(): string;
export namespace garbled {
    let why: string;
    let damaged: boolean;
}
/** What links over a socket or a stream have in common: when one ends, it tells what it carried. */
export class Carrier {
    /** @param {Host} host */
    constructor(host: Host);
    closed: boolean;
    /** @type {number | undefined} */
    retry: number | undefined;
    host: Host;
    close(): void;
    /** @param {string} text @param {string[] | false} first the types that may come first, if
     * 	it is the first
     * @returns {any} its object; undefined where it was the end */
    read(text: string, first: string[] | false): any;
    /** @param {Loss} loss */
    lose(loss: Loss): void;
    #private;
}
/** @typedef {{ version: number, opened: boolean, end: () => void }} Request */
/** A stream as a link. A probe, a dead stream and one with other channels are replaced by a
 * new request, and run until it has opened. */
export class Streams extends Carrier {
    /** @param {Host} host @param {string} path @param {import('./sse.js').Connect} connect */
    constructor(host: Host, path: string, connect: import("./sse.js").Connect);
    /** A new request takes the place of those that run. As many changes as come meanwhile need
     * one. */
    change(): void;
    check(): void;
    use(): void;
    #private;
}
export type Loss = import("../policy.js").Loss;
export type Control = import("../deliver.js").Control;
export type Message = import("../deliver.js").Message;
export type Answer = {
    cursor: string;
    messages: Message[];
    gaps: Control[];
    n?: string;
    limits?: object;
};
/**
 * What a transport gets from its connection: settings, and callbacks.
 */
export type Host = {
    /**
     * with channels and the position
     */
    url: (path: string, params?: object) => string;
    /**
     * of the list of channels, as url() writes it now
     */
    version: number;
    /**
     * s
     */
    heartbeat: number | undefined;
    /**
     * s
     */
    hold: number;
    /**
     * ms between short polls
     */
    interval: number;
    /**
     * the present one, for what does not go by fetch
     */
    token: string | undefined;
    /**
     * sets the header Authorization
     */
    fetch: typeof fetch;
    WebSocket: any;
    EventSource: any;
    /**
     * a gate was passed
     */
    stage: (stage: string) => void;
    /**
     * runs what starts a request: at once, or as
     * soon as the pace allows it; returns what calls it off. A link is opened by it.
     */
    start: (then: () => void) => () => void;
    /**
     * an object of the gateway; true: a
     * message or gap that is new
     */
    take: (object: any, version: number) => boolean;
    /**
     * an error that ends nothing
     */
    warn: (code: string, message: string) => void;
    /**
     * something arrived
     */
    alive: () => void;
    /**
     * the answer to check()
     */
    checked: () => void;
    /**
     * the end, said once
     */
    lost: (loss: Loss) => void;
    /**
     * another link has to take its place
     */
    replace: () => void;
};
/**
 * What a transport returns.
 */
export type Link = {
    close: () => void;
    /**
     * prove that it lives, by checked()
     */
    check: () => void;
    /**
     * the list of channels is another
     */
    change: (added: string[], removed: string[]) => void;
    /**
     * it was chosen
     */
    use?: (() => void) | undefined;
    /**
     * takes publishes, as JSON
     */
    send?: ((text: string) => void) | undefined;
};
/**
 * diagnose: what is in the way, in words; '' for nothing that could be found.
 */
export type Transport = {
    name: string;
    open: (host: Host) => Link;
    diagnose?: (host: Host) => Promise<string>;
};
export type Request = {
    version: number;
    opened: boolean;
    end: () => void;
};
