/** Diagnoses the path to a gateway. Rejects with a TypeError for a wrong URL or token, and with an
 * Error if the token function fails. A gateway that cannot be reached is a verdict, not an error.
 * @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options]
 * @returns {Promise<import('./verdict.js').Verdict>} */
export function diagnose(url: string | URL, options?: Options): Promise<import("./verdict.js").Verdict>;
/** The settings that all probes share.
 * @param {string | URL} url of the gateway, with its base path
 * @param {Omit<Options, 'token'> & { token?: string }} [options]
 * @returns {Way} */
export function createWay(url: string | URL, options?: Omit<Options, "token"> & {
    token?: string;
}): Way;
/** Probes all transports. judge() makes a verdict of the facts.
 * @param {Way} way
 * @returns {Promise<Facts>} */
export function gather(way: Way): Promise<Facts>;
/** Leaves connections idle for as long as a client might, and sees which ones end.
 * @param {Way} way @param {Facts} facts @param {string[]} [names] of those to be left so
 * @returns {Promise<Record<string, IdleFacts>>} */
export function watchIdle(way: Way, { websocket, sse, stream, longpoll }: Facts, names?: string[]): Promise<Record<string, IdleFacts>>;
export type Way = import("./ask.js").Way;
export type Answer = import("./explain.js").Answer;
export type Facts = import("./verdict.js").Facts;
export type IdleFacts = import("./verdict.js").IdleFacts;
/**
 * The options of diagnose().
 */
export type Options = {
    /**
     * the class to use if the platform has none; null: none. Its error
     * events may have `status` (with `connect: true` if a proxy answered CONNECT), or `code` and the
     * certificate's `issuer`; the errors of `fetch` may have the same
     */
    WebSocket?: any;
    /**
     * default: the platform's
     */
    fetch?: typeof fetch | undefined;
    /**
     * used if fetch cannot read an answer before it ends
     */
    EventSource?: any;
    /**
     * whether fetch can; default: found out
     */
    streams?: boolean | undefined;
    /**
     * the channel to test with; default: a new one
     */
    channel?: string | undefined;
    /**
     * sent in the header Authorization, or by a
     * WebSocket in the list of subprotocols; an EventSource has a ticket instead
     */
    token?: import("./source.js").Source | undefined;
    /**
     * added to the query of every request
     */
    params?: Record<string, string> | undefined;
    /**
     * also finds out when the network closes idle connections, which
     * takes a minute; default: false
     */
    patient?: boolean | undefined;
};
export { judge, writeReport } from "./verdict.js";
