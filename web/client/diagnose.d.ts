/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export function diagnose(url: string | URL, options?: Options): Promise<import("./verdict.js").Verdict>;
/** What the probes ask by.
 * @param {string | URL} url of the gateway, with its base path
 * @param {Omit<Options, 'token'> & { token?: string }} [options]
 * @returns {Way} */
export function createWay(url: string | URL, options?: Omit<Options, "token"> & {
    token?: string;
}): Way;
/** What the path does with each transport; to be judged.
 * @param {Way} way
 * @returns {Promise<Facts>} */
export function gather(way: Way): Promise<Facts>;
/** Leaves what works silent for as long as a client might.
 * @param {Way} way @param {Facts} facts @param {string[]} [names] of those to be left so
 * @returns {Promise<Record<string, IdleFacts>>} */
export function watchIdle(way: Way, { websocket, sse, stream, longpoll }: Facts, names?: string[]): Promise<Record<string, IdleFacts>>;
export type Way = import("./ask.js").Way;
export type Answer = import("./explain.js").Answer;
export type Facts = import("./verdict.js").Facts;
export type IdleFacts = import("./verdict.js").IdleFacts;
export type Options = {
    /**
     * where there is none; its error events may say `status`, and
     * `connect` if that was a proxy's to CONNECT, else `code` and the certificate's `issuer`, as
     * the errors of `fetch` may
     */
    WebSocket?: any;
    fetch?: typeof fetch | undefined;
    /**
     * used where fetch cannot read an answer as it comes
     */
    EventSource?: any;
    /**
     * whether it can; found out where it is not said
     */
    streams?: boolean | undefined;
    /**
     * that is used, else one of its own
     */
    channel?: string | undefined;
    /**
     * sent in the header Authorization, by a WebSocket
     * in the list of subprotocols; an EventSource has a ticket
     */
    token?: import("./source.js").Source | undefined;
    /**
     * added to the query of every request
     */
    params?: Record<string, string> | undefined;
    /**
     * finds out after which silence connections are cut: a minute
     */
    patient?: boolean | undefined;
};
export { judge, writeReport } from "./verdict.js";
