// Where a token comes from: it is given, or a function gets it; and the codes that refuse one. No
// error text shows a token.

/** @typedef {string | (() => string | Promise<string>)} Source */

const LATE_MS = 30000; // a function that takes longer has failed

/** What can stand in a header (RFC 6750, section 2.1) and in a list of subprotocols; a JWT can.
 * @param {any} token
 * @returns {token is string} */
function isToken(token) {
	return typeof token === 'string' && /^[\w.~+-]+$/.test(token);
}

/** Throws a TypeError for what is neither a token nor a function.
 * @param {any} source */
export function checkSource(source) {
	if (source !== undefined && typeof source !== 'function' && !isToken(source))
		throw new TypeError(`token: this ${typeof source} is no token; use a JWT, or a function ` +
			'that returns one');
}

/** Rejects with an Error when the function fails, whose own message may show a token.
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
	let how = 'returned something else';
	try {
		token = await Promise.race([source(), late]);
	} catch {
		how = 'failed';
	}
	clearTimeout(timer);
	if (!isToken(token))
		throw new Error(`there is no token: the function that should return one ${how}`);
	return token;
}

/** The token of a program that asks once.
 * @param {Source} [source]
 * @returns {Promise<string | undefined>} rejects with an Error where the function fails */
export async function readToken(source) {
	checkSource(source);
	return typeof source === 'function' ? callSource(source) : source;
}

/** The gateway does not take the token, whatever it is for (PROTOCOL.md, Errors).
 * @param {string | undefined} code
 * @returns {code is string} */
export function isRefusal(code) {
	return /^(unauthorized|token_)/.test(code ?? '');
}
