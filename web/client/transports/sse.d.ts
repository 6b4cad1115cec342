/** Opens a stream; returns what ends it.
 * @typedef {(url: string, take: (text: string) => void,
 * 	end: (loss: { why: string }) => void) => () => void} Connect */
/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host: import("./request.js").Host): import("./request.js").Link;
export const name: "sse";
/**
 * Opens a stream; returns what ends it.
 */
export type Connect = (url: string, take: (text: string) => void, end: (loss: {
    why: string;
}) => void) => () => void;
