export class Connection {
    /** @param {URL} base @param {any} options of Sluice, complete
     * @param {Tell} tell takes what Sluice has events for */
    constructor(base: URL, options: any, tell: Tell);
    /** @type {string | undefined} */
    backend: string | undefined;
    /** @type {{ message: number, channels: number } | undefined} */
    limits: {
        message: number;
        channels: number;
    } | undefined;
    channels: string[];
    covered: string[];
    get cursor(): string | undefined;
    /** Up to where nothing is missing. */
    get verified(): string | undefined;
    get transport(): string | null;
    /** @param {string[]} channels */
    setChannels(channels: string[]): void;
    /** @param {import('./publisher.js').Publication} publication */
    publish(publication: import("./publisher.js").Publication): Promise<string>;
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
 * One link. token: of its last request; since: the cursor at which it began; place, cursor: its
 * last position; ledger: absent if the gateway does not count; began: all above this has come, if
 * the counts agree; verified: up to here nothing was missing then; backend: its reported state
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
    began?: string;
    verified?: string;
    token?: string;
    backend?: string;
};
export type Tell = (type: string, fields: any) => void;
import { Ledger } from './ledger.js';
