/** @param {Facts} facts
 * @returns {Evidence[]} */
export function list(facts: Facts): Evidence[];
export type Answer = import("./explain.js").Answer;
export type Evidence = import("./verdict.js").Evidence;
export type Facts = import("./verdict.js").Facts;
export type StreamFacts = import("./verdict.js").StreamFacts;
export type WebSocketFacts = import("./verdict.js").WebSocketFacts;
