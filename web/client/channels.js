// Which names a channel and an event can have: the gateway's own rule (PROTOCOL.md, Words). The
// client rejects an illegal name before it reaches a request, where it would spoil the whole list.

export const MOST = 64; // channels of a connection, until the gateway has said how many

/** A text of 1 to `most` bytes of UTF-8 without control characters and half characters.
 * @param {any} name @param {number} most */
const isName = (name, most) => typeof name === 'string' && name !== '' &&
	new TextEncoder().encode(name).length <= most && !/[\0-\x1f\x7f-\x9f]|\p{Cs}/u.test(name);

/** Whether the gateway takes this as the name of a channel: 1 to 255 bytes of UTF-8 without control
 * characters and `*`. One that begins with `~` is the gateway's own.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name) {
	return isName(name, 255) && !/^~|\*/.test(name);
}

/** Whether the gateway takes this as the name of an event: 1 to 128 bytes, as above.
 * @param {any} name
 * @returns {name is string} */
export function isEvent(name) {
	return isName(name, 128);
}

/** How a query names them: a comma separates names, so those that hold one stand alone.
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
		throw new TypeError(`channels: ${JSON.stringify(names)} is no array`);
	const list = [...new Set(names)];
	for (const name of list)
		if (!isChannel(name))
			throw new TypeError(`${JSON.stringify(name)} is not the name of a channel`);
	if (list.length > most)
		throw new RangeError(
			`${list.length} channels are too many: a connection has at most ${most}`);
	return list;
}
