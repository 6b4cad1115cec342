/** @typedef {(url: string, take: (text: string) => void, end: (loss: { why: string }) => void) => () => void} Connect */
/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host: import("./request.js").Host): import("./request.js").Link;
export const name: "sse";
export type Connect = (url: string, take: (text: string) => void, end: (loss: {
    why: string;
}) => void) => () => void;
