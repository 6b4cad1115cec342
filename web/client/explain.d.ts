/** @param {number | undefined} ms */
export function time(ms?: number | undefined): string;
/** @param {string} name of a transport @param {string} gate
 * @returns {number} ms that the client waits for this gate */
export function limitOf(name: string, gate: string): number;
/** Whether the gateway refuses the page's origin or the Host, whatever is requested.
 * @param {Answer | undefined} answer */
export function isNoAccess(answer: Answer | undefined): boolean;
/** Whether the page cannot read the answer, and no error says why.
 * @param {Answer} answer */
export function isUnreadable({ status, silent, error, connect }: Answer): boolean;
/** Codes of Node.js and OpenSSL (openssl-verification-options(1)).
 * @param {string} code @param {string} [issuer] */
export function explainCode(code: string, issuer?: string): string;
/** @param {number | undefined} status of the proxy's answer */
export function explainConnect(status: number | undefined): string;
/** @param {string} bye why the gateway ended a connection (PROTOCOL.md, ends) */
export function explainBye(bye: string): string;
/** What is wrong with an answer; '' for nothing.
 * @param {Answer} answer */
export function explain(answer: Answer): string;
/** The answer to one request of a diagnosis.
 * @typedef {object} Answer
 * @property {number} ms from the request to the head of the answer, or to the failure
 * @property {number} [status] HTTP status; absent: no answer came
 * @property {boolean} [ours] the answer has the header `Sluice`, so the gateway sent it
 * @property {boolean} [good] the body is what the gateway sends
 * @property {string} [type] Content-Type without parameters
 * @property {string} [encoding] Content-Encoding
 * @property {boolean} [silent] nothing came in time; with `status`, the body did not end in time
 * @property {boolean} [cut] the connection broke before the body ended
 * @property {boolean} [stale] it answers another request: a cache sent it
 * @property {string} [error] the connection's error code, as Node.js names it
 * @property {string} [issuer] of a certificate that is not trusted
 * @property {boolean} [connect] a proxy refused the tunnel (CONNECT), with the status `refused`
 * @property {number} [refused]
 * @property {boolean} [opaque] something answers, but this page may not read the answer
 * @property {string} [code] of the gateway's refusal (PROTOCOL.md, Errors)
 * @property {string} [message] of the same
 * @property {any} [value] the parsed body
 * @property {Answer} [before] the first try, which failed; this is the second
 * @property {Answer} [again] the second try, which failed too; this is the first */
export const LIMIT_MS: number;
/** What this runs in, as sentences name it. */
export const PROGRAM: "browser" | "program";
export const BETWEEN: string;
export const UNMARKED: string;
export const titles: Record<string, string>;
/**
 * The answer to one request of a diagnosis.
 */
export type Answer = {
    /**
     * from the request to the head of the answer, or to the failure
     */
    ms: number;
    /**
     * HTTP status; absent: no answer came
     */
    status?: number | undefined;
    /**
     * the answer has the header `Sluice`, so the gateway sent it
     */
    ours?: boolean | undefined;
    /**
     * the body is what the gateway sends
     */
    good?: boolean | undefined;
    /**
     * Content-Type without parameters
     */
    type?: string | undefined;
    /**
     * Content-Encoding
     */
    encoding?: string | undefined;
    /**
     * nothing came in time; with `status`, the body did not end in time
     */
    silent?: boolean | undefined;
    /**
     * the connection broke before the body ended
     */
    cut?: boolean | undefined;
    /**
     * it answers another request: a cache sent it
     */
    stale?: boolean | undefined;
    /**
     * the connection's error code, as Node.js names it
     */
    error?: string | undefined;
    /**
     * of a certificate that is not trusted
     */
    issuer?: string | undefined;
    /**
     * a proxy refused the tunnel (CONNECT), with the status `refused`
     */
    connect?: boolean | undefined;
    refused?: number | undefined;
    /**
     * something answers, but this page may not read the answer
     */
    opaque?: boolean | undefined;
    /**
     * of the gateway's refusal (PROTOCOL.md, Errors)
     */
    code?: string | undefined;
    /**
     * of the same
     */
    message?: string | undefined;
    /**
     * the parsed body
     */
    value?: any;
    /**
     * the first try, which failed; this is the second
     */
    before?: Answer | undefined;
    /**
     * the second try, which failed too; this is the first
     */
    again?: Answer | undefined;
};
