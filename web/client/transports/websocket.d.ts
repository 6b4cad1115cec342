/** @typedef {import('./request.js').Host} Host */
/** @param {Host} host
 * @returns {import('./request.js').Link} */
export function open(host: Host): import("./request.js").Link;
/** Opens a WebSocket. A token goes into the list of subprotocols; the gateway chooses `sluice.v1`.
 * @param {{ WebSocket: any, url: Host['url'], token?: string }} way @param {object} params */
export function createSocket({ WebSocket, url, token }: {
    WebSocket: any;
    url: Host["url"];
    token?: string;
}, params: object): any;
/** Closes a WebSocket. If it is still connecting, it closes once it is open, after 2 s at the
 * latest: browsers complain about an earlier end, and open one at a time (RFC 6455, section 4.1).
 * @param {any} socket */
export function closeSocket(socket: any): void;
/** Why no WebSocket opens; '' for nothing found. A browser cannot see how an upgrade was refused.
 * So the client sends another one with a nonce, and asks the gateway over plain HTTP what it saw.
 * (A nonce makes the gateway silent for 2 s, so the WebSocket for messages has none.)
 * @param {Host} host */
export function diagnose(host: Host): Promise<any>;
export const name: "websocket";
export const LARGE: string;
export type Host = import("./request.js").Host;
