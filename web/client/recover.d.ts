/** The objects of an answer to a poll, in the order in which a stream would send them.
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
    /** Polls, at most once at a time and once per second. If the poll fails, a later call tries
     * again.
     * @param {(answer: Answer) => void} take gets the answer
     * @param {() => void} giveUp called after several polls without an answer */
    run(take: (answer: Answer) => void, giveUp: () => void): Promise<void>;
    #private;
}
export type Answer = import("./transports/request.js").Answer;
