/** @typedef {import('./connection.js').Tell} Tell */
/** An event that the leader repeats. before, cursor: the cursors before and after it; covered: the
 * channels for which they hold; verified: up to where nothing is missing; over: the channels for
 * which there is no room.
 * @typedef {{ told: string, fields: any, term: number, before?: string, cursor?: string,
 * 	verified?: string, covered: string[], over: string[], limits: Connection['limits'],
 * 	transport: string | null, backend?: string }} Told */
export class Shared {
    static get isPossible(): boolean;
    /** @param {URL} base @param {any} options @param {Tell} tell */
    constructor(base: URL, options: any, tell: Tell);
    /** @type {Connection['limits']} */
    limits: Connection["limits"];
    channels: string[];
    get cursor(): string | undefined;
    get transport(): string | null;
    /** @param {string[]} channels */
    setChannels(channels: string[]): void;
    /** @param {import('./publisher.js').Publication} publication
     * @returns {Promise<string>} */
    publish(publication: import("./publisher.js").Publication): Promise<string>;
    /** @param {boolean} [online] */
    wake(online?: boolean): void;
    /** @param {string} [why] */
    close(why?: string): void;
    #private;
}
export type Tell = import("./connection.js").Tell;
/**
 * An event that the leader repeats. before, cursor: the cursors before and after it; covered: the
 * channels for which they hold; verified: up to where nothing is missing; over: the channels for
 * which there is no room.
 */
export type Told = {
    told: string;
    fields: any;
    term: number;
    before?: string;
    cursor?: string;
    verified?: string;
    covered: string[];
    over: string[];
    limits: Connection["limits"];
    transport: string | null;
    backend?: string;
};
import { Connection } from './connection.js';
