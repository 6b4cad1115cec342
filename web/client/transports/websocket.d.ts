/** @typedef {import('./request.js').Host} Host */
/** @param {Host} host
 * @returns {import('./request.js').Link} */
export function open(host: Host): import("./request.js").Link;
/** With a token, which goes in the list of subprotocols: the gateway chooses the other one.
 * @param {{ WebSocket: any, url: Host['url'], token?: string }} way @param {object} params */
export function createSocket({ WebSocket, url, token }: {
    WebSocket: any;
    url: Host["url"];
    token?: string;
}, params: object): any;
/** One that is still connecting ends once it is open: browsers complain of any earlier end, and
 * open one at a time (RFC 6455, section 4.1), so it is not left for long.
 * @param {any} socket */
export function closeSocket(socket: any): void;
/** Why no socket comes about. A browser may not see how its upgrade was refused, so one more
 * is sent with a nonce, and the gateway asked over plain HTTP what it saw of it. (A nonce
 * makes the gateway silent for 2 s, so the socket that is meant to be used has none.)
 * @param {Host} host */
export function diagnose(host: Host): Promise<any>;
export const name: "websocket";
export const LARGE: string;
export type Host = import("./request.js").Host;
