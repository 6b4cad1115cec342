/** The first poll is not held: it proves the path. The first that is held is held for a moment
 * only: it proves that such answers come, which some never do.
 * @param {Host} host @param {() => number} hold s
 * @param {number} pause ms between two
 * @returns {import('./request.js').Link} */
export function openPolled(host: Host, hold: () => number, pause: number): import("./request.js").Link;
export type Host = import("./request.js").Host;
export type Answer = import("./request.js").Answer;
export type Loss = import("./request.js").Loss;
