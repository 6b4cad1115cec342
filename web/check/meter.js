// The messages of the check: when each was sent, and when it arrived on each transport.
import { askOnce, now } from '../client/ask.js';
import { createKey, parse } from '../client/transports/request.js';

/** @typedef {import('../client/ask.js').Way} Way */
/** Who publishes: the socket, or requests.
 * @typedef {'websocket' | 'post'} By */
/** at: ms; round: it counts for the round trips.
 * @typedef {{ at: number, by: By, size: number, taken?: number, failed?: boolean,
 * 	round: boolean }} Sent */

export const SIZES = [64, 4096, 65536];
/** What a channel of the check carries in its life (PROTOCOL.md), less what the diagnosis may
 * send. */
const MOST = { messages: 195, bytes: 1048576 - 1024 };

export class Meter {
	/** @type {Sent[]} */
	sent = [];
	/** @type {Map<string, Map<number, number>>} */
	got = new Map(); // transport -> number of the message -> ms, when it came first
	/** @type {number[]} */
	posted = []; // ms that requests took
	#key = createKey();
	#bytes = 0;
	#way;

	/** @param {Way} way */
	constructor(way) {
		this.#way = way;
	}

	/** @param {string} name @param {any} message @param {number} at ms */
	hear(name, { data }, at) {
		if (data?.k !== this.#key)
			return;
		const got = this.got.get(name) ?? new Map();
		this.got.set(name, got);
		if (!got.has(data.i))
			got.set(data.i, at);
	}

	/** @param {By} by
	 * @returns {number} messages by it that nobody has answered yet */
	count(by) {
		return this.sent.filter((one) => one.by === by && !one.failed &&
			one.taken === undefined).length;
	}

	/** @param {By} by @param {number} size bytes
	 * @param {{ publish?: (data: object) => Promise<boolean>, limit: number, round?: boolean }} how
	 * 	publish: over the socket; limit: ms
	 * @returns {Promise<boolean>} the gateway has taken it */
	async publish(by, size, { publish, limit, round = false }) {
		if (this.sent.length >= MOST.messages || this.#bytes + size > MOST.bytes)
			return false;
		this.#bytes += size;
		const data = this.#fill(size);
		/** @type {Sent} */
		const sent = { at: now(), by, size, round };
		this.sent.push(sent);
		const taken = by === 'post' ? this.#post(data, limit) : publish?.(data);
		if (await taken)
			sent.taken = now();
		else
			sent.failed = true;
		return sent.taken !== undefined;
	}

	/** Data that cannot be compressed, so that it has its full size on the path.
	 * @param {number} size bytes of its JSON */
	#fill(size) {
		const data = { k: this.#key, i: this.sent.length, p: '' };
		const room = size - JSON.stringify(data).length;
		while (data.p.length < room)
			data.p += createKey();
		data.p = data.p.slice(0, Math.max(0, room));
		return data;
	}

	/** @param {object} data @param {number} limit ms
	 * @returns {Promise<boolean>} */
	async #post(data, limit) {
		const began = now();
		const { good } = await askOnce(this.#way, 'publish', { method: 'POST',
			params: { channel: this.#way.channel }, headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify(data) }, (text) => parse(text).id, limit);
		if (good)
			this.posted.push(now() - began);
		return good === true;
	}

	/** Of the messages that count for a transport.
	 * @param {string} name @param {By} by @param {number} from number of the first message
	 * @returns {number[]} ms, in order of size */
	listTrips(name, by, from) {
		const got = this.got.get(name);
		return this.sent.flatMap((one, i) => {
			const at = one.round && one.by === by && i >= from ? got?.get(i) : undefined;
			return at === undefined ? [] : [at - one.at];
		}).sort((a, b) => a - b);
	}

	/** Those that the gateway took and that have not come.
	 * @param {string} name @param {By} by
	 * @param {number} from number of the first message @param {boolean} lost something later came
	 * @returns {number} */
	countMissing(name, by, from, lost) {
		const got = this.got.get(name) ?? new Map();
		const newest = Math.max(-1, ...got.keys());
		return this.sent.filter((one, i) => i >= from && one.by === by && one.taken !== undefined &&
			!got.has(i) && (!lost || i < newest)).length;
	}

	/** @param {string} name
	 * @returns {number} bytes of the largest message that came, 0 for none */
	findLargest(name) {
		const numbers = [...this.got.get(name)?.keys() ?? []];
		return Math.max(0, ...numbers.map((i) => this.sent[i]?.size ?? 0));
	}

	/** A message that any transport received has reached the gateway, even without an answer.
	 * @param {By} by
	 * @returns {number | null} bytes of the largest message that was taken, 0 for none, null where
	 * 	none was sent */
	findLargestSent(by) {
		const isThere = (/** @type {number} */ i) => this.sent[i].taken !== undefined ||
			[...this.got.values()].some((got) => got.has(i));
		const numbers = [...this.sent.keys()].filter((i) => this.sent[i].by === by);
		return numbers.length === 0 ? null :
			Math.max(0, ...numbers.filter(isThere).map((i) => this.sent[i].size));
	}
}
