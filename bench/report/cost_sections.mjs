// Costs as bars: CPU of a delivery, bytes of a message, memory of a connection.
import { bar, keyOf, stack, sum } from './bars.mjs';
import { el } from './elements.mjs';
import { chooser, labelOf, section } from './page.mjs';
import { casesOf, figure, has, hasSeveralServers, refusal, resultsOf } from './results.mjs';
import { tableOf } from './tables.mjs';
import { caseInWords, inWords, spreadInWords } from './words.mjs';

/** @typedef {import('./results.mjs').Report} Report */
/** @typedef {import('./networks.mjs').Result} Result */
/** @typedef {import('./bars.mjs').Parts} Parts */

const KINDS = [['payload', 'payload'], ['framing', 'frames, events, JSON'],
	['heads', 'HTTP heads'], ['tcp_ip', 'TCP/IP headers'], ['tls', 'TLS']];
const MEMORY = [['process_kib', 'in the process'], ['kernel_slab_kib', 'kernel objects'],
	['kernel_socket_kib', 'socket buffers']];

// ---- CPU ----

/** @param {Report} report */
export function drawCpu(report) {
	const cases = casesOf(report, 'fanout'), all = resultsOf(report, 'fanout');
	if (!has(all, 'cpu_us_per_delivery'))
		return;
	const { element } = section('cpu', 'CPU per delivery', 'The CPU time that the server’s ' +
		'process spends to deliver one message to one subscriber, system calls included. A send ' +
		'that wakes a sleeping receiver costs several times as much. In this run the receivers ' +
		`${report.settings.busy_polling ? 'polled their core' : 'slept'}. The wake-ups per ` +
		'delivery stand below each figure. The thin line is the range of the repeats. All bars ' +
		'have the same scale.');
	const widest = Math.max(...all.map((result) =>
		figure(result, 'cpu_us_per_delivery')?.max ?? 0));
	const what = { name: 'cpu_us_per_delivery', unit: 'µs', widest };
	element.append(el('div', { class: 'blocks' }, ...cases.map(({ params, results }) =>
		el('div', {}, el('h3', {}, caseInWords(params)), el('div', { class: 'bars' },
			...results.flatMap((result) => bar(report, result, what)))))));
	element.append(el('details', {}, el('summary', {}, 'all figures'),
		...cases.map(({ params, results }) =>
			tableOf(report, 'fanout', results, caseInWords(params)))));
}

// ---- bytes ----

/** @param {Result} result @param {string} direction @returns {Parts} */
function bytesOf(result, direction) {
	return KINDS.map(([kind]) => [kind, figure(result, `${direction}_${kind}`)?.median ?? 0]);
}

/** @param {Report} report @param {Result} result @param {number} widest */
function bytesRows(report, result, widest) {
	const rows = [el('span', { class: 'group' }, labelOf(report, result))];
	if (refusal(result))
		return [...rows, el('span', { class: 'said' }, refusal(result))];
	for (const [direction, arrow] of [['down', '↓'], ['up', '↑']]) {
		const parts = bytesOf(result, direction);
		const meaning = direction === 'down' ? 'to the client' : 'from the client';
		rows.push(el('span', { title: meaning }, arrow), stack(parts, widest, true),
			el('span', {}, inWords(sum(parts), 'B')));
	}
	return rows;
}

/** @param {Report} report */
export function drawBytes(report) {
	const all = resultsOf(report, 'overhead');
	const cases = casesOf(report, 'overhead').filter(({ results }) => has(results, 'down_payload'));
	if (!cases.length)
		return;
	const { element, head } = section('bytes', 'Bytes per message', 'The bytes on the wire for ' +
		'each delivered message, to the client (↓) and from the client (↑).');
	const kinds = KINDS.filter(([kind]) => has(all, `down_${kind}`) && all.some((result) =>
		figure(result, `down_${kind}`)?.median || figure(result, `up_${kind}`)?.median));
	const host = el('div', { class: 'bars' }), rest = el('div');
	element.append(keyOf(kinds), host, breakEven(report),
		el('details', {}, el('summary', {}, 'all figures'), rest));
	chooser(head, cases, ({ results }) => {
		const widest = Math.max(...results.flatMap((result) =>
			['down', 'up'].map((direction) => sum(bytesOf(result, direction)))));
		host.replaceChildren(...results.flatMap((result) => bytesRows(report, result, widest)));
		rest.replaceChildren(tableOf(report, 'overhead', results));
	});
}

/** @param {Report} report */
function breakEven(report) {
	return el('div', {}, ...resultsOf(report, 'break-even').flatMap((result) => {
		const spread = figure(result, 'rate_per_s');
		if (!spread)
			return [];
		const range = spreadInWords(spread, '/s');
		const where = hasSeveralServers(report) ? ` on ${result.server}` : '';
		return [el('p', {}, `Long-poll and short poll${where} carry the same bytes at `,
			el('strong', {}, `${spread.median.toFixed(2)} messages a second`),
			`${range ? ` (${range})` : ''}, with ${caseInWords(result.case)}. Above ` +
			'that rate short poll needs fewer bytes.')];
	}));
}

// ---- memory ----

/** @param {Result} result @returns {Parts} */
function memoryOf(result) {
	return MEMORY.map(([name]) => [name, Math.max(0, figure(result, name)?.median ?? 0)]);
}

/** @param {Report} report @param {Result} result @param {number} widest */
function memoryRow(report, result, widest) {
	const label = labelOf(report, result), why = refusal(result), parts = memoryOf(result);
	return why ? [label, el('span', { class: 'said' }, why)] :
		[label, stack(parts, widest), el('span', {}, inWords(sum(parts), 'KiB'))];
}

/** @param {Report} report */
export function drawMemory(report) {
	const cases = casesOf(report, 'idle').filter(({ results }) => has(results, 'process_kib'));
	if (!cases.length)
		return;
	const { element } = section('memory', 'Memory per connection', 'Memory of an open connection ' +
		'that carries nothing but heartbeats.');
	element.append(keyOf(MEMORY));
	for (const { params, results } of cases) {
		const widest = Math.max(...results.map((result) => sum(memoryOf(result))));
		element.append(el('h3', {}, caseInWords(params)), el('div', { class: 'bars' },
			...results.flatMap((result) => memoryRow(report, result, widest))),
		tableOf(report, 'idle', results));
	}
}
