export class Backoff {
    /** @param {() => number} [random] 0 to below 1 */
    constructor(random?: () => number);
    random: () => number;
    /** How many waits there were since reset(). */
    get tries(): number;
    /** The next wait in ms. It is never shorter than `retry`.
     * @param {number} [retry] ms that the gateway asks for @param {number} [most] ms */
    next(retry?: number, most?: number): number;
    reset(): void;
    #private;
}
