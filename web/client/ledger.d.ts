export class Ledger {
    /** How many messages and gaps are not verified yet. */
    get unverified(): number;
    /** @param {any} object */
    take({ type, id, channel, resumed }: any): void;
    /** How many are missing by the gateway's count. 0: none; -1: there is no count.
     * @param {any} sent the gateway's count */
    check(sent: any): number;
    #private;
}
