/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export function diagnose(url: string | URL, options?: Options): Promise<import("./verdict.js").Verdict>;
/**
 * Takes an object of a stream, `ms` after the request; true: the stream has shown enough. `wait`
 * sets another limit from now on, or none.
 */
export type Take = (object: any, ms: number, wait: (ms: number | undefined) => void) => boolean | Promise<boolean>;
export type Init = import("./ask.js").Init;
export type Way = import("./ask.js").Way;
export type Answer = import("./explain.js").Answer;
export type Facts = import("./verdict.js").Facts;
export type IdleFacts = import("./verdict.js").IdleFacts;
export type StreamFacts = import("./verdict.js").StreamFacts;
export type Options = {
    /**
     * where there is none; its error events may say `status`, and
     * `connect` if that was a proxy's to CONNECT, else `code` and the certificate's `issuer`, as
     * the errors of `fetch` may
     */
    WebSocket?: any;
    fetch?: typeof fetch | undefined;
    /**
     * sent in the header Authorization
     */
    token?: string | undefined;
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
