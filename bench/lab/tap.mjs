// The matrix as TAP, two tests a path: one passes when the client gets through it, one when the
// diagnosis says what was measured. A cell that is worse than expected is a note, not a failure.
import { compare, describe } from './table.mjs';

/** @param {import('./matrix.mjs').Row[]} rows @param {string[]} skipped */
export function formatTap(rows, skipped) {
	const lines = ['TAP version 13'];
	for (const { name, cells, client, misjudged } of rows) {
		for (const [transport, cell] of Object.entries(cells).filter(([, cell]) => compare(cell) < 0))
			lines.push(`# ${name}, ${transport}: ${describe(cell)}`);
		lines.push(`${client.wrong.length ? 'not ok' : 'ok'} - the client through ${name}` +
			`${client.transport ? ` (${client.transport})` : ''}`, ...client.wrong.map((what) => `# ${what}`),
			`${misjudged.length ? 'not ok' : 'ok'} - the diagnosis of ${name}`, ...misjudged.map((what) => `# ${what}`));
	}
	const tests = 2 * rows.length;
	const bad = rows.length ? rows.flatMap(({ client, misjudged }) => [client.wrong, misjudged]).filter(({ length }) => length).length : 1;
	lines.push(`1..${tests}`, `# pass ${Math.max(0, tests - bad)}`, `# fail ${bad}`, `# skipped ${skipped.length}`);
	return lines.join('\n');
}
