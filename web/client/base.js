// Where a gateway is: its address with the base path, as all that asks for it needs it.

/** @param {string | URL} url ws: is taken as http:, wss: as https:
 * @returns {URL} that paths are resolved against; throws a TypeError for another scheme */
export function toBase(url) {
	const base = new URL(url, globalThis.document?.baseURI);
	base.protocol = base.protocol.replace(/^ws/, 'http');
	if (!base.protocol.startsWith('http'))
		throw new TypeError(`${base} is not the URL of a gateway: use http: or https:`);
	base.pathname = base.pathname.replace(/\/?$/, '/');
	return base;
}

/** Adds to the URL's query what is not undefined, and each value of an array. To the gateway a `+`
 * is no blank.
 * @param {URL} url @param {object} params */
export function addQuery(url, params) {
	for (const [name, values] of Object.entries(params))
		for (const value of [values].flat())
			if (value !== undefined)
				url.searchParams.append(name, String(value));
	url.search = url.search.replaceAll('+', '%20');
	return url.href;
}
