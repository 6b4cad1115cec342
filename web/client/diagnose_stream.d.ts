/** Gets an object of a stream, `ms` after the request, and returns true if the stream has shown
 * enough. `wait` sets a new limit from now on, or none.
 * @typedef {(object: any, ms: number, wait: (ms: number | undefined) => void) =>
 * 	boolean | Promise<boolean>} Take */
/** Reads the objects of a stream until `take` returns true, the time is over, or it ends.
 * @param {Way} way @param {string} path @param {object} params @param {number} limit ms
 * @param {Take} take @param {AbortSignal} [signal] that ends it
 * @returns {Promise<StreamFacts>} */
export function readStream(way: Way, path: string, params: object, limit: number, take: Take, signal?: AbortSignal): Promise<StreamFacts>;
/** A ticket for an EventSource, which cannot send a token. If the gateway refuses the ticket, it
 * refuses the stream.
 * @param {Way} way @param {StreamFacts} facts @param {AbortSignal} signal
 * @returns {Promise<string | undefined>} */
export function askTicket(way: Way, facts: StreamFacts, signal: AbortSignal): Promise<string | undefined>;
/** Open comes at once, the mark 150 ms later, and then nothing that could push them out.
 * @param {Way} way @param {'sse' | 'stream'} path @param {() => void} heard
 * @returns {Promise<StreamFacts>} */
export function tryStream(way: Way, path: "sse" | "stream", heard: () => void): Promise<StreamFacts>;
/** @param {Way} way @param {'sse' | 'stream'} path
 * @returns {Promise<IdleFacts>} */
export function watchStream(way: Way, path: "sse" | "stream"): Promise<IdleFacts>;
/**
 * Gets an object of a stream, `ms` after the request, and returns true if the stream has shown
 * enough. `wait` sets a new limit from now on, or none.
 */
export type Take = (object: any, ms: number, wait: (ms: number | undefined) => void) => boolean | Promise<boolean>;
/**
 * began: ms; take: an object that came, and when; true: it was the last that is wanted.
 */
export type Reading = {
    facts: StreamFacts;
    began: number;
    signal: AbortSignal;
    take: (object: any, at: number) => boolean | Promise<boolean>;
};
export type Way = import("./ask.js").Way;
export type IdleFacts = import("./verdict.js").IdleFacts;
export type StreamFacts = import("./verdict.js").StreamFacts;
