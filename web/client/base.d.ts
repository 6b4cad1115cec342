/** Throws a TypeError if the scheme is not http:, https:, ws: or wss:.
 * @param {string | URL} url ws: is taken as http:, wss: as https:
 * @returns {URL} ends with a slash, so that paths are resolved below it */
export function toBase(url: string | URL): URL;
/** Adds parameters to the URL's query, each value of an array by itself, and none that is
 * undefined. Writes a blank as %20: the gateway does not read `+` as a blank.
 * @param {URL} url @param {object} params
 * @returns {string} the URL */
export function addQuery(url: URL, params: object): string;
