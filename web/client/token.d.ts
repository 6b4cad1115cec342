export class Tokens {
    /** @param {Source} [source] none: there is no token, and none is needed
     * @param {() => number} [random] 0 to below 1 */
    constructor(source?: Source, random?: () => number);
    /** @type {string | undefined} */
    current: string | undefined;
    get isGiven(): boolean;
    /** Whether a request can be sent without calling the function. */
    get isReady(): boolean;
    /** The token's subject as a digest, which does not show it; '' if it is not known.
     * @returns {string} */
    get subject(): string;
    /** Rejects with a Refusal `no_token` while the function fails.
     * @returns {Promise<string>} */
    get(): Promise<string>;
    /** A new token in place of a refused one. Rejects with the refusal if there is none, or if the
     * gateway has not accepted the token of the previous renewal either.
     * @param {string | undefined} refused @param {Refusal} refusal
     * @returns {Promise<string>} */
    renew(refused: string | undefined, refusal: Refusal): Promise<string>;
    /** The gateway has accepted a token.
     * @param {string | undefined} token */
    accept(token: string | undefined): void;
    /** Renews the token before it ends, from now on.
     * @param {Watcher} watcher */
    watch(watcher: Watcher): void;
    stop(): void;
    /** Looks at the clock: the machine may have slept, or there is a network again. */
    wake(): void;
    #private;
}
export type Source = import("./source.js").Source;
/**
 * Why the gateway refuses a token, in its words, or why there is none (`no_token`). retry: ms
 */
export type Refusal = {
    why: string;
    code: string;
    status?: number;
    retry?: number;
};
/**
 * onNew: there is a new token; onLack: the function failed, and the client calls it again
 */
export type Watcher = {
    onNew: () => void;
    onLack: (refusal: Refusal) => void;
};
