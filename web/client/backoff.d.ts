export class Backoff {
    /** @param {() => number} [random] 0 to below 1 */
    constructor(random?: () => number);
    random: () => number;
    /** How often it was waited. */
    get tries(): number;
    /** The next wait in ms. What the server asked for is the least of it.
     * @param {number} [retry] ms @param {number} [most] ms */
    next(retry?: number, most?: number): number;
    reset(): void;
    #private;
}
