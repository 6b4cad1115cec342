// Keeps track of delivered messages: drops duplicates, keeps the order, knows the cursor.
//
// A link that began at or below the position sends all messages above it in order, so several links
// may run at once. Up to the verified cursor nothing is missing. Above it the client keeps the ids
// of delivered messages: when a link sends from there again, duplicates are dropped, and lost
// messages arrive. Numbers compare within one epoch only. The client keeps the last few epochs, so
// that a path that changes between two gateways causes no duplicates.

const EPOCHS = 4;
export const UNVERIFIED = 4096; // ids kept above the verified cursor
const FEW = 64; // of these: what a link may send again

/** @typedef {{ epoch: string, seq: number }} Place */
/** @typedef {{ id: string, channel: string, time: number, data?: any, base64?: string }} Message */
/** @typedef {{ type: string, id?: undefined, channel?: string, after?: string | null,
 * 	resumed?: string, cursor?: string, retry?: number, reason?: string, heartbeat?: number,
 * 	sent?: number, ref?: any, data?: any, code?: string, message?: string,
 * 	channels?: string[] }} Control */
/** An epoch. floor: the number at which it began; position: the highest number of any link;
 * verified: up to here nothing is missing; top, last: the highest delivered number, of all and by
 * channel; floors: by channel, up to here messages are not wanted or lost; told: channels whose gap
 * from another epoch was reported; seen: the delivered numbers above verified; recover: the top
 * when a loss was found, 0 for none; isCut: a link was lost since verified moved.
 * @typedef {{ floor: number, position: number, verified: number, top: number,
 * 	last: Map<string, number>, floors: Map<string, number>, told: Set<string>,
 * 	seen: Set<number>, recover: number, isCut: boolean }} Life */

/** @param {string | null | undefined} cursor
 * @returns {Place | undefined} */
export function parseCursor(cursor) {
	const found = /^([0-9a-f]{8})-(\d+)$/.exec(cursor ?? '');
	return found ? { epoch: found[1], seq: Number(found[2]) } : undefined;
}

/** @param {string | undefined} cursor @param {string | null | undefined} since
 * @returns {boolean} whether the cursor is of another epoch, or above `since` */
