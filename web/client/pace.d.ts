export class Pace {
    /** Calls `then`, which starts a request: at once, or as soon as the pace allows it.
     * @param {() => void} then
     * @returns {() => void} cancels the call */
    start(then: () => void): () => void;
    /** A new message arrived: the count starts again. */
    reset(): void;
    #private;
}
