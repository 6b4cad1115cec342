// The page while a check runs, and its result. Draws what it is given, and remembers nothing.
import { pairUp, showBars } from './bars.js';
import { showCards } from './cards.js';
import { create, createRows, get } from './elements.js';
import { explainChoice, formatMs, getLevel, headlines, names, spell, steps,
	ways } from './words.js';
import { states } from './write.js';

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
		create('span', 'quiet', states[state ?? ''] ?? '…'));
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

/** @param {Report} report */
function showAdvice(report) {
	const { advice } = report;
	get('advice-list').replaceChildren(...advice.map((item) => create('li', {}, item)));
	get('advice-list').hidden = get('advice-copy').hidden = !advice.length;
	get('advice-none').hidden = advice.length > 0;
	get('advice-none').textContent = getLevel(report) === 'good' ? 'Nothing: no change is needed.' :
		'Nothing: this check found no change that would help.';
}

/** @param {Report} report @param {URL} base @param {Progress['evidence']} evidence */
function showDetails(report, base, evidence = []) {
	const { made, http, secure, base_ms: quickest, proxies, seconds } = report;
	/** @type {[string, string][]} */
	const rows = [
		['Gateway', base.href],
		['Checked',
			`${made.replace('T', ' ').replace('Z', ' UTC')}, in ${formatMs(seconds * 1000)}`],
		['HTTP version', `${http || 'not reported by the browser'}${secure ? ', over TLS' : ''}`],
		['Fastest small request', quickest === null ? 'no answer' : formatMs(quickest)],
		['Proxies seen', proxies.join('; ') || 'none identifies itself'],
		...evidence.map(({ what, saw }) => /** @type {[string, string]} */ ([what, saw])),
	];
	get('details-list').replaceChildren(...createRows(rows));
}

/** @param {Report} report @param {URL} base @param {Record<string, number | null>} clean ms
 * @param {Progress['evidence']} [evidence] */
export function showReport(report, base, clean, evidence) {
	showPhase('shown');
	showVerdict(report);
	showAdvice(report);
	get('code').textContent = report.code;
	get('code').setAttribute('aria-label', spell(report.code));
	showCards(get('cards'), report);
	const quickest = report.base_ms === null ? '' :
		` whose fastest answer also takes ${formatMs(report.base_ms)}`;
	get('bars-note').textContent = 'Here: the typical time from sending a message to its ' +
		`arrival, as measured. Clean: the same, computed for a path without proxies${quickest}. ` +
		'Each mark on the scale is ten times the previous one.';
	showBars(get('bars-list'), get('bars-axis'), pairUp(report, clean));
	showDetails(report, base, evidence);
	get('headline').focus();
}
