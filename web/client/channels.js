// The names that channels and events may have: the gateway's own rule (PROTOCOL.md, Words). The
// client rejects an illegal name before it sends a request, which would fail as a whole.

export const MOST = 64; // channels of a connection, until the gateway has said how many

/** Whether this is a text of 1 to `most` bytes of UTF-8 without control characters and lone
 * surrogates.
 * @param {any} name @param {number} most */
const isName = (name, most) => typeof name === 'string' && name !== '' &&
	new TextEncoder().encode(name).length <= most && !/[\0-\x1f\x7f-\x9f]|\p{Cs}/u.test(name);

/** Whether a channel may have this name: 1 to 255 bytes of UTF-8 without control characters, `*`
 * and a `~` at the beginning (PROTOCOL.md, Words). Never throws.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name) {
	return isName(name, 255) && !/^~|\*/.test(name);
}

/** Whether an event may have this name: 1 to 128 bytes of UTF-8 without control characters
 * (PROTOCOL.md, Words). Never throws.
 * @param {any} name
 * @returns {name is string} */
export function isEvent(name) {
	return isName(name, 128);
}

/** The query parameters that name the channels. `channels` is a list with commas, so each name that
 * contains a comma becomes a `channel` of its own.
 * @param {string[]} names */
export function nameChannels(names) {
	const hasComma = (/** @type {string} */ name) => name.includes(',');
	return { channels: names.filter((name) => !hasComma(name)).join() || undefined,
		channel: names.filter(hasComma) };
}

/** Throws a TypeError for an illegal name, a RangeError for too many names.
 * @param {Iterable<string>} names @param {number} [most]
 * @returns {string[]} each once */
export function checkChannels(names, most = MOST) {
	if (typeof names === 'string') // else its characters would do as names
		throw new TypeError(`channels: ${JSON.stringify(names)} is not an array`);
	const list = [...new Set(names)];
	for (const name of list)
		if (!isChannel(name))
			throw new TypeError(`${JSON.stringify(name)} is not a channel name; use 1 to 255 ` +
				'bytes of UTF-8 without control characters, * and ~ at the start');
	if (list.length > most)
		throw new RangeError(`${list.length} channels are too many; use at most ${most}`);
	return list;
}
