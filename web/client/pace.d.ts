export class Pace {
    /** Runs what starts a request: at once, or as soon as it may.
     * @param {() => void} then
     * @returns {() => void} calls it off */
    start(then: () => void): () => void;
    /** There was something new. */
    reset(): void;
    #private;
}
