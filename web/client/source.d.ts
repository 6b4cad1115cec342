/** Throws a TypeError for what is neither a token nor a function.
 * @param {any} source */
export function checkSource(source: any): void;
/** Rejects with an Error when the function fails, whose own message may show a token.
 * @param {() => string | Promise<string>} source
 * @returns {Promise<string>} */
export function callSource(source: () => string | Promise<string>): Promise<string>;
/** The token of a program that asks once.
 * @param {Source} [source]
 * @returns {Promise<string | undefined>} rejects with an Error where the function fails */
export function readToken(source?: Source): Promise<string | undefined>;
/** The gateway does not take the token, whatever it is for (PROTOCOL.md, Errors).
 * @param {string | undefined} code
 * @returns {code is string} */
export function isRefusal(code: string | undefined): code is string;
export type Source = string | (() => string | Promise<string>);
