/** @type {import('./request.js').Transport[]} */
export const transports: import("./request.js").Transport[];
