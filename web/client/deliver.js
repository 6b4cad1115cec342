// What has been delivered: drops what comes twice, keeps the order, knows the cursor.
//
// Any link that began at or below the position sends everything above it in order, so all
// links may speak at once: what one has said, the others cannot add before it. Numbers
// compare within one epoch only; of the last few epochs everything is kept, so that a path
// that swings between two gateways doubles nothing.

const EPOCHS = 4;

/** @typedef {{ epoch: string, seq: number }} Place */
/** @typedef {{ id: string, channel: string, time: number, data?: any, base64?: string }} Message */
/** @typedef {{ type: string, id?: undefined, channel?: string, after?: string | null,
 * 	resumed?: string, cursor?: string, retry?: number, reason?: string, heartbeat?: number,
 * 	ref?: any, data?: any, code?: string, message?: string, channels?: string[] }} Control */
/** @typedef {{ floor: number, position: number, top: number, last: Map<string, number>,
 * 	told: Set<string> }} Life */

/** @param {string | null | undefined} cursor
 * @returns {Place | undefined} */
export function parseCursor(cursor) {
	const found = /^([0-9a-f]{8})-(\d+)$/.exec(cursor ?? '');
	return found ? { epoch: found[1], seq: Number(found[2]) } : undefined;
}

export class Delivery {
	/** @type {Map<string, Life>} */
	#lives = new Map();
	#setBy = 0; // the link that brought the present epoch
	#fromStart;

	/** @param {string} [since] */
	constructor(since) {
		this.#fromStart = since === '0';
		this.epoch = '';
		const place = parseCursor(since);
		if (place)
			this.#begin(place.epoch, place.seq);
	}

	get #life() {
		return this.#lives.get(this.epoch);
	}

	/** Where a new link has to begin; undefined: from now.
	 * @returns {string | undefined} */
	get cursor() {
		const life = this.#life;
		return life ? `${this.epoch}-${life.position}` : this.#fromStart ? '0' : undefined;
	}

	/** The highest number that was handed on in this epoch. */
	get top() {
		return this.#life?.top ?? 0;
	}

	/** @param {string} epoch @param {number} floor */
	#begin(epoch, floor) {
		this.epoch = epoch;
		this.#lives.set(epoch, { floor, position: floor, top: 0, last: new Map(), told: new Set() });
		if (this.#lives.size > EPOCHS)
			this.#lives.delete(/** @type {string} */ (this.#lives.keys().next().value));
	}

	/** A link that speaks of another epoch brings it, unless it is older than the one that
	 * brought the present one and is not in use.
	 * @param {Place} place @param {number} link @param {boolean} used
	 * @returns {Life | undefined} */
	#enter({ epoch, seq }, link, used) {
		if (epoch !== this.epoch) {
			if (link < this.#setBy && !used)
				return undefined;
			if (this.#lives.has(epoch))
				this.epoch = epoch;
			else
				this.#begin(epoch, this.epoch || this.#fromStart ? 0 : seq);
			this.#setBy = link;
		}
		return this.#life;
	}

	/** A link without `since` that began above the position may lack messages.
	 * @param {string | undefined} cursor the first that the link told */
	isLate(cursor) {
		const place = parseCursor(cursor);
		const life = this.#life;
		return Boolean(life && place && (place.epoch !== this.epoch || place.seq > life.position));
	}

	/** The position moves to a cursor that a link told; never back.
	 * @param {string | undefined} cursor @param {number} link @param {boolean} used */
	advance(cursor, link, used) {
		const place = parseCursor(cursor);
		const life = place && this.#enter(place, link, used);
		if (place && life)
			life.position = Math.max(life.position, place.seq);
	}

	/** @param {Message} message @param {number} link @param {boolean} used
	 * @returns {boolean} if it is new */
	takeMessage({ id, channel }, link, used) {
		const place = parseCursor(id);
		// A message is no first cursor: without one, all that comes counts.
		const life = place && this.#enter({ ...place, seq: 0 }, link, used);
		if (!place || !life || place.seq <= (life.last.get(channel) ?? life.floor))
			return false;
		life.last.set(channel, place.seq);
		life.top = Math.max(life.top, place.seq);
		return true;
	}

	/** @param {Control} gap @param {number} link @param {boolean} used
	 * @returns {boolean} if it is news */
	takeGap({ channel = '', after, resumed }, link, used) {
		const place = parseCursor(resumed);
		const life = place && this.#enter({ ...place, seq: 0 }, link, used);
		if (!place || !life)
			return false;
		const asked = parseCursor(after);
		const known = Math.max(life.last.get(channel) ?? life.floor, life.position);
		if (asked?.epoch === place.epoch && asked.seq > place.seq) { // the log ends lower
			life.last.set(channel, place.seq);
			life.position = Math.min(life.position, place.seq);
			return true;
		}
		const foreign = asked?.epoch !== place.epoch && !life.told.has(channel);
		life.told.add(channel);
		if (place.seq <= known && !foreign)
			return false;
		life.last.set(channel, Math.max(life.last.get(channel) ?? 0, place.seq));
		return true;
	}
}
