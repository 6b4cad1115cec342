// The page while a check runs, and its result. Draws what it is given, and remembers nothing.
import { pairUp, showBars } from './bars.js';
import { showCards } from './cards.js';
import { create, createRows, get } from './elements.js';
import { explainChoice, formatMs, getLevel, headlines, names, spell, states, steps,
	ways } from './words.js';

/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./check.js').Progress} Progress */

const TITLE = 'Connection check';

/** @typedef {'ready' | 'running' | 'shown'} Phase */

/** @param {Phase} phase */
export function showPhase(phase) {
	get('start').hidden = phase === 'running';
	get('start').dataset.phase = phase;
	get('progress').hidden = phase !== 'running';
	get('result').hidden = phase !== 'shown';
	get('run').textContent = phase === 'shown' ? 'Check again' : 'Check this connection';
	get('step').textContent = '';
	document.title = TITLE;
	if (phase === 'running') {
		get('bar').value = 0;
		get('marks').replaceChildren(...names.map((name) => createMark(name, undefined)));
	}
}

/** @param {string} name @param {string | undefined} state */
function createMark(name, state) {
	return create('li', { 'data-state': state ?? 'open' }, `${ways[name].title} `,
		create('span', 'quiet', state ? states[state] : '…'));
}

/** A screen reader says a step once, since its words change only with the step.
 * @param {Progress} progress */
export function showProgress({ step, done, transports }) {
	const words = steps[step] ?? '';
	if (get('step').textContent !== words)
		get('step').textContent = words;
	get('bar').value = done;
	document.title = `${Math.round(done * 100)} % – ${TITLE}`;
	const marks = names.map((name) => createMark(name, transports[name]?.state));
	get('marks').replaceChildren(...marks);
}

/** @param {string} words */
export function showNote(words) {
	get('step').textContent = words;
}

/** @param {Report} report */
function showVerdict(report) {
	const level = getLevel(report);
	get('verdict').dataset.level = level;
	get('headline').textContent = headlines[level];
	get('choice').textContent = explainChoice(report);
	get('words').textContent = report.verdict;
	document.title = `${headlines[level]} – ${TITLE}`;
}

/** @param {string[]} advice */
function showAdvice(advice) {
	get('advice-list').replaceChildren(...advice.map((item) => create('li', {}, item)));
	get('advice-list').hidden = get('advice-copy').hidden = !advice.length;
	get('advice-none').hidden = advice.length > 0;
}

/** @param {Report} report @param {URL} base @param {Progress['evidence']} evidence */
function showDetails(report, base, evidence = []) {
	const { made, http, secure, base_ms: quickest, proxies, seconds } = report;
	/** @type {[string, string][]} */
	const rows = [
		['Gateway', base.href],
		['Made', `${made.replace('T', ' ').replace('Z', ' UTC')}, in ${formatMs(seconds * 1000)}`],
		['HTTP version', `${http || 'not told by the browser'}${secure ? ', over TLS' : ''}`],
		['Quickest small request', quickest === null ? 'none was answered' : formatMs(quickest)],
		['Proxies seen', proxies.join('; ') || 'none showed themselves'],
		...evidence.map(({ what, saw }) => /** @type {[string, string]} */ ([what, saw])),
	];
	get('details-list').replaceChildren(...createRows(rows));
}

/** @param {Report} report @param {URL} base @param {Record<string, number | null>} clean ms
 * @param {Progress['evidence']} [evidence] */
export function showReport(report, base, clean, evidence) {
	showPhase('shown');
	showVerdict(report);
	showAdvice(report.advice);
	get('code').textContent = report.code;
	get('code').setAttribute('aria-label', spell(report.code));
	showCards(get('cards'), report);
	const quickest = report.base_ms === null ? '' :
		` whose quickest answer takes ${formatMs(report.base_ms)}, as here`;
	get('bars-note').textContent = 'Here: from sending a message to its arrival, as measured, ' +
		`the middle of all. Clean: computed, for a path without proxies${quickest}. Each mark of ` +
		'the scale is ten times the one before it.';
	showBars(get('bars-list'), get('bars-axis'), pairUp(report, clean));
	showDetails(report, base, evidence);
	get('headline').focus();
}
