// The URLs of a gateway: its base path, and queries.

/** Throws a TypeError if the scheme is not http:, https:, ws: or wss:.
 * @param {string | URL} url ws: is taken as http:, wss: as https:
 * @returns {URL} ends with a slash, so that paths are resolved below it */
export function toBase(url) {
	const base = new URL(url, globalThis.document?.baseURI);
	base.protocol = base.protocol.replace(/^ws/, 'http');
	if (!base.protocol.startsWith('http'))
		throw new TypeError(`${base} is not the URL of a gateway: use http: or https:`);
	base.pathname = base.pathname.replace(/\/?$/, '/');
	return base;
}

/** Adds parameters to the URL's query, each value of an array by itself, and none that is
 * undefined. Writes a blank as %20: the gateway does not read `+` as a blank.
 * @param {URL} url @param {object} params
 * @returns {string} the URL */
export function addQuery(url, params) {
	for (const [name, values] of Object.entries(params))
		for (const value of [values].flat())
			if (value !== undefined)
				url.searchParams.append(name, String(value));
	url.search = url.search.replaceAll('+', '%20');
	return url.href;
}
