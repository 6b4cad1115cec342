/** @type {Record<string, [string, number, string][]>} */
export const gates: Record<string, [string, number, string][]>;
