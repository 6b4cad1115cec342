/** What came, and later than the client waits for it; '' for nothing.
 * @param {WebSocketFacts} facts */
export function findLate({ handshake, open, small, large }: WebSocketFacts): string;
/** @param {WebSocketFacts} facts @param {Answer} echo
 * @returns {string} what is in the way, '' for nothing */
export function findObstacle(facts: WebSocketFacts, echo: Answer): string;
export type Answer = import("./explain.js").Answer;
export type WebSocketFacts = import("./verdict.js").WebSocketFacts;
