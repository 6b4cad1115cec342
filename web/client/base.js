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
