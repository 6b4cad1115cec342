/** @typedef {{ epoch: string, seq: number }} Place */
/** @typedef {{ id: string, channel: string, time: number, data?: any, base64?: string }} Message */
/** @typedef {{ type: string, id?: undefined, channel?: string, after?: string | null,
 * 	resumed?: string, cursor?: string, retry?: number, reason?: string, heartbeat?: number,
 * 	sent?: number, ref?: any, data?: any, code?: string, message?: string,
 * 	channels?: string[] }} Control */
/** An epoch: the number it began at; the highest that a link told; up to where nothing is
 * missing; the highest delivered, in all and by channel; for each channel the number up to
 * which it is not wanted, or lost; where foreign gaps were told; the numbers delivered above the
 * verified one; the highest delivered when a loss was found, 0 for none; if a link was lost
 * since the verified one moved.
 * @typedef {{ floor: number, position: number, verified: number, top: number,
 * 	last: Map<string, number>, floors: Map<string, number>, told: Set<string>,
 * 	seen: Set<number>, recover: number, isCut: boolean }} Life */
/** @param {string | null | undefined} cursor
 * @returns {Place | undefined} */
export function parseCursor(cursor: string | null | undefined): Place | undefined;
/** @param {string | undefined} cursor @param {string | null | undefined} since
 * @returns {boolean} if it is of another epoch, or above it */
export function isHigher(cursor: string | undefined, since: string | null | undefined): boolean;
export const UNVERIFIED: 4096;
export class Delivery {
    /** @param {string} [since] */
    constructor(since?: string);
    epoch: string;
    /** The highest that a link told: what was delivered last.
     * @returns {string | undefined} */
    get cursor(): string | undefined;
    /** Nothing is missing up to it.
     * @returns {string | undefined} */
    get verified(): string | undefined;
    /** Where a new link has to begin: at the verified cursor where something is known to be
     * missing, or where that costs little; undefined: from now.
     * @returns {string | undefined} */
    get since(): string | undefined;
    /** A link that began there had nothing unverified before it.
     * @param {string | undefined} cursor */
    isVerified(cursor: string | undefined): boolean;
    /** The highest number that was handed on in this epoch. */
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
    /** A link was lost before it verified anything. The next one goes on at the position: a path
     * that cuts each link early would never be got past otherwise. */
    cut(): void;
    /** What came counts, as without verifying. */
    accept(): void;
    /** Something was lost on its way: gaps count from the verified cursor, until all of it that is
     * not a gap has been recovered. */
    recover(): void;
    /** @param {Message} message @param {number} link @param {boolean} used
     * @returns {'new' | 'late' | undefined} late: after one with a higher number */
    takeMessage({ id, channel }: Message, link: number, used: boolean): "new" | "late" | undefined;
    /** More is not verified than can be kept: the older half is given up.
     * @returns {{ after: string, resumed: string } | undefined} messages between may be lost */
    limit(): {
        after: string;
        resumed: string;
    } | undefined;
    /** @param {Control} gap @param {number} link @param {boolean} used
     * @returns {boolean} if it is news */
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
 * An epoch: the number it began at; the highest that a link told; up to where nothing is
 * missing; the highest delivered, in all and by channel; for each channel the number up to
 * which it is not wanted, or lost; where foreign gaps were told; the numbers delivered above the
 * verified one; the highest delivered when a loss was found, 0 for none; if a link was lost
 * since the verified one moved.
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
