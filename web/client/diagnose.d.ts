/** @param {string | URL} url of the gateway, with its base path
 * @param {Options} [options] */
export function diagnose(url: string | URL, { WebSocket, fetch, token, params, patient }?: Options): Promise<import("./verdict.js").Verdict>;
/**
 * patience: ms to be waited for while nothing at all was answered.
 */
export type Init = RequestInit & {
    params?: object;
    patience?: number;
};
export type Answer = import("./verdict.js").Answer;
export type Facts = import("./verdict.js").Facts;
export type IdleFacts = import("./verdict.js").IdleFacts;
export type StreamFacts = import("./verdict.js").StreamFacts;
export type WebSocketFacts = import("./verdict.js").WebSocketFacts;
export type Options = {
    /**
     * where there is none; its error events may say `status`, and
     * `connect` if that was a proxy's to CONNECT
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
/**
 * heard: something was answered
 */
export type Way = {
    WebSocket: any;
    fetch: typeof globalThis.fetch;
    headers: Record<string, string>;
    token?: string;
    channel: string;
    heard: boolean;
    url: (path: string, params?: object) => string;
};
export { judge, writeReport } from "./verdict.js";
