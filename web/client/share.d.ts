/** @typedef {import('./connection.js').Tell} Tell */
/** What the leader has heard; the cursors before and after it, and for which channels they hold;
 * up to where nothing is missing.
 * @typedef {{ told: string, fields: any, term: number, before?: string, cursor?: string,
 * 	verified?: string, covered: string[], transport: string | null }} Told */
export class Shared {
    static get isPossible(): boolean;
    /** @param {URL} base @param {any} options @param {Tell} tell */
    constructor(base: URL, options: any, tell: Tell);
    channels: string[];
    get cursor(): string | undefined;
    get transport(): string | null;
    /** @param {string[]} channels */
    setChannels(channels: string[]): void;
    /** @param {string} channel @param {any} data @param {string} [key]
     * @returns {Promise<string>} */
    publish(channel: string, data: any, key?: string): Promise<string>;
    /** @param {boolean} [online] */
    wake(online?: boolean): void;
    close(): void;
    #private;
}
export type Tell = import("./connection.js").Tell;
/**
 * What the leader has heard; the cursors before and after it, and for which channels they hold;
 * up to where nothing is missing.
 */
export type Told = {
    told: string;
    fields: any;
    term: number;
    before?: string;
    cursor?: string;
    verified?: string;
    covered: string[];
    transport: string | null;
};
