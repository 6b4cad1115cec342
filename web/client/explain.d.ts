/** @param {number | undefined} ms */
export function time(ms?: number | undefined): string;
/** @param {string} name @param {string} gate
 * @returns {number} ms that the client waits for it */
export function limitOf(name: string, gate: string): number;
/** The refusal of a whole site, which every request meets that names it.
 * @param {Answer | undefined} answer */
export function isNoAccess(answer: Answer | undefined): boolean;
/** @param {Answer} answer nothing of it may be read, and nobody says why */
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
/** The answer to one request. Without `status` there was none: `silent`, or the connection
 * ended; with it, silent says that its end did not come in time, `cut` that it broke off.
 * ours: it is marked by the gateway; good: its body is what the gateway sends; stale: it is the
 * answer to another request; before: it is that of a second try, after this; again: the second
 * try failed too; code, message: of the gateway's refusal; connect: `refused` is the status by
 * which a proxy refused the tunnel; error: of the connection; issuer: of a certificate that is
 * not trusted; opaque: somebody answers, and this page may not read it.
 * @typedef {{ ms: number, status?: number, ours?: boolean, good?: boolean, type?: string,
 * 	cut?: boolean, silent?: boolean, stale?: boolean, error?: string, issuer?: string,
 * 	connect?: boolean, refused?: number, opaque?: boolean, code?: string, message?: string,
 * 	value?: any, encoding?: string, before?: Answer, again?: Answer }} Answer */
export const LIMIT_MS: number;
export const UNMARKED: string;
export const titles: Record<string, string>;
/**
 * The answer to one request. Without `status` there was none: `silent`, or the connection
 * ended; with it, silent says that its end did not come in time, `cut` that it broke off.
 * ours: it is marked by the gateway; good: its body is what the gateway sends; stale: it is the
 * answer to another request; before: it is that of a second try, after this; again: the second
 * try failed too; code, message: of the gateway's refusal; connect: `refused` is the status by
 * which a proxy refused the tunnel; error: of the connection; issuer: of a certificate that is
 * not trusted; opaque: somebody answers, and this page may not read it.
 */
export type Answer = {
    ms: number;
    status?: number;
    ours?: boolean;
    good?: boolean;
    type?: string;
    cut?: boolean;
    silent?: boolean;
    stale?: boolean;
    error?: string;
    issuer?: string;
    connect?: boolean;
    refused?: number;
    opaque?: boolean;
    code?: string;
    message?: string;
    value?: any;
    encoding?: string;
    before?: Answer;
    again?: Answer;
};
