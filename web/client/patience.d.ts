/** @typedef {{ heartbeat?: number, hold?: number, learned?: number }} Known
 * 	in s; learned: ms, when */
export class Patience {
    /** @param {Known} asked @param {Known} [known] from before */
    constructor({ heartbeat, hold }: Known, known?: Known);
    heartbeat: number | undefined;
    hold: number;
    /** What is worth remembering.
     * @returns {Known} */
    get known(): Known;
    /** A connection ended. One that has survived a longer silence was not cut for this one.
     * @param {string} name @param {number} silent ms @param {number} survived ms
     * @param {number} now ms
     * @returns {boolean} if there is less silence from now on */
    learn(name: string, silent: number, survived: number, now: number): boolean;
    /** @param {number} now ms */
    forgetOld(now: number): void;
    /** Asks for as much as at first; one more cut like the last teaches it again. */
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
