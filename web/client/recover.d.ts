/** The objects of an answer, as a link tells them.
 * @param {Answer} answer
 * @returns {object[]} */
export function listObjects({ cursor, limits, gaps, messages }: Answer): object[];
/** @typedef {import('./transports/request.js').Answer} Answer */
export class Recovery {
    /** @param {typeof fetch} fetch
     * @param {(params: { wait: number, n: string }) => string} url of the poll, at the verified
     * 	cursor */
    constructor(fetch: typeof globalThis.fetch, url: (params: {
        wait: number;
        n: string;
    }) => string);
    fetch: typeof fetch;
    url: (params: {
        wait: number;
        n: string;
    }) => string;
    /** One at a time, and not at once again; a later call tries what has failed.
     * @param {(answer: Answer) => void} take @param {() => void} giveUp it was tried in vain */
    run(take: (answer: Answer) => void, giveUp: () => void): Promise<void>;
    #private;
}
export type Answer = import("./transports/request.js").Answer;
