// The matrix as text.

/** @typedef {import('./matrix.mjs').Row} Row */
/** @typedef {import('./verdict.mjs').Cell} Cell */

const MARKS = { works: 'works', degraded: 'degraded', dead: 'dead' };
const WIDTH = 10;

/** @param {Cell | undefined} cell */
const short = (cell) => (cell ? MARKS[cell.verdict] + (isDeviation(cell) ? '*' : '') : '-').padEnd(WIDTH);
const took = (/** @type {number | undefined} */ ms) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`).padStart(8);

/** @param {Cell} cell */
export function isDeviation({ verdict, expected }) {
	return expected !== undefined && verdict !== expected;
}

/** @param {string[]} transports @param {number} width */
export function formatHead(transports, width) {
	return 'path'.padEnd(width) + [...transports, 'client', ''].map((name) => name.padEnd(WIDTH)).join(' ').trimEnd() +
		'   first lost doubled';
}

/** @param {Row} row @param {string[]} transports @param {number} width */
export function formatRow({ name, cells, client }, transports, width) {
	return name.padEnd(width) + transports.map((transport) => short(cells[transport])).join(' ') + ' ' +
		(client.transport ?? 'none').padEnd(WIDTH) + took(client.first) + String(client.lost).padStart(5) +
		String(client.doubled).padStart(8) + client.wrong.map((what) => `\n    WRONG: ${what}`).join('');
}

/** What each path does, in words.
 * @param {Row[]} rows */
export function formatDetails(rows) {
	return rows.flatMap(({ name, sentence, cells, client }) => {
		const lines = Object.entries(cells).filter(([, { verdict }]) => verdict !== 'works').map(([transport, cell]) =>
			`    ${transport}: ${describe(cell)}`);
		return [`${name}: ${sentence}`, ...lines, ...client.reasons.map((reason) => `    client -> ${reason}`)];
	}).join('\n');
}

/** @param {Cell} cell */
export function describe(cell) {
	const { verdict, how, after, expected } = cell;
	return [`${verdict}${after === undefined ? '' : ` after ${(after / 1000).toFixed(1)} s`}`, how].filter(Boolean).join(': ') +
		(isDeviation(cell) ? ` (expected: ${expected})` : '');
}

/** @param {Row[]} rows */
export function summarise(rows) {
	const cells = rows.flatMap((row) => Object.values(row.cells));
	const wrong = rows.filter(({ client }) => client.wrong.length);
	return { paths: rows.length, cells: cells.length, deviations: cells.filter(isDeviation).length,
		wrong: wrong.map(({ name, client }) => ({ name, wrong: client.wrong })),
		lost: rows.reduce((sum, { client }) => sum + client.lost, 0),
		doubled: rows.reduce((sum, { client }) => sum + client.doubled, 0) };
}
