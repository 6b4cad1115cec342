/** @param {import('./request.js').Host} host
 * @returns {import('./request.js').Link} */
export function open(host: import("./request.js").Host): import("./request.js").Link;
export const name: "stream";
