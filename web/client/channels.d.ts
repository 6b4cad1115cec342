/** Whether the gateway takes this as the name of a channel: 1 to 255 bytes of UTF-8 without control
 * characters and `*`. One that begins with `~` is the gateway's own.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name: any): name is string;
/** Whether the gateway takes this as the name of an event: 1 to 128 bytes, as above.
 * @param {any} name
 * @returns {name is string} */
export function isEvent(name: any): name is string;
/** How a query names them: a comma separates names, so those that hold one stand alone.
 * @param {string[]} names */
export function nameChannels(names: string[]): {
    channels: string | undefined;
    channel: string[];
};
/** Throws a TypeError for an illegal name, a RangeError for too many names.
 * @param {Iterable<string>} names @param {number} [most]
 * @returns {string[]} each once */
export function checkChannels(names: Iterable<string>, most?: number): string[];
export const MOST: 64;
