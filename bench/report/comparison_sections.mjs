// Two or three servers that were measured by turns: figures of each, their ratio, its limit.
import { el } from './elements.mjs';
import { figuresTable, scroller, section } from './page.mjs';
import { unitOf } from './results.mjs';
import { inWords, limitInWords, ratioInWords, spreadInWords } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./words.mjs').Spread} Spread */

/** @param {string} text @param {string} below */
function cellWithRange(text, below) {
	return el('td', {}, text, below ? el('span', { class: 'spread' }, below) : null);
}

/** @param {Spread | null | undefined} spread @param {string} unit */
function valueCell(spread, unit) {
	return spread ? cellWithRange(inWords(spread.median, unit), spreadInWords(spread, unit)) :
		el('td', {}, '–');
}

/** @param {Spread} ratio */
function ratioCell(ratio) {
	const { median, range } = ratioInWords(ratio);
	return cellWithRange(median, range);
}

/** @param {string} verdict */
function verdictCell(verdict) {
	return el('td', { class: verdict === 'over' ? 'over' : '' }, verdict);
}

/** @param {Report} report */
export function drawAgainst(report) {
	const { against } = report;
	if (!against)
		return;
	const { element } = section('against', 'New against old', 'CPU time, time and memory of the ' +
		'new gateway as a share of the old gateway’s: medians of the ratios within a repeat, ' +
		`with their range. New: ${against.new}. Old: ${against.old}.`);
	const value = (/** @type {any} */ row, /** @type {string} */ which) => el('td', {},
		row[which] === null ? '–' : inWords(row[which], unitOf(report, row)));
	element.append(el('div', { class: 'scroll' }, figuresTable(null,
		['', 'new', 'old', 'new / old', ''],
		against.ratios.map((/** @type {any} */ row) => el('tr', {},
			el('th', { scope: 'row' }, row.title), value(row, 'new'), value(row, 'old'),
			ratioCell(row.ratio), el('td', {}, row.verdict ?? ''))))));
}

/** Figures of a feature beside those without it, and what it may cost.
 * @param {Report} report @param {{ id: string, title: string, text: string, lines: any[],
 *   names: [string, string], heads: string[] }} of `names` are those of a row's two figures */
function drawCost(report, { id, title, text, lines, names, heads }) {
	const { element } = section(id, title, `${text} Command: ${report.command}`);
	element.append(scroller(title, figuresTable(null, ['', ...heads, 'at most', ''],
		lines.map((row) => {
			const unit = unitOf(report, row);
			return el('tr', {}, el('th', { scope: 'row' },
				row.algorithm ? `${row.title}, ${row.algorithm}` : row.title),
			...names.map((name) => valueCell(row[name], unit)), ratioCell(row.ratio),
			el('td', {}, limitInWords(row, unit)), verdictCell(row.verdict));
		}))));
}

const BY_TURNS = 'The bench measures them alternately. The figures are medians of the repeats, ' +
	'the ratios medians of the ratios within a repeat, with their range beside them.';

/** @param {Report} report */
export function drawTls(report) {
	const text = `The same gateway over https and over http. ${BY_TURNS} “At most” limits ` +
		'the ratio. For memory it limits the median over https; for turns and records, the ' +
		'highest value over https. Delivered messages are longer without TLS by the length that ' +
		'a record adds, so both carry the same bytes on the wire.';
	if (report.tls)
		drawCost(report, { id: 'tls', title: 'What TLS costs', text, lines: report.tls.lines,
			names: ['tls', 'clear'], heads: ['https', 'http', 'https / http'] });
}

/** @param {Report} report */
export function drawTokens(report) {
	const text = `The same gateway with tokens and without. ${BY_TURNS} “At most” limits the ` +
		'ratio. For memory it limits the median with tokens; for turns, the highest value with ' +
		'tokens. The time of the crowd is compressed: its clients renew within seconds, and its ' +
		'tokens expire as soon as all streams are open.';
	if (report.tokens)
		drawCost(report, { id: 'tokens', title: 'What tokens cost', text,
			lines: report.tokens.lines, names: ['with', 'without'],
			heads: ['token', 'none', 'token / none'] });
}

/** Clients of Socket.IO beside the gateway's own, and the same clients on their own server.
 * @param {Report} report */
export function drawClients(report) {
	if (!report.clients)
		return;
	const title = 'What clients of Socket.IO cost';
	const { element } = section('clients', title, 'The same clients of Socket.IO on the gateway ' +
		'and on Socket.IO’s own server (Node), beside the gateway’s native clients (json). ' +
		`${BY_TURNS} “At most” limits the ratio to the native clients. For upgrades it limits ` +
		`the median. Command: ${report.command}`);
	const heads = ['', 'native', 'clients', 'clients / native', 'at most', '', 'Node',
		'Node / clients'];
	element.append(scroller(title, figuresTable(null, heads,
		report.clients.lines.map((/** @type {any} */ row) => {
			const unit = unitOf(report, row);
			return el('tr', {}, el('th', { scope: 'row' }, row.title),
				valueCell(row.native, unit), valueCell(row.clients, unit), ratioCell(row.ratio),
				el('td', {}, limitInWords(row, unit)), verdictCell(row.verdict),
				valueCell(row.node, unit), ratioCell(row.node_ratio));
		}))));
}
