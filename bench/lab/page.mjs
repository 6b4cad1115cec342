// The matrix as one HTML file that needs nothing else: for a phone too, light or dark.
import { describe, markDeviation, summarise } from './table.mjs';

/** @typedef {import('./matrix.mjs').Row} Row */

const ENTITIES = /** @type {Record<string, string>} */ ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });
const escape = (/** @type {unknown} */ text) => String(text).replace(/[&<>"]/g, (sign) => ENTITIES[sign]);

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --faint: #59636e; --page: #fff; --line: #d5dae0;
	--works: #c9ecd0; --degraded: #fbe6a2; --dead: #f6c8c4; --none: #e9ecef; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --faint: #9aa4ae; --page: #14171a; --line: #343a40;
	--works: #1d5130; --degraded: #61500f; --dead: #6b2823; --none: #272c31; --wrong: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--page); color: var(--text);
	font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 1rem; color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 3px; width: 100%; min-width: 44rem; }
th { text-align: left; font-weight: 600; padding: .25rem .4rem; }
tbody th { position: sticky; left: 0; background: var(--page); vertical-align: top; min-width: 7rem; max-width: 15rem;
	font-size: .9rem; }
tbody th small, td small { display: block; font-weight: 400; color: var(--faint); font-size: .75rem; }
td { padding: .3rem .4rem; border-radius: 4px; background: var(--none); vertical-align: top; font-size: .85rem;
	max-width: 13rem; overflow-wrap: anywhere; }
td small { color: inherit; opacity: .85; }
.works { background: var(--works); } .degraded { background: var(--degraded); } .dead { background: var(--dead); }
.wrong { color: var(--wrong); font-weight: 600; }
details summary { cursor: pointer; }
@media (max-width: 40rem) { body { padding: .5rem; font-size: 14px; } td, th { padding: .2rem .3rem; }
	tbody th > small { display: none; } }
`;

/** @param {import('./matrix.mjs').Row['cells'][string] | undefined} cell */
function formatCell(cell) {
	if (!cell)
		return '<td>-</td>';
	const { verdict } = cell;
	return `<td class="${verdict}">${verdict}${markDeviation(cell)}` +
		`${cell.how || cell.after ? `<small>${escape(describe(cell).replace(/^\w+:? ?/, ''))}</small>` : ''}</td>`;
}

/** @param {Row['client']} client */
function formatClient({ transport, first, lost, doubled, recovered, recovery, reasons, wrong }) {
	const facts = [first === undefined ? 'no message' : `first message after ${(first / 1000).toFixed(2)} s`,
		lost && `${lost} lost`, doubled && `${doubled} doubled`, recovered && `${recovered} recovered late`,
		recovery !== undefined && `back on websocket after ${(recovery / 1000).toFixed(0)} s`].filter(Boolean).join(', ');
	return `<td class="${wrong.length ? 'dead' : transport ? 'works' : ''}">${escape(transport ?? 'none')}<small>${escape(facts)}</small>` +
		wrong.map((what) => `<small class="wrong">${escape(what)}</small>`).join('') +
		(reasons.length ? `<details><summary>why</summary>${reasons.map((why) => `<small>${escape(why)}</small>`).join('')}</details>` : '') + '</td>';
}

/** @param {{ rows: Row[], transports: string[], at: string, mode: string }} result */
export function formatPage({ rows, transports, at, mode }) {
	const { paths, cells, worse, better, wrong, misjudged: misjudgedRows } = summarise(rows);
	const body = rows.map(({ name, sentence, cells: of, client, diagnosis, misjudged }) => `<tr><th scope="row">${escape(name)}<small>${escape(sentence)}</small>` +
		`${diagnosis ? `<details><summary>diagnosis</summary><small>${escape(diagnosis)}</small></details>` : ''}` +
		`${misjudged.map((what) => `<small class="wrong">${escape(what)}</small>`).join('')}</th>` +
		`${transports.map((transport) => formatCell(of[transport])).join('')}${formatClient(client)}</tr>`).join('\n');
	return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sluice: which transport gets through</title>
<style>${STYLE}</style>
<h1>Which transport gets through which obstacle?</h1>
<p>${paths} paths, ${cells} cells, ${worse} worse than expected (*), ${better} better (+). The client that
chooses by itself was wrong on ${wrong.length} paths, the diagnosis on ${misjudgedRows.length}. Run: ${escape(mode)}, ${escape(at)}.</p>
<p>A transport works, is degraded (messages are late, lost or doubled, or the
connection ends and returns), or is dead (it delivers no messages, or stops).</p>
<div class="scroll"><table>
<thead><tr><th scope="col">path</th>${transports.map((name) => `<th scope="col">${escape(name)}</th>`).join('')}<th scope="col">client</th></tr></thead>
<tbody>
${body}
</tbody></table></div>
</html>
`;
}
