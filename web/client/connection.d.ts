/** @typedef {import('./policy.js').PolicyEvent} PolicyEvent */
/** @typedef {import('./policy.js').OpenAction} OpenAction */
/** @typedef {import('./policy.js').Action} Action */
/** @typedef {import('./transports/request.js').Transport} Transport */
/** @typedef {import('./transports/request.js').Link} Link */
/** @typedef {import('./transports/request.js').Host} Host */
/** @typedef {{ id: number, action: OpenAction, link?: Link, number: number, since?: string,
 * 	place?: import('./deliver.js').Place, cursor?: string, reason?: string, placed: boolean,
 * 	ended: boolean, ledger?: Ledger }} Record
 * 	since: where it began; place, cursor: the last that it told; ledger: none, nothing is counted */
/** @typedef {(type: string, fields: any) => void} Tell */
export class Connection {
    /** @param {URL} base @param {any} options of Sluice, complete
     * @param {Tell} tell takes what Sluice has events for */
    constructor(base: URL, options: any, tell: Tell);
    channels: string[];
    covered: string[];
    get cursor(): string | undefined;
    /** Up to where nothing is missing. */
    get verified(): string | undefined;
    get transport(): string | null;
    /** @param {string[]} channels */
    setChannels(channels: string[]): void;
    /** @param {string} channel @param {any} data @param {string} [key] */
    publish(channel: string, data: any, key?: string): Promise<string>;
    /** @param {boolean} [online] */
    wake(online?: boolean): void;
    close(): void;
    #private;
}
export type PolicyEvent = import("./policy.js").PolicyEvent;
export type OpenAction = import("./policy.js").OpenAction;
export type Action = import("./policy.js").Action;
export type Transport = import("./transports/request.js").Transport;
export type Link = import("./transports/request.js").Link;
export type Host = import("./transports/request.js").Host;
/**
 * since: where it began; place, cursor: the last that it told; ledger: none, nothing is counted
 */
export type Record = {
    id: number;
    action: OpenAction;
    link?: Link;
    number: number;
    since?: string;
    place?: import("./deliver.js").Place;
    cursor?: string;
    reason?: string;
    placed: boolean;
    ended: boolean;
    ledger?: Ledger;
};
export type Tell = (type: string, fields: any) => void;
import { Ledger } from './ledger.js';
