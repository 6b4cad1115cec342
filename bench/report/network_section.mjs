// The report's part about emulated networks: one picture of all, and for each network a verdict
// and its figures.
import { el, svg, tint } from './elements.mjs';
import {
	groupsOf, kindInWords, linkCostOf, lossInWords, mainRateOf, networksOf, ratesOf, TRANSPORTS,
	transportInWords,
} from './networks.mjs';
import { chartOf, keyOfChart } from './network_chart.mjs';
import { doubtMark, labelOf, scroller, section } from './page.mjs';
import { nearestTo, outlineOf } from './picture.mjs';
import { hasSeveralServers, refusal } from './results.mjs';
import { tableOf } from './tables.mjs';
import { verdictOf } from './verdict.mjs';
import { caseInWords, inWords, spreadInWords } from './words.mjs';

/** @typedef {import('./networks.mjs').Network} Network */
/** @typedef {import('./networks.mjs').Entry} Entry */
/** @typedef {import('./networks.mjs').Result} Result */
/** @typedef {import('./networks.mjs').Spread} Spread */
/** @typedef {import('./results.mjs').Report} Report */

/** @param {Report} report */
export function drawNetworks(report) {
	const networks = networksOf(report.results), rates = ratesOf(networks);
	if (!networks.length)
		return;
	const { element } = section('networks', 'Over emulated networks', 'The server and ' +
		'the clients run in two network namespaces. The link between them has the delay, loss ' +
		'and rate of the named network. Latency runs from the moment when a message is due at ' +
		'the server’s end until a subscriber has it.');
	if (rates.length)
		drawPicture(element, networks, rates, report);
	element.append(...networks.map((network) => block(report, network, rates)));
}

// ---- the picture of all ----

/** @param {any} host @param {Network[]} networks @param {number[]} rates @param {Report} report */
function drawPicture(host, networks, rates, report) {
	const servers = [...new Set(networks.map(({ server }) => server))];
	for (const server of servers) {
		const own = networks.filter((network) => network.server === server);
		const shown = { rate: mainRateOf(rates), transports: TRANSPORTS.filter((transport) =>
			own.some(({ entries }) => entries.some((entry) => entry.transport === transport))) };
		const chart = el('div', { class: 'chart' }), table = el('div');
		const draw = () => {
			chart.replaceChildren(chartOf(own, shown, chart.clientWidth));
			point(chart, table, null);
		};
		const change = () => {
			table.replaceChildren(pictureTable(own, shown.rate));
			draw();
		};
		host.append(...hasSeveralServers(report) ? [el('h3', {}, server)] : [],
			el('div', { class: 'controls' }, rateSwitch(rates, shown, server, change),
				transportSwitches([...shown.transports], shown, draw)),
			el('div', { class: 'beside' }, el('div', {}, chart, keyOfChart(own)), table));
		change();
		follow(chart, table, own);
		new ResizeObserver(draw).observe(chart);
	}
}

/** @param {number[]} rates @param {{ rate: number }} shown @param {string} server
 * @param {() => void} change */
function rateSwitch(rates, shown, server, change) {
	const said = el('span', { class: 'unseen', role: 'status' });
	const radios = rates.map((rate) => {
		const radio = el('input', { type: 'radio', name: `rate-${server}`, value: rate,
			checked: rate === shown.rate });
		radio.addEventListener('change', () => {
			shown.rate = rate;
			said.textContent = `Figures at ${rate} messages/s`;
			change();
		});
		return el('label', {}, radio, el('span', {}, String(rate)));
	});
	return el('fieldset', { class: 'rates' }, el('legend', {}, 'messages/s'), ...radios, said);
}

/** @param {string[]} transports @param {{ transports: string[] }} shown @param {() => void} draw */
function transportSwitches(transports, shown, draw) {
	return el('fieldset', { class: 'key' }, el('legend', { class: 'unseen' }, 'transports shown'),
		...transports.map((transport) => {
			const box = el('input', { type: 'checkbox', checked: true });
			box.addEventListener('change', () => {
				shown.transports = transports.filter((one) => one === transport ? box.checked :
					shown.transports.includes(one));
				draw();
			});
			return el('label', {}, box, svg('svg', { class: 'mark', width: 14, height: 14,
				'aria-hidden': 'true', style: tint(transport) },
			svg('path', { d: outlineOf(transport, 7, 7, 5) })), transportInWords(transport));
		}));
}

