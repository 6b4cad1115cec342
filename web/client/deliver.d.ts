/** @typedef {{ epoch: string, seq: number }} Place */
/** @typedef {{ id: string, channel: string, time: number, data?: any, base64?: string }} Message */
/** @typedef {{ type: string, id?: undefined, channel?: string, after?: string | null,
 * 	resumed?: string, cursor?: string, retry?: number, reason?: string, heartbeat?: number,
 * 	ref?: any, data?: any, code?: string, message?: string, channels?: string[] }} Control */
/** @typedef {{ floor: number, position: number, top: number, last: Map<string, number>,
 * 	told: Set<string> }} Life */
/** @param {string | null | undefined} cursor
 * @returns {Place | undefined} */
export function parseCursor(cursor: string | null | undefined): Place | undefined;
export class Delivery {
    /** @param {string} [since] */
    constructor(since?: string);
    epoch: string;
    /** Where a new link has to begin; undefined: from now.
     * @returns {string | undefined} */
    get cursor(): string | undefined;
    /** The highest number that was handed on in this epoch. */
    get top(): number;
    /** A link without `since` that began above the position may lack messages.
     * @param {string | undefined} cursor the first that the link told */
    isLate(cursor: string | undefined): boolean;
    /** The position moves to a cursor that a link told; never back.
     * @param {string | undefined} cursor @param {number} link @param {boolean} used */
    advance(cursor: string | undefined, link: number, used: boolean): void;
    /** @param {Message} message @param {number} link @param {boolean} used
     * @returns {boolean} if it is new */
    takeMessage({ id, channel }: Message, link: number, used: boolean): boolean;
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
    ref?: any;
    data?: any;
    code?: string;
    message?: string;
    channels?: string[];
};
export type Life = {
    floor: number;
    position: number;
    top: number;
    last: Map<string, number>;
    told: Set<string>;
};
