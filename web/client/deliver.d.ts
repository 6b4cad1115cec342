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
export function parseCursor(cursor: string | null | undefined): Place | undefined;
/** @param {string | undefined} cursor @param {string | null | undefined} since
 * @returns {boolean} whether the cursor is of another epoch, or above `since` */
export function isHigher(cursor: string | undefined, since: string | null | undefined): boolean;
export const UNVERIFIED: 4096;
export class Delivery {
    /** @param {string} [since] */
    constructor(since?: string);
    epoch: string;
    /** The highest position of any link: the last message delivered.
     * @returns {string | undefined} */
    get cursor(): string | undefined;
    /** Up to this cursor nothing is missing.
     * @returns {string | undefined} */
    get verified(): string | undefined;
    /** Where a new link has to begin: at the verified cursor where something is known to be
     * missing, or where that costs little; undefined: from now.
     * @returns {string | undefined} */
    get since(): string | undefined;
    /** A link that began there had nothing unverified before it.
     * @param {string | undefined} cursor */
    isVerified(cursor: string | undefined): boolean;
    /** The highest number that was delivered in this epoch. */
    get top(): number;
    /** Channels that are listened to from the position on.
     * @param {string[]} channels */
    join(channels: string[]): void;
    /** A link without `since` that began above the position may lack messages.
     * @param {string | undefined} cursor the first that the link told */
    isLate(cursor: string | undefined): boolean;
    /** The position moves to a cursor that a link told; never back.
     * @param {string | undefined} cursor @param {number} link @param {boolean} used */
    advance(cursor: string | undefined, link: number, used: boolean): void;
    /** Nothing is missing up to this cursor.
     * @param {string | undefined} cursor */
    verify(cursor: string | undefined): void;
    /** A link was lost before it verified anything. The next link resumes at the position:
     * otherwise the client would never get past a path that cuts each link early. */
    cut(): void;
    /** Counts all that came as verified. */
    accept(): void;
    /** Messages were lost on the path: gaps count from the verified cursor until the messages that
     * are not in a gap have been recovered. */
    recover(): void;
    /** @param {Message} message @param {number} link @param {boolean} used
     * @returns {'new' | 'late' | undefined} late: after one with a higher number */
    takeMessage({ id, channel }: Message, link: number, used: boolean): "new" | "late" | undefined;
    /** If more ids are unverified than the client keeps, gives up the older half.
     * @returns {{ after: string, resumed: string } | undefined} messages between may be lost */
    limit(): {
        after: string;
        resumed: string;
    } | undefined;
    /** @param {Control} gap @param {number} link @param {boolean} used
     * @returns {boolean} whether the gap is new */
    takeGap({ channel, after, resumed }: Control, link: number, used: boolean): boolean;
    #private;
}
export type Place = {
    epoch: string;
    seq: number;
};
export type Message = {
    id: string;
    channel: string;
    time: number;
    data?: any;
    base64?: string;
};
export type Control = {
    type: string;
    id?: undefined;
    channel?: string;
    after?: string | null;
    resumed?: string;
    cursor?: string;
    retry?: number;
    reason?: string;
    heartbeat?: number;
    sent?: number;
    ref?: any;
    data?: any;
    code?: string;
    message?: string;
    channels?: string[];
};
/**
 * An epoch. floor: the number at which it began; position: the highest number of any link;
 * verified: up to here nothing is missing; top, last: the highest delivered number, of all and by
 * channel; floors: by channel, up to here messages are not wanted or lost; told: channels whose gap
 * from another epoch was reported; seen: the delivered numbers above verified; recover: the top
 * when a loss was found, 0 for none; isCut: a link was lost since verified moved.
 */
export type Life = {
    floor: number;
    position: number;
    verified: number;
    top: number;
    last: Map<string, number>;
    floors: Map<string, number>;
    told: Set<string>;
    seen: Set<number>;
    recover: number;
    isCut: boolean;
};
