/** @param {string | URL} url ws: is taken as http:, wss: as https:
 * @returns {URL} that paths are resolved against; throws a TypeError for another scheme */
export function toBase(url: string | URL): URL;
/** Adds to the URL's query what is not undefined, and each value of an array. To the gateway a `+`
 * is no blank.
 * @param {URL} url @param {object} params */
export function addQuery(url: URL, params: object): string;
