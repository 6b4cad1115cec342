export class Backoff {
    /** @param {number} [first] ms, the first bound
     * @param {number} [most] ms, the last
     * @param {() => number} [random] 0 to below 1 */
    constructor(first?: number, most?: number, random?: () => number);
    first: number;
    most: number;
    random: () => number;
    /** The next wait in ms. What the server asked for is the least of it.
     * @param {number} [retry] ms */
    next(retry?: number): number;
    reset(): void;
    #private;
}