export function isHigher(cursor, since) {
	const [place, before] = [parseCursor(cursor), parseCursor(since)];
	return Boolean(place && (place.epoch !== before?.epoch || place.seq > before.seq));
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

	/** The highest position of any link: the last message delivered.
	 * @returns {string | undefined} */
	get cursor() {
		return this.#write(this.#life?.position);
	}

	/** Up to this cursor nothing is missing.
	 * @returns {string | undefined} */
	get verified() {
		return this.#write(this.#life?.verified);
	}

	/** Where a new link has to begin: at the verified cursor where something is known to be
	 * missing, or where that costs little; undefined: from now.
	 * @returns {string | undefined} */
	get since() {
		const life = this.#life;
		const isCheap = life && life.seen.size <= FEW && !life.isCut;
		return !life || life.recover || isCheap ? this.verified : this.cursor;
	}

	/** A link that began there had nothing unverified before it.
	 * @param {string | undefined} cursor */
	isVerified(cursor) {
		const { epoch, seq } = parseCursor(cursor) ?? { epoch: '', seq: 0 };
		return seq <= (this.#lives.get(epoch)?.verified ?? Infinity);
	}

	/** @param {number | undefined} seq */
	#write(seq) {
		if (seq !== undefined)
			return `${this.epoch}-${seq}`;
		return this.#fromStart ? '0' : undefined;
	}

	/** The highest number that was delivered in this epoch. */
	get top() {
		return this.#life?.top ?? 0;
	}

	/** @param {string} epoch @param {number} floor */
	#begin(epoch, floor) {
		this.epoch = epoch;
		this.#lives.set(epoch, { floor, position: floor, verified: floor, top: 0, last: new Map(),
			floors: new Map(), told: new Set(), seen: new Set(), recover: 0, isCut: false });
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

	/** Channels that are listened to from the position on.
	 * @param {string[]} channels */
	join(channels) {
		const life = this.#life;
		for (const channel of life ? channels : [])
			raise(/** @type {Life} */ (life).floors, channel, /** @type {Life} */ (life).position);
	}

	/** A link without `since` that began above the position may lack messages.
	 * @param {string | undefined} cursor the first that the link told */
	isLate(cursor) {
		return Boolean(this.#life) && isHigher(cursor, this.cursor);
	}

	/** The position moves to a cursor that a link told; never back.
	 * @param {string | undefined} cursor @param {number} link @param {boolean} used */
	advance(cursor, link, used) {
		const place = parseCursor(cursor);
		const life = place && this.#enter(place, link, used);
		if (place && life)
			life.position = Math.max(life.position, place.seq);
	}

	/** Nothing is missing up to this cursor.
	 * @param {string | undefined} cursor */
	verify(cursor) {
		const { epoch, seq } = parseCursor(cursor) ?? { epoch: '', seq: 0 };
		const life = this.#lives.get(epoch);
		if (!life || seq <= life.verified)
			return;
		life.verified = seq;
		life.isCut = false;
		life.recover = seq < life.recover ? life.recover : 0;
		for (const number of life.seen)
			if (number <= seq)
				life.seen.delete(number);
	}

	/** A link was lost before it verified anything. The next link resumes at the position:
	 * otherwise the client would never get past a path that cuts each link early. */
	cut() {
		if (this.#life)
			this.#life.isCut = true;
	}

	/** Counts all that came as verified. */
	accept() {
		if (!this.#life?.recover)
			this.verify(this.cursor);
	}

	/** Messages were lost on the path: gaps count from the verified cursor until the messages that
	 * are not in a gap have been recovered. */
	recover() {
		const life = this.#life;
		if (life)
			life.recover = life.top;
	}

	/** @param {Message} message @param {number} link @param {boolean} used
	 * @returns {'new' | 'late' | undefined} late: after one with a higher number */
	takeMessage({ id, channel }, link, used) {
		const place = parseCursor(id);
		// A message is no first cursor: without one, all that comes counts.
		const life = place && this.#enter({ ...place, seq: 0 }, link, used);
		if (!place || !life)
			return undefined;
		const { seq } = place;
		if (seq <= life.verified || seq <= (life.floors.get(channel) ?? 0) || life.seen.has(seq))
			return undefined;
		const isLate = seq < life.top;
		life.seen.add(seq);
		raise(life.last, channel, seq);
		life.top = Math.max(life.top, seq);
		return isLate ? 'late' : 'new';
	}

	/** If more ids are unverified than the client keeps, gives up the older half.
	 * @returns {{ after: string, resumed: string } | undefined} messages between may be lost */
	limit() {
		const life = this.#life;
		if (!life || life.seen.size <= UNVERIFIED)
			return undefined;
		const after = `${this.epoch}-${life.verified}`;
		const numbers = [...life.seen].sort((a, b) => a - b);
		const resumed = `${this.epoch}-${numbers[numbers.length >> 1]}`;
		this.verify(resumed);
		return { after, resumed };
	}

	/** @param {Control} gap @param {number} link @param {boolean} used
	 * @returns {boolean} whether the gap is new */
	takeGap({ channel = '', after, resumed }, link, used) {
		const place = parseCursor(resumed);
		const life = place && this.#enter({ ...place, seq: 0 }, link, used);
		if (!place || !life)
			return false;
		const asked = parseCursor(after);
		const floor = life.floors.get(channel) ?? life.floor;
		const known = life.recover ? Math.max(floor, life.verified) :
			Math.max(floor, life.last.get(channel) ?? 0, life.position);
		if (asked?.epoch === place.epoch && asked.seq > place.seq) { // the log ends lower
			cutBack(life, channel, place.seq);
			return true;
		}
		const foreign = asked?.epoch !== place.epoch && !life.told.has(channel);
		life.told.add(channel);
		if (place.seq <= known && !foreign)
			return false;
		raise(life.floors, channel, place.seq);
		return true;
	}
}

/** @param {Map<string, number>} map @param {string} channel @param {number} seq */
function raise(map, channel, seq) {
	map.set(channel, Math.max(map.get(channel) ?? 0, seq));
}

/** What was above the end of the log is no more; its numbers come again.
 * @param {Life} life @param {string} channel @param {number} seq */
function cutBack(life, channel, seq) {
	life.last.set(channel, seq);
	life.floors.set(channel, seq);
	life.position = Math.min(life.position, seq);
	life.verified = Math.min(life.verified, seq);
	life.top = Math.min(life.top, seq);
	life.recover = Math.min(life.recover, seq);
	for (const number of life.seen)
		if (number > seq)
			life.seen.delete(number);
}
