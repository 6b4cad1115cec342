/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host: import("./request.js").Host): import("./request.js").Link;
/** Why no socket comes about. A browser may not see how its upgrade was refused, so one more
 * is sent with a nonce, and the gateway asked over plain HTTP what it saw of it. (A nonce
 * makes the gateway silent for 2 s, so the socket that is meant to be used has none.)
 * @param {import('./request.js').Host} host */
export function diagnose(host: import("./request.js").Host): Promise<string>;
export const name: "websocket";
