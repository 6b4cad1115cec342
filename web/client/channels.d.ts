/** Whether the gateway takes this as the name of a channel: 1 to 128 of `A-Z a-z 0-9 _ . : -`,
 * no dot at either end, no two dots in a row.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name: any): name is string;
/** Throws a TypeError for an illegal name, a RangeError for too many names.
 * @param {Iterable<string>} names @param {number} [most]
 * @returns {string[]} each once */
export function checkChannels(names: Iterable<string>, most?: number): string[];
export const MOST: 64;
