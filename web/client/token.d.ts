export class Tokens {
    /** @param {Source} [source] none: there is no token, and none is needed
     * @param {() => number} [random] 0 to below 1 */
    constructor(source?: Source, random?: () => number);
    /** @type {string | undefined} */
    current: string | undefined;
    get isGiven(): boolean;
    /** There is nothing to be asked for. */
    get isReady(): boolean;
    /** Whose it is, in a few characters that do not show it; '' where that is not known.
     * @returns {string} */
    get subject(): string;
    /** Rejects with a Refusal `no_token` while the function fails.
     * @returns {Promise<string>} */
    get(): Promise<string>;
    /** A token in the place of one that was refused. Rejects with the refusal when there is none,
     * or when the function was asked for that already and nothing took what it returned.
     * @param {string | undefined} refused @param {Refusal} refusal
     * @returns {Promise<string>} */
    renew(refused: string | undefined, refusal: Refusal): Promise<string>;
    /** The gateway has taken a token.
     * @param {string | undefined} token */
    accept(token: string | undefined): void;
    /** From now on a new token is asked for before the present one ends.
     * @param {Watcher} watcher */
    watch(watcher: Watcher): void;
    stop(): void;
    /** The machine may have slept, or there is a network again. */
    wake(): void;
    #private;
}
export type Source = import("./source.js").Source;
/**
 * Why a token is refused, in the gateway's words, or why there is none (`no_token`); retry: ms
 */
export type Refusal = {
    why: string;
    code: string;
    status?: number;
    retry?: number;
};
/**
 * onNew: there is another token; onLack: the function failed, and is asked again
 */
export type Watcher = {
    onNew: () => void;
    onLack: (refusal: Refusal) => void;
};
