/** @param {Way} way @param {string} path @param {Init} init
 * @param {(text: string) => any} read what is not the gateway's becomes undefined
 * @param {number} [limit] ms
 * @returns {Promise<Answer>} */
export function ask(way: Way, path: string, init: Init, read: (text: string) => any, limit?: number): Promise<Answer>;
/** What failed at once, and not by somebody's decision, may have been bad luck.
 * @param {Answer} answer */
export function isLuck({ status, silent, ours }: Answer): boolean;
/** @template {Answer} T
 * @param {() => Promise<T>} run
 * @param {(answer: T) => Answer} [choose] what of it may have been bad luck
 * @returns {Promise<T>} with `before` where only the second got through, `again` where none did */
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
/** What a page may not read: is it refused by the gateway, or does somebody else answer?
 * Without headers of ours, since those make a browser ask for leave first.
 * @param {Way} way @param {Answer} answer to that path @param {string} path
 * @param {(text: string) => any} read
 * @returns {Promise<Answer>} */
export function lookBehind(way: Way, answer: Answer, path: string, read: (text: string) => any): Promise<Answer>;
/** What is sent comes back.
 * @param {string} [text]
 * @returns {[string, Init, (text: string) => any]} */
export function echoOf(text?: string): [string, Init, (text: string) => any];
/** Its value is the cursor.
 * @param {Way} way @param {PollInit} init
 * @returns {Promise<Answer>} */
export function askPoll(way: Way, { method, wait, since, patience, limit, take, signal }: PollInit): Promise<Answer>;
/** The answer to another request: of an `n` that is not its own, or of an older position. An
 * answer to a held poll is given to all who waited for its messages, and has no `n`.
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
/** What is seen of a connection that is left silent. */
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
 * heard: something was answered; fails: something failed, maybe by bad luck; echoes: the gateway
 * puts `n` into answers for one client; streams: an answer of fetch can be read as it comes;
 * program: what this runs in, as it is called in sentences; askTicket: where there may be a token.
 */
export type Way = {
    base: string;
    WebSocket: any;
    EventSource: any;
    fetch: typeof globalThis.fetch;
    headers: Record<string, string>;
    token?: string;
    channel: string;
    heard: boolean;
    fails: boolean;
    echoes: boolean;
    streams: boolean;
    program: string;
    url: (path: string, params?: object) => string;
    askTicket?: typeof import("./diagnose_stream.js").askTicket;
};
/**
 * patience: ms to be waited for while nothing at all was answered.
 */
export type Init = RequestInit & {
    params?: object;
    patience?: number;
};
/**
 * wait: s; limit: ms; take: what came, if it is fresh; signal: ends it.
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