/** Shows which row and which place belong together. @param {any} chart @param {any} table
 * @param {number | null} index of the network */
function point(chart, table, index) {
	for (const list of [chart.querySelectorAll('.network'), table.querySelectorAll('tbody tr')])
		list.forEach((/** @type {Element} */ one, /** @type {number} */ i) =>
			one.classList.toggle('on', i === index));
}

/** @param {any} chart @param {any} table @param {Network[]} networks */
function follow(chart, table, networks) {
	chart.addEventListener('pointermove', (/** @type {PointerEvent} */ event) => {
		const lines = [...chart.querySelectorAll('.network line')];
		const places = lines.map((one) => ({ x: one.getBoundingClientRect().left }));
		point(chart, table, places.length ? nearestTo(places, event.clientX) : null);
	});
	table.addEventListener('pointerover', (/** @type {PointerEvent} */ event) => {
		const row = /** @type {Element} */ (event.target).closest('tbody tr');
		point(chart, table, row ? [...table.querySelectorAll('tbody tr')].indexOf(row) : null);
	});
	for (const host of [chart, table])
		host.addEventListener('pointerleave', () => point(chart, table, null));
}

// ---- tables ----

/** @param {Spread | undefined} spread @param {string} unit @param {boolean} isBest
 * @param {string} [below] instead of the range */
function cellOf(spread, unit, isBest, below = spread && spreadInWords(spread, unit)) {
	return el('td', { class: isBest && 'best' }, spread ? inWords(spread.median, unit) : '–',
		spread?.doubtful ? doubtMark() : null,
		below ? el('span', { class: 'spread' }, below) : null);
}

/** @param {Network[]} networks @param {number} rate */
function pictureTable(networks, rate) {
	const transports = TRANSPORTS.filter((transport) => networks.some(({ entries }) =>
		entries.some((entry) => entry.transport === transport)));
	const caption = `p50 at ${rate} message${rate === 1 ? '' : 's'}/s`;
	const row = (/** @type {Network} */ { kind, entries }) => {
		const best = groupsOf(entries, ({ latency }) => latency[rate]?.p50)[0] ?? [];
		return el('tr', {}, el('th', { scope: 'row' }, kind.name, el('span', { class: 'spread' },
			`${kind.rtt_ms} ms, ${kind.loss ? lossInWords(kind.loss) : 'no'} loss`)),
		...transports.map((transport) => {
			const entry = entries.find((one) => one.transport === transport);
			const { p50, p90 } = entry?.latency[rate] ?? {};
			return cellOf(p50, 'µs', best.some((one) => one.entry === entry),
				p90 ? inWords(p90.median, 'µs') : '');
		}));
	};
	return scroller(caption, el('table', { class: 'figures grouped' },
		el('caption', {}, caption,
			el('span', { class: 'server' }, '; p90 below it; bold: the lowest')),
		el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'network'),
			...transports.map((one) => el('th', { scope: 'col' }, transportInWords(one))))),
		el('tbody', {}, ...networks.map(row))));
}

/** @typedef {(entry: Entry) => Spread | undefined} Pick a figure */
/** @typedef {{ heading: string, unit: string, pick: Pick }} Column */

/** The columns of a network's table, in groups; those without a figure are left out.
 * @param {Entry[]} entries @param {number[]} rates @returns {[string, Column[]][]} */
function networkColumns(entries, rates) {
	const main = mainRateOf(rates);
	const cuts = [...new Set(entries.flatMap(({ recovery }) => Object.keys(recovery).map(Number)))]
		.sort((a, b) => a - b);
	/** @type {(heading: string, pick: Pick, unit?: string) => Column} */
	const column = (heading, pick, unit = 'µs') => ({ heading, unit, pick });
	/** @type {[string, Column[]][]} */
	const groups = [
		['latency p50', rates.map((rate) =>
			column(`${rate}/s`, ({ latency }) => latency[rate]?.p50))],
		[`at ${main}/s`, [column('p90', ({ latency }) => latency[main]?.p90),
			column('p99', ({ latency }) => latency[main]?.p99)]],
		['opening, p50', [column('subscribed', ({ connect }) => connect.p50),
			column('first message', ({ fresh }) => fresh.p50),
			column('resumed', ({ resumed }) => resumed.p50)]],
		['recovery after', cuts.map((cut) =>
			column(`${cut} s cut`, ({ recovery }) => recovery[cut]))],
		['publish', [column('p50', ({ publish }) => publish.p50)]],
		['bytes per message', [column('down', ({ bytes }) => bytes.down, 'B'),
			column('up', ({ bytes }) => bytes.up, 'B'),
			column('retransmitted', ({ bytes }) => bytes.again, 'B')]],
	];
	return groups.map(([title, columns]) => /** @type {[string, Column[]]} */ ([title,
		columns.filter(({ pick }) => entries.some(pick))])).filter(([, columns]) => columns.length);
}

