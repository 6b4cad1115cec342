// Which names a channel can have: the gateway's own rule (PROTOCOL.md, Words). The client
// rejects an illegal name before it reaches a request, where it would spoil the whole list.

const NAME_MAX = 128;
export const MOST = 64; // channels of a connection, until the gateway has said how many

/** Whether the gateway takes this as the name of a channel: 1 to 128 of `A-Z a-z 0-9 _ . : -`,
 * no dot at either end, no two dots in a row.
 * @param {any} name
 * @returns {name is string} */
export function isChannel(name) {
	return typeof name === 'string' && name.length <= NAME_MAX &&
		/^[\w:-]+(\.[\w:-]+)*$/.test(name);
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
