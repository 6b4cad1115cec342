/** Whether a channel may have this name: 1 to 255 bytes of UTF-8 without control characters, `*`
 * and a `~` at the beginning (PROTOCOL.md, Words). Never throws.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name: any): name is string;
/** Whether an event may have this name: 1 to 128 bytes of UTF-8 without control characters
 * (PROTOCOL.md, Words). Never throws.
 * @param {any} name
 * @returns {name is string} */
export function isEvent(name: any): name is string;
/** The query parameters that name the channels. `channels` is a list with commas, so each name that
 * contains a comma becomes a `channel` of its own.
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
