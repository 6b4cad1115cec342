/** @typedef {{ transport?: string } & import('./patience.js').Known} Known */
export class Memory {
    /** @param {string} origin
     * @param {Pick<Storage, 'getItem' | 'setItem'> | null} [storage] null: remember nothing */
    constructor(origin: string, storage?: Pick<Storage, "getItem" | "setItem"> | null);
    /** @param {number} now ms
     * @returns {Known} */
    read(now: number): Known;
    /** @param {Known} known @param {number} now ms */
    write(known: Known, now: number): void;
    #private;
}
export type Known = {
    transport?: string;
} & import("./patience.js").Known;
