/** @param {Way} way @param {string} path @param {Init} init
 * @param {(text: string) => any} read what is not the gateway's becomes undefined
 * @param {number} [limit] ms
 * @returns {Promise<Answer>} */
export function ask(way: Way, path: string, init: Init, read: (text: string) => any, limit?: number): Promise<Answer>;
/** Whether a failure may be chance: it came at once, and no server refused on purpose.
 * @param {Answer} answer */
export function isLuck({ status, silent, ours }: Answer): boolean;
/** @template {Answer} T
 * @param {() => Promise<T>} run
 * @param {(answer: T) => Answer} [choose] the part that may have failed by chance
 * @returns {Promise<T>} with `before` if only the second try succeeded, `again` if none did */
export function tryTwice<T extends Answer>(run: () => Promise<T>, choose?: (answer: T) => Answer): Promise<T>;
/** @param {Way} way @param {string} path @param {Init} given
 * @param {(text: string) => any} read @param {number} [limit] ms
 * @returns {Promise<Answer>} */
export function askOnce(way: Way, path: string, given: Init, read: (text: string) => any, limit?: number): Promise<Answer>;
/** @param {Answer} answer @param {Response} response @param {number} began */
export function takeHead(answer: Answer, response: Response, began: number): void;
/** @param {Answer} answer @param {string} text of it */
export function takeRefusal(answer: Answer, text: string): void;
/** @param {Answer} answer @param {any} error @param {number} began */
export function takeError(answer: Answer, error: any, began: number): void;
/** A page may not read an answer: does the gateway refuse, or does another server answer? Asks
 * without headers, which make a browser send a preflight request first.
 * @param {Way} way @param {Answer} answer to that path @param {string} path
 * @param {(text: string) => any} read
 * @returns {Promise<Answer>} */
export function lookBehind(way: Way, answer: Answer, path: string, read: (text: string) => any): Promise<Answer>;
/** A POST whose answer is its body.
 * @param {string} [text]
 * @returns {[string, Init, (text: string) => any]} */
export function echoOf(text?: string): [string, Init, (text: string) => any];
/** Its value is the cursor.
 * @param {Way} way @param {PollInit} init
 * @returns {Promise<Answer>} */
export function askPoll(way: Way, { method, wait, since, patience, limit, take, signal }: PollInit): Promise<Answer>;
/** Whether an answer belongs to another request: its `n` is another one, or its position is older.
 * An answer to a held poll may go to all clients that wait for its messages, and has no `n` then.
 * @param {any} object
 * @param {{ n: string, since?: string, channel?: string }} asked channel: of a held one
 * @param {boolean} echoes the gateway puts `n` into other answers */
export function isStale({ cursor, n, messages }: any, asked: {
    n: string;
    since?: string;
    channel?: string;
}, echoes: boolean): boolean;
export function now(): number;
export const IDLE_S: 60;
/** Watches a connection that is left idle. */
export class Silence {
    /** @param {string} type of an object that came
     * @returns {boolean} it is the heartbeat: the silence is over */
    take(type: string): boolean;
    /** The connection has ended.
     * @param {boolean} [silent] the heartbeat did not come in time
     * @returns {import('./verdict.js').IdleFacts} */
    conclude(silent?: boolean): import("./verdict.js").IdleFacts;
    #private;
}
export type Answer = import("./explain.js").Answer;
/**
 * What the probes of a diagnosis share.
 */
export type Way = {
    /**
     * the gateway's URL, with a slash at the end
     */
    base: string;
    /**
     * null: none
     */
    WebSocket: any;
    /**
     * null: none
     */
    EventSource: any;
    fetch: typeof globalThis.fetch;
    /**
     * of every request
     */
    headers: Record<string, string>;
    token?: string | undefined;
    channel: string;
    /**
     * a request was answered
     */
    heard: boolean;
    /**
     * a request failed, perhaps by chance
     */
    fails: boolean;
    /**
     * the gateway puts `n` into answers for one client
     */
    echoes: boolean;
    /**
     * fetch can read an answer before it ends
     */
    streams: boolean;
    /**
     * what this runs in: `browser` or `program`
     */
    program: string;
    url: (path: string, params?: object) => string;
    /**
     * absent: no token
     */
    askTicket?: typeof import("./diagnose_stream.js").askTicket | undefined;
};
/**
 * patience: ms to wait while no request at all was answered.
 */
export type Init = RequestInit & {
    params?: object;
    patience?: number;
};
/**
 * A poll. wait: s; limit: ms; take: gets an answer that is fresh; signal: ends the poll.
 */
export type PollInit = {
    method?: string;
    wait?: number;
    since?: string;
    patience?: number;
    limit?: number;
    take?: (object: any) => void;
    signal?: AbortSignal;
};
