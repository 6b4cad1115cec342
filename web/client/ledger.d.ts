export class Ledger {
    /** Of messages and gaps, how many are not yet verified. */
    get unverified(): number;
    /** @param {any} object */
    take({ type, id, channel, resumed }: any): void;
    /** How many are missing by the gateway's count; 0: everything up to here has come; -1: that
     * cannot be told.
     * @param {any} sent */
    check(sent: any): number;
    #private;
}
