// The matrix as text.

/** @typedef {import('./matrix.mjs').Row} Row */
/** @typedef {import('./verdict.mjs').Cell} Cell */

const WIDTH = 10;

/** @param {Cell | undefined} cell */
const short = (cell) => (cell ? cell.verdict + markDeviation(cell) : '-').padEnd(WIDTH);
const took = (/** @type {number | undefined} */ ms) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`).padStart(8);

const ORDER = ['dead', 'degraded', 'works'];

/** How a verdict differs from the expected one: below 0 it is worse, above it better. What goes
 * by chance may be better than expected.
 * @param {Cell} cell */
export function compare({ verdict, expected }) {
	return expected === undefined ? 0 : ORDER.indexOf(verdict) - ORDER.indexOf(expected);
}

/** @param {Cell} cell
 * @returns {string} a mark of it, or nothing */
export const markDeviation = (cell) => ['*', '', '+'][Math.sign(compare(cell)) + 1];

/** @param {string[]} transports @param {number} width */
export function formatHead(transports, width) {
	return 'path'.padEnd(width) + [...transports, 'client', ''].map((name) => name.padEnd(WIDTH)).join(' ').trimEnd() +
		'   first lost doubled';
}

/** @param {Row} row @param {string[]} transports @param {number} width */
export function formatRow({ name, cells, client, misjudged }, transports, width) {
	return name.padEnd(width) + transports.map((transport) => short(cells[transport])).join(' ') + ' ' +
		(client.transport ?? 'none').padEnd(WIDTH) + took(client.first) + String(client.lost).padStart(5) +
		String(client.doubled).padStart(8) + [...client.wrong, ...misjudged].map((what) => `\n    WRONG: ${what}`).join('');
}

/** What each path does, in words.
 * @param {Row[]} rows */
export function formatDetails(rows) {
	return rows.flatMap(({ name, sentence, cells, client, diagnosis }) => {
		const lines = Object.entries(cells).filter(([, cell]) => cell.verdict !== 'works' || compare(cell)).map(([transport, cell]) =>
			`    ${transport}: ${describe(cell)}`);
		return [`${name}: ${sentence}`, ...lines, ...client.reasons.map((reason) => `    client -> ${reason}`),
			...diagnosis ? [`    diagnosis: ${diagnosis}`] : []];
	}).join('\n');
}

/** @param {Cell} cell */
export function describe(cell) {
	const { verdict, how, after, expected } = cell;
	return [`${verdict}${after === undefined ? '' : ` after ${(after / 1000).toFixed(1)} s`}`, how].filter(Boolean).join(': ') +
		(compare(cell) ? ` (expected: ${expected})` : '');
}

/** @param {Row[]} rows */
export function summarise(rows) {
	const cells = rows.flatMap((row) => Object.values(row.cells));
	const wrong = rows.filter(({ client }) => client.wrong.length);
	return { paths: rows.length, cells: cells.length, worse: cells.filter((cell) => compare(cell) < 0).length,
		better: cells.filter((cell) => compare(cell) > 0).length,
		wrong: wrong.map(({ name, client }) => ({ name, wrong: client.wrong })),
		misjudged: rows.filter(({ misjudged }) => misjudged.length).map(({ name, misjudged }) => ({ name, misjudged })),
		lost: rows.reduce((sum, { client }) => sum + client.lost, 0),
		doubled: rows.reduce((sum, { client }) => sum + client.doubled, 0) };
}
