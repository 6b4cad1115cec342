/** @typedef {{ heartbeat?: number, hold?: number, learned?: number }} Known
 * 	in s; learned: ms, when */
export class Patience {
    /** @param {Known} asked @param {Known} [known] from before */
    constructor({ heartbeat, hold }: Known, known?: Known);
    heartbeat: number | undefined;
    hold: number;
    /** The learned limits, to be remembered.
     * @returns {Known} */
    get known(): Known;
    /** A connection ended. If it survived a longer silence before, this silence was not the reason.
     * @param {string} name of the transport @param {number} silent ms before the end
     * @param {number} survived ms, the longest silence before @param {number} now ms
     * @returns {boolean} whether the client allows less silence from now on */
    learn(name: string, silent: number, survived: number, now: number): boolean;
    /** @param {number} now ms */
    forgetOld(now: number): void;
    /** Allows as much silence as at first. One more cut like the last teaches the limit again. */
    forget(): void;
    #private;
}
/**
 * in s; learned: ms, when
 */
export type Known = {
    heartbeat?: number;
    hold?: number;
    learned?: number;
};
