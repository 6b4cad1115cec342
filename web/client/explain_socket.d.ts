/** @param {WebSocketFacts} facts
 * @returns {string} which step took longer than the client waits, '' for none */
export function findLate({ handshake, open, small, large }: WebSocketFacts): string;
/** @param {WebSocketFacts} facts @param {Answer} echo
 * @returns {string} the obstacle, '' for none */
export function findObstacle(facts: WebSocketFacts, echo: Answer): string;
export type Answer = import("./explain.js").Answer;
export type WebSocketFacts = import("./verdict.js").WebSocketFacts;