/** @param {Report} report @param {Network} network @param {number[]} rates */
function networkTable(report, { kind, entries }, rates) {
	const groups = networkColumns(entries, rates), columns = groups.flatMap(([, list]) => list);
	const best = columns.map(({ pick }) => groupsOf(entries, pick)[0].map(({ entry }) => entry));
	const row = (/** @type {Entry} */ entry) => el('tr', {}, el('th', { scope: 'row' },
		labelOf(report, { ...entry.results[0], doubtful: undefined })),
	...columns.map(({ pick, unit }, i) => cellOf(pick(entry), unit,
		best[i].length < entries.length && best[i].includes(entry))));
	const heads = [el('tr', {}, el('td', {}), ...groups.map(([title, list]) =>
		el('th', { scope: 'colgroup', colspan: list.length }, title))),
	el('tr', {}, el('th', { scope: 'col' }, 'transport'), ...columns.map(({ heading }) =>
		el('th', { scope: 'col' }, heading)))];
	return scroller(`Figures of ${kind.name}`, el('table', { class: 'figures grouped' },
		el('colgroup', {}), ...groups.map(([, list]) => el('colgroup', { span: list.length })),
		el('thead', {}, ...heads),
		el('tbody', {}, ...entries.map(row))));
}

// ---- one network ----

/** Keeps values and their units in one line. @param {string} text */
function hold(text) {
	return text.replace(/(\d) (?=(?:[mµ]?s|[KM]?i?B|%|Mbit\/s)(?!\w))/g, '$1\u00a0');
}

/** @param {Report} report @param {Network} network @param {number[]} rates */
function block(report, network, rates) {
	const { kind, server, entries } = network;
	const { sentence, notes } = verdictOf(network);
	const name = hasSeveralServers(report) ? `${kind.name}, ${server}` : kind.name;
	const cost = linkCostOf(network);
	return el('div', { class: 'of-network' },
		el('h3', {}, name, ' ', el('span', { class: 'server' }, hold(kindInWords(kind)))),
		el('p', { class: 'verdict' }, hold(sentence)),
		notes.length ? el('ul', { class: 'plain' },
			...notes.map((note) => el('li', {}, hold(note)))) : null,
		networkTable(report, network, rates),
		cost ? el('p', { class: 'note' }, hold(cost)) : null,
		...refusals(network),
		everything(report, network));
}

/** @param {Network} network @returns {Result[]} */
function resultsIn({ entries }) {
	return entries.flatMap(({ results }) => results);
}

/** The results without figures, and why. @param {Network} network */
function refusals(network) {
	const missing = resultsIn(network).filter(refusal);
	return missing.length ? [el('ul', { class: 'plain note' }, ...missing.map((result) =>
		el('li', {}, `${[transportInWords(result.transport), result.scenario,
			caseInWords(result.case)].filter(Boolean).join(', ')}: ${refusal(result)}`)))] : [];
}

/** All figures, made when they are asked for: of six networks they are some fifty tables.
 * @param {Report} report @param {Network} network */
function everything(report, network) {
	const details = el('details', {}, el('summary', {}, `all figures of ${network.kind.name}`));
	details.addEventListener('toggle', () => {
		/** @type {Map<string, Result[]>} */
		const tables = new Map();
		for (const result of resultsIn(network)) {
			const caption = [result.scenario, caseInWords(result.case)].filter(Boolean).join(': ');
			tables.set(caption, [...tables.get(caption) ?? [], result]);
		}
		details.append(...[...tables].map(([caption, results]) =>
			tableOf(report, results[0].scenario, results, caption)));
	}, { once: true });
	return details;
}
