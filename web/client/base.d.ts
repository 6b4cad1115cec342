/** @param {string | URL} url ws: is taken as http:, wss: as https:
 * @returns {URL} that paths are resolved against; throws a TypeError for another scheme */
export function toBase(url: string | URL): URL;
