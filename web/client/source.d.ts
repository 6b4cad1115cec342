/** Throws a TypeError for anything but a token, a function or undefined.
 * @param {any} source */
export function checkSource(source: any): void;
/** Rejects with an Error when the function fails. The function's own message is not used: it may
 * show a token.
 * @param {() => string | Promise<string>} source
 * @returns {Promise<string>} */
export function callSource(source: () => string | Promise<string>): Promise<string>;
/** The token of a program that needs it once. Rejects with an Error when the function fails.
 * @param {Source} [source]
 * @returns {Promise<string | undefined>} */
export function readToken(source?: Source): Promise<string | undefined>;
/** Whether this code refuses the token itself, not one request (PROTOCOL.md, Errors).
 * @param {string | undefined} code
 * @returns {code is string} */
export function isRefusal(code: string | undefined): code is string;
/**
 * A JWT, or a function that returns one or a promise of one.
 */
export type Source = string | (() => string | Promise<string>);
