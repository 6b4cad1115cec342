// Where a token comes from, and the codes by which the gateway refuses one. No error text shows a
// token.

/** A JWT, or a function that returns one or a promise of one.
 * @typedef {string | (() => string | Promise<string>)} Source */

const LATE_MS = 30000; // a function that takes longer has failed

/** Whether a header (RFC 6750, section 2.1) and a list of subprotocols can carry this. A JWT is
 * such a text.
 * @param {any} token
 * @returns {token is string} */
function isToken(token) {
	return typeof token === 'string' && /^[\w.~+-]+$/.test(token);
}

/** Throws a TypeError for anything but a token, a function or undefined.
 * @param {any} source */
export function checkSource(source) {
	if (source !== undefined && typeof source !== 'function' && !isToken(source))
		throw new TypeError(`token: this ${typeof source} is not a token; use a JWT or a ` +
			'function that returns one');
}

/** Rejects with an Error when the function fails. The function's own message is not used: it may
 * show a token.
 * @param {() => string | Promise<string>} source
 * @returns {Promise<string>} */
export async function callSource(source) {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	const late = new Promise((_, fail) => {
		timer = setTimeout(() => fail(new Error()), LATE_MS);
	});
	/** @type {any} */
	let token;
	let how = 'returned none';
	try {
		token = await Promise.race([source(), late]);
	} catch {
		how = 'failed';
	}
	clearTimeout(timer);
	if (!isToken(token))
		throw new Error(`there is no token: the function ${how}; return a JWT within 30 s`);
	return token;
}

/** The token of a program that needs it once. Rejects with an Error when the function fails.
 * @param {Source} [source]
 * @returns {Promise<string | undefined>} */
export async function readToken(source) {
	checkSource(source);
	return typeof source === 'function' ? callSource(source) : source;
}

/** Whether this code refuses the token itself, not one request (PROTOCOL.md, Errors).
 * @param {string | undefined} code
 * @returns {code is string} */
export function isRefusal(code) {
	return /^(unauthorized|token_)/.test(code ?? '');
}
