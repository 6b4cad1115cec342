// The parts that sections of the page are built of.
import { el, tint } from './elements.mjs';
import { hasSeveralServers } from './results.mjs';
import { caseInWords } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./results.mjs').Case} Case */
/** @typedef {import('./networks.mjs').Result} Result */

/** A new section at the end of the page, with its entry in the contents.
 * @param {string} id @param {string} title @param {string} [text] */
export function section(id, title, text) {
	const head = el('div', { class: 'head' }, el('h2', {}, title));
	const element = el('section', { id }, head, text ? el('p', {}, text) : null);
	document.getElementById('main')?.append(element);
	document.getElementById('contents')?.append(el('a', { href: `#${id}` }, title));
	return { element, head };
}

/** A section that is a list of sentences; none where there are none.
 * @param {string} id @param {string} title @param {string[]} list */
export function drawSentences(id, title, list) {
	if (!list.length)
		return;
	const { element } = section(id, title);
	element.classList.add(id);
	element.append(el('ul', { class: 'plain' },
		...list.map((sentence) => el('li', {}, sentence))));
}

/** The name of a result's transport with its colour, and of its server where there are several.
 * @param {Report} report @param {Pick<Result, 'transport' | 'server' | 'doubtful'>} result */
export function labelOf(report, { transport, server, doubtful }) {
	const label = el('span', { class: 'name' },
		el('span', { class: 'swatch', style: tint(transport) }), transport);
	if (hasSeveralServers(report))
		label.append(' ', el('span', { class: 'server' }, server));
	if (doubtful)
		label.append(doubtMark());
	return label;
}

/** The mark of a figure that may be the generator's own. */
export function doubtMark() {
	return el('abbr', { class: 'doubtful',
		title: 'The load generator was saturated: this figure may show its limit, ' +
			'not the server’s.' }, '!');
}

/** A choice among cases that draws the chosen one; of one case there is nothing to choose.
 * @param {any} head @param {Case[]} cases @param {(chosen: Case) => void} draw */
export function chooser(head, cases, draw) {
	if (cases.length > 1) {
		const select = el('select', { 'aria-label': 'case' },
			...cases.map(({ params }, i) => el('option', { value: i }, caseInWords(params))));
		select.addEventListener('change', () => draw(cases[select.value]));
		head.append(select);
	} else {
		head.append(el('span', { class: 'server' }, caseInWords(cases[0].params)));
	}
	draw(cases[0]);
}

/** A table that may be wider than the page. @param {string} label @param {any} table */
export function scroller(label, table) {
	return el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': label }, table);
}

/** A table of columns with a heading each. @param {string | null} caption
 * @param {(string | Node)[]} heads @param {Node[]} rows */
export function figuresTable(caption, heads, rows) {
	return el('table', { class: 'figures' }, caption ? el('caption', {}, caption) : null,
		el('thead', {}, el('tr', {}, ...heads.map((head) => head instanceof Node ? head :
			el('th', { scope: 'col' }, head)))),
		el('tbody', {}, ...rows));
}
