// The matrix as TAP: a test a path, passed when the client gets through it. A cell that is worse
// than expected is a note, not a failure.
import { compare, describe } from './table.mjs';

/** @param {import('./matrix.mjs').Row[]} rows @param {string[]} skipped */
export function formatTap(rows, skipped) {
	const lines = ['TAP version 13'];
	for (const { name, cells, client } of rows) {
		for (const [transport, cell] of Object.entries(cells).filter(([, cell]) => compare(cell) < 0))
			lines.push(`# ${name}, ${transport}: ${describe(cell)}`);
		lines.push(`${client.wrong.length ? 'not ok' : 'ok'} - the client through ${name}` +
			`${client.transport ? ` (${client.transport})` : ''}`, ...client.wrong.map((what) => `# ${what}`));
	}
	const bad = rows.filter(({ client }) => client.wrong.length).length + (rows.length ? 0 : 1);
	lines.push(`1..${rows.length}`, `# pass ${rows.length - bad}`, `# fail ${bad}`, `# skipped ${skipped.length}`);
	return lines.join('\n');
}
