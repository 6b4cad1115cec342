/** The first poll is not held: it proves the path. The first held poll is held for 1 s only: it
 * proves that held answers arrive. */
export class Polls {
    /** @param {Host} host @param {() => number} hold s
     * @param {number} pause ms between two */
    constructor(host: Host, hold: () => number, pause: number);
    host: import("./request.js").Host;
    hold: () => number;
    pause: number;
    close(): void;
    check(): void;
    /** Asks anew, at once: what is under way may be dead, or of the old channels. */
    change(): void;
    #private;
}
export type Host = import("./request.js").Host;
export type Answer = import("./request.js").Answer;
export type Loss = import("./request.js").Loss;
