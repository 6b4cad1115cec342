/** @typedef {import('./ask.js').Way} Way */
/** @typedef {import('./explain.js').Answer} Answer */
/** @typedef {import('./verdict.js').IdleFacts} IdleFacts */
/** @typedef {import('./verdict.js').WebSocketFacts} WebSocketFacts */
/** @param {Way} way
 * @returns {Promise<WebSocketFacts>} */
export function tryWebSocket(way: Way): Promise<WebSocketFacts>;
/** Leaves a WebSocket idle for as long as a client might.
 * @param {Way} way
 * @returns {Promise<IdleFacts>} */
export function watchSocket(way: Way): Promise<IdleFacts>;
export type Way = import("./ask.js").Way;
export type Answer = import("./explain.js").Answer;
export type IdleFacts = import("./verdict.js").IdleFacts;
export type WebSocketFacts = import("./verdict.js").WebSocketFacts;
