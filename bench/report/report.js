// Draws the report that is embedded in this page. A page opened from disk can load no module:
// scripts/assemble-report joins this one and those it imports into a single script.
import { el, tint } from './elements.mjs';
import { TRANSPORTS } from './networks.mjs';
import { drawNetworks } from './network_section.mjs';
import { caseInWords, decades, digits, inWords, plain, spreadInWords } from './words.mjs';

const report = JSON.parse(document.getElementById('report').textContent);
const KINDS = [['payload', 'payload'], ['framing', 'frames, events, JSON'], ['heads', 'HTTP heads'],
	['tcp_ip', 'TCP/IP headers'], ['tls', 'TLS']];
const MEMORY = [['process_kib', 'in the process'], ['kernel_slab_kib', 'kernel objects'],
	['kernel_socket_kib', 'socket buffers']];
const BEYOND = 10; // samples beyond a percentile, or it is not shown
const several = new Set(report.results.map((result) => result.server)).size > 1;
const scheme = matchMedia('(prefers-color-scheme: dark)');
const main = document.getElementById('main');

// ---- elements ----

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function section(id, title, text) {
	const head = el('div', { class: 'head' }, el('h2', {}, title));
	const element = el('section', { id }, head, text ? el('p', {}, text) : null);
	main.append(element);
	document.getElementById('contents').append(el('a', { href: `#${id}` }, title));
	return { element, head };
}

// ---- results in words ----

function nameOf(result) {
	return several ? `${result.transport}, ${result.server}` : result.transport;
}

function labelOf(result) {
	const label = el('span', { class: 'name' }, el('span', { class: 'swatch', style: tint(result.transport) }),
		result.transport);
	if (several)
		label.append(' ', el('span', { class: 'server' }, result.server));
	if (result.doubtful)
		label.append(el('abbr', { class: 'doubtful', title: 'the generator was saturated: the figure may be its own' }, '!'));
	return label;
}

// ---- results ----

function resultsOf(scenario) {
	return report.results.filter((result) => result.scenario === scenario);
}

// The results of a scenario by case, in the order in which they were measured.
function casesOf(scenario) {
	const cases = new Map();
	for (const result of resultsOf(scenario)) {
		const params = { ...result.network && { network: result.network.name }, ...result.case };
		const key = JSON.stringify(params);
		if (!cases.has(key))
			cases.set(key, { params, results: [] });
		cases.get(key).results.push(result);
	}
	return [...cases.values()];
}

function figure(result, name) {
	return result.summary[name];
}

function has(results, name) {
	return results.some((result) => figure(result, name));
}

// Why a result has no figures, or nothing.
function refusal(result) {
	if (Object.keys(result.summary).length)
		return '';
	if (result.refused)
		return `${result.refused}: no figures, they would be of less work`;
	const failed = result.repeats.find((repeat) => repeat.error);
	const skipped = result.repeats.find((repeat) => repeat.skipped);
	return failed ? `failed: ${failed.error}` : skipped ? skipped.skipped : 'no figures';
}

// A choice among cases that draws the chosen one; of one case there is nothing to choose.
function chooser(head, cases, draw) {
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

// ---- plots over uPlot ----

const plots = [];

// `build(width)` returns options and data; drawn again when the page or the scheme changes.
function plot(host, build) {
	const entry = { host, build, chart: null };
	plots.push(entry);
	redraw(entry);
}

// Empties `host` and forgets the plots in it.
function forget(host) {
	for (let i = plots.length; i-- > 0;)
		if (host.contains(plots[i].host))
			plots.splice(i, 1)[0].chart?.destroy();
	host.replaceChildren();
}

// A build that could not get uPlot from npm makes a report of figures alone.
function redraw(entry) {
	if (typeof uPlot === 'undefined') {
		entry.host.replaceChildren(el('p', { class: 'server' }, 'No plot: uPlot is missing. Build again ' +
			'with `make www` when npm can reach its registry; `sluice-bench` then plots this.'));
		return;
	}
	entry.chart?.destroy();
	const { options, data } = entry.build(entry.host.clientWidth);
	entry.chart = new uPlot({ width: entry.host.clientWidth, ...options }, data, entry.host);
}

let resizing = 0;
addEventListener('resize', () => {
	clearTimeout(resizing);
	resizing = setTimeout(() => plots.forEach(({ chart, host }) =>
		chart?.setSize({ width: host.clientWidth, height: chart.height })), 100);
});
scheme.addEventListener('change', () => plots.forEach(redraw));

function axis(more) {
	return { stroke: colour('quiet'), grid: { stroke: colour('line'), width: 1 },
		ticks: { stroke: colour('line'), width: 1 }, font: '12px system-ui, sans-serif',
		labelFont: '12px system-ui, sans-serif', ...more };
}

const DASHES = [undefined, [7, 4], [2, 3], [9, 3, 2, 3], [12, 5], [4, 2]];

function dashOf(result) {
	const servers = [...new Set(report.results.map((other) => other.server))];
	return DASHES[servers.indexOf(result.server) % DASHES.length];
}

function strokeOf(result) {
	return colour(TRANSPORTS.includes(result.transport) ? result.transport : 'other');
}

// ---- latency ----

// A histogram's value at each 1/(1-p) of `places`; nothing where too few samples lie beyond.
function curve(histogram, places) {
	const total = histogram.reduce((sum, [, count]) => sum + count, 0);
	let at = 0, seen = histogram[0]?.[1] ?? 0;
	return places.map((place) => {
		const rank = Math.max(1, Math.ceil(total * (1 - 1 / place) - 1e-9));
		if (total - rank < BEYOND)
			return null;
		while (seen < rank)
			seen += histogram[++at][1];
		return Math.max(histogram[at][0], .1);
	});
}

function merged(histograms) {
	const sums = new Map();
	for (const histogram of histograms)
		for (const [upper, count] of histogram)
			sums.set(upper, (sums.get(upper) ?? 0) + count);
	return [...sums].sort((a, b) => a[0] - b[0]);
}

function histogramsOf(result) {
	return result.refused ? [] : result.repeats.map((repeat) => repeat.histogram).filter((list) => list?.length);
}

function extreme(curves, pick) {
	return curves[0].map((_, i) => {
		const values = curves.map((values) => values[i]);
		return values.includes(null) ? null : pick(...values);
	});
}

function latencyPlot({ results }) {
	const shown = results.filter((result) => histogramsOf(result).length);
	const most = Math.max(...shown.map((result) => merged(histogramsOf(result)).reduce((sum, [, n]) => sum + n, 0)));
	const end = Math.max(20, most / BEYOND), steps = 240;
	const places = Array.from({ length: steps + 1 }, (_, i) => end ** (i / steps));
	const data = [places], series = [{ label: 'percentile',
		value: (_, place) => place === null ? '–' : percent(place) }], bands = [];
	for (const result of shown) {
		const each = histogramsOf(result).map((histogram) => curve(histogram, places));
		const stroke = strokeOf(result);
		data.push(curve(merged(histogramsOf(result)), places));
		series.push({ label: nameOf(result), stroke, width: 2, dash: dashOf(result), spanGaps: false,
			points: { show: false }, value: (_, us) => us === null ? '–' : inWords(us, 'µs') });
		if (each.length > 1) {
			data.push(extreme(each, Math.max), extreme(each, Math.min));
			const edge = { class: 'band', stroke: 'transparent', width: 0, points: { show: false } };
			series.push(edge, { ...edge });
			bands.push({ series: [series.length - 2, series.length - 1], fill: `${stroke}22` });
		}
	}
	return { data, options: { height: 380, series, bands, cursor: { drag: { x: false, y: false } },
		scales: { x: { time: false, distr: 3, range: [1, end] }, y: { distr: 3 } },
		axes: [
			axis({ label: 'percentile of the deliveries', values: (_, splits) => splits.map(percent),
				splits: ({ width }) => percentilesTo(end, width), filter: (_, splits) => splits }),
			axis({ size: 64, splits: (_, index, from, to) => decades(from, to), filter: (_, splits) => splits,
				values: (_, splits) => splits.map(plain) }),
		],
		hooks: { setSeries: [toggleBand] },
		legend: { markers: { dash: (chart, i) => chart.series[i].dash ? 'dashed' : 'solid' } } } };
}

// A band goes with its line.
function toggleBand(chart, index, changed) {
	if (index === null || changed.show === undefined || chart.series[index].class === 'band')
		return;
	for (let i = index + 1; chart.series[i]?.class === 'band'; i++)
		if (chart.series[i].show !== changed.show)
			chart.setSeries(i, { show: changed.show });
}

function percentilesTo(end, width) {
	const places = width < 600 ? [2] : [1, 2, 4];
	for (let place = 10; place <= end; place *= 10)
		places.push(place);
	return places;
}

function percent(place) {
	const nines = Math.max(0, Math.ceil(Math.log10(place) - 1e-6) - 2);
	return `${(100 * (1 - 1 / place)).toFixed(nines)} %`;
}

function drawLatency() {
	const cases = casesOf('latency').filter(({ results }) => results.some((result) => histogramsOf(result).length));
	if (!cases.length)
		return;
	const { element, head } = section('latency', 'Latency', 'From the moment a message was due to be ' +
		'published until a subscriber has it, at a fixed rate that nothing slows down: a stall is in the figure of ' +
		'every message that was due meanwhile. Both axes are logarithmic. The line is all repeats together, the ' +
		'wash their range; it ends where fewer than ten samples lie beyond.');
	const host = el('div', { class: 'figure' }), rest = el('div');
	element.append(host, rest);
	let chosen = cases[0];
	chooser(head, cases, (one) => {
		chosen = one;
		rest.replaceChildren(tableOf('latency', one.results));
		plots.filter((entry) => entry.host === host).forEach(redraw);
	});
	plot(host, () => latencyPlot(chosen));
}

// ---- bars ----

function whisker(spread, widest) {
	return spread.count > 1 ? el('b', { style: { left: `${100 * spread.min / widest}%`,
		width: `${100 * (spread.max - spread.min) / widest}%` } }) : null;
}

// What a sleeping receiver adds to the figure is said beside it.
function wakeupsOf(result) {
	const spread = figure(result, 'wakeups_per_delivery');
	return spread ? el('span', { class: 'spread' },
		`${inWords(spread.median, 'ratio')} wake-ups`) : null;
}

function bar(result, name, unit, widest) {
	const spread = figure(result, name);
	if (!spread)
		return [labelOf(result), el('span', { class: 'said' }, refusal(result) || '–')];
	return [labelOf(result), el('span', { class: 'bar' },
		el('i', { style: { ...tint(result.transport), width: `${100 * spread.median / widest}%` } }),
		whisker(spread, widest)),
	el('span', {}, inWords(spread.median, unit), wakeupsOf(result))];
}

function drawCpu() {
	const cases = casesOf('fanout');
	if (!has(resultsOf('fanout'), 'cpu_us_per_delivery'))
		return;
	const { element } = section('cpu', 'CPU a delivery', 'What the server spends to hand one ' +
		'message to one subscriber: CPU time of its process, system calls included. A send that ' +
		'wakes a sleeping receiver costs several times as much; the receivers ' +
		`${report.settings.busy_polling ? 'polled their core' : 'slept'}, and how often a send ` +
		'woke one stands below each figure. The thin line is the range of the repeats. All bars ' +
		'have one scale.');
	const widest = Math.max(...resultsOf('fanout').map((result) => figure(result, 'cpu_us_per_delivery')?.max ?? 0));
	element.append(el('div', { class: 'blocks' }, ...cases.map(({ params, results }) => el('div', {},
		el('h3', {}, caseInWords(params)),
		el('div', { class: 'bars' },
			...results.flatMap((result) => bar(result, 'cpu_us_per_delivery', 'µs', widest)))))));
	element.append(el('details', {}, el('summary', {}, 'all figures'),
		...cases.map(({ params, results }) => tableOf('fanout', results, caseInWords(params)))));
}

function stack(parts, widest, thin) {
	return el('span', { class: thin ? 'bar thin' : 'bar' }, ...parts.filter(([, value]) => value > 0).map(
		([name, value]) => el('i', { title: `${name}: ${digits(value, value)}`,
			style: { '--tint': `var(--${name})`, width: `${100 * value / widest}%` } })));
}

function keyOf(kinds) {
	return el('ul', { class: 'key' }, ...kinds.map(([name, words]) =>
		el('li', {}, el('span', { class: 'swatch', style: { '--tint': `var(--${name})` } }), words)));
}

function bytesOf(result, direction) {
	return KINDS.map(([kind]) => [kind, figure(result, `${direction}_${kind}`)?.median ?? 0]);
}

function sum(parts) {
	return parts.reduce((total, [, value]) => total + value, 0);
}

function bytesRows(result, widest) {
	const rows = [el('span', { class: 'group' }, labelOf(result))];
	if (refusal(result))
		return [...rows, el('span', { class: 'said' }, refusal(result))];
	for (const [direction, arrow] of [['down', '↓'], ['up', '↑']]) {
		const parts = bytesOf(result, direction);
		rows.push(el('span', { title: direction === 'down' ? 'to the client' : 'from the client' }, arrow),
			stack(parts, widest, true), el('span', {}, inWords(sum(parts), 'B')));
	}
	return rows;
}

function drawBytes() {
	const all = resultsOf('overhead');
	const cases = casesOf('overhead').filter(({ results }) => has(results, 'down_payload'));
	if (!cases.length)
		return;
	const { element, head } = section('bytes', 'Bytes a message', 'What the wire carries for each message ' +
		'delivered, to the client (↓) and from it (↑).');
	const kinds = KINDS.filter(([kind]) => has(all, `down_${kind}`) && all.some((result) =>
		figure(result, `down_${kind}`)?.median || figure(result, `up_${kind}`)?.median));
	const host = el('div', { class: 'bars' }), rest = el('div');
	element.append(keyOf(kinds), host, breakEven(resultsOf('break-even')), el('details', {}, el('summary', {}, 'all figures'), rest));
	chooser(head, cases, ({ results }) => {
		const widest = Math.max(...results.flatMap((result) =>
			['down', 'up'].map((direction) => sum(bytesOf(result, direction)))));
		host.replaceChildren(...results.flatMap((result) => bytesRows(result, widest)));
		rest.replaceChildren(tableOf('overhead', results));
	});
}

function breakEven(results) {
	const found = results.filter((result) => figure(result, 'rate_per_s'));
	return el('div', {}, ...found.map((result) => {
		const spread = figure(result, 'rate_per_s'), range = spreadInWords(spread, '/s');
		return el('p', {}, `Long-poll and short poll${several ? ` on ${result.server}` : ''} carry the same bytes at `,
			el('strong', {}, `${spread.median.toFixed(2)} messages a second`),
			`${range ? ` (${range})` : ''}, with ${caseInWords(result.case)}; above that short poll is cheaper.`);
	}));
}

function drawMemory() {
	const cases = casesOf('idle').filter(({ results }) => has(results, 'process_kib'));
	if (!cases.length)
		return;
	const { element } = section('memory', 'Memory a connection', 'An open connection on which nothing ' +
		'happens but heartbeats.');
	element.append(keyOf(MEMORY));
	for (const { params, results } of cases) {
		const parts = (result) => MEMORY.map(([name]) => [name, Math.max(0, figure(result, name)?.median ?? 0)]);
		const widest = Math.max(...results.map((result) => sum(parts(result))));
		element.append(el('h3', {}, caseInWords(params)), el('div', { class: 'bars' }, ...results.flatMap((result) =>
			refusal(result) ? [labelOf(result), el('span', { class: 'said' }, refusal(result))] :
				[labelOf(result), stack(parts(result), widest), el('span', {}, inWords(sum(parts(result)), 'KiB'))])),
		tableOf('idle', results));
	}
}

// ---- timeline ----

function timelinesOf(scenario) {
	return casesOf(scenario).map(({ params, results }) => ({ params, scenario,
		results: results.filter((result) => result.repeats.some((repeat) => repeat.timeline?.length)) }))
		.filter(({ results }) => results.length);
}

// One plot a result, all with the same axes and one cursor.
function timelinePlot(result, end, most, isLast, said) {
	const line = new Map(result.repeats.find((repeat) => repeat.timeline?.length).timeline);
	const data = [[], []];
	for (let ms = 0; ms <= end; ms += 10) {
		data[0].push(ms);
		data[1].push(line.get(ms) ?? 0);
	}
	const stroke = strokeOf(result);
	return { data, options: { height: isLast ? 124 : 92, padding: [8, 20, isLast ? 0 : 10, 0], legend: { show: false },
		cursor: { sync: { key: 'timeline' } }, hooks: { setCursor: [({ cursor: { idx } }) => {
			said.textContent = idx === null || idx === undefined ? '' :
				`${data[1][idx].toLocaleString('en')} after ${plain(data[0][idx] * 1000)}`;
		}] },
		scales: { x: { time: false, range: (_, from, to) => [from, to] }, y: { range: [0, most * 1.05] } },
		series: [{}, { stroke, fill: `${stroke}33`, width: 1.25, paths: uPlot.paths.stepped({ align: 1 }),
			points: { show: false } }],
		axes: [axis({ show: isLast, values: (_, splits) => splits.map((ms) => plain(ms * 1000)) }),
			axis({ size: 56, space: 28, values: (_, splits) => splits.map((count) => count.toLocaleString('en')) })] } };
}

function drawTimelines(host, { results }) {
	const times = results.flatMap((result) => result.repeats.find((repeat) => repeat.timeline?.length).timeline);
	const end = Math.max(...times.map(([ms]) => ms)), most = Math.max(...times.map(([, count]) => count));
	forget(host);
	results.forEach((result, i) => {
		const place = el('div'), said = el('span', { class: 'server' });
		host.append(el('h3', {}, labelOf(result), said), place);
		plot(place, () => timelinePlot(result, end, most, i === results.length - 1, said));
	});
}

function drawTimeline() {
	const cases = ['fanout', 'latency', 'channels'].flatMap(timelinesOf);
	if (!cases.length)
		return;
	const { element, head } = section('timeline', 'Timeline of deliveries', 'Deliveries in each 10 ms, ' +
		'from the first due time; the first repeat. Polls deliver when they ask. Drag to look closer, ' +
		'double-click to come back.');
	const host = el('div', { class: 'timelines' });
	element.append(host);
	chooser(head, cases, (one) => drawTimelines(host, one));
}

// ---- tables ----

function columnsOf(scenario, results) {
	return (report.figures[scenario] ?? []).filter(({ name }) => has(results, name) &&
		(!name.endsWith('_tls') || results.some((result) => figure(result, name)?.median)));
}

function cell(result, { name, unit }) {
	const spread = figure(result, name);
	const range = spread ? spreadInWords(spread, unit) : '';
	return el('td', {}, spread ? inWords(spread.median, unit) : '–',
		range ? el('span', { class: 'spread' }, range) : null);
}

function rowOf(result, columns) {
	const why = refusal(result);
	return el('tr', {}, el('th', { scope: 'row' }, labelOf(result)), ...why ?
		[el('td', { class: result.repeats.every((repeat) => repeat.skipped) ? 'none' : 'said', colspan: columns.length }, why)] :
		columns.map((column) => cell(result, column)));
}

function tableOf(scenario, results, caption) {
	const columns = columnsOf(scenario, results);
	return el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption ?? scenario },
		el('table', { class: 'figures' },
		caption ? el('caption', {}, caption) : null,
		el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'transport'),
			...columns.map(({ heading, meaning }) => el('th', { scope: 'col', title: meaning }, heading)))),
		el('tbody', {}, ...results.map((result) => rowOf(result, columns)))));
}

function drawTables(scenario, title, text) {
	const cases = casesOf(scenario);
	if (!cases.length)
		return;
	const { element } = section(scenario, title, text);
	for (const { params, results } of cases)
		element.append(tableOf(scenario, results, caseInWords(params)));
}

// One line a transport: of each scenario the figure one would ask for first.
const GLANCE = [
	['latency', 'p50_us', 'latency p50', 'µs'], ['latency', 'p99_us', 'p99', 'µs'],
	['fanout', 'cpu_us_per_delivery', 'CPU a delivery', 'µs'],
	['fanout', 'wakeups_per_delivery', 'wake-ups a delivery', 'ratio'],
	['overhead', 'down_total', 'bytes down', 'B'], ['overhead', 'up_total', 'bytes up', 'B'],
	['idle', 'process_kib', 'memory', 'KiB'], ['connect', 'first_message_p50_us', 'first message', 'µs'],
];

function drawGlance() {
	const first = (scenario, result) => casesOf(scenario).flatMap(({ results }) => results).find((other) =>
		other.transport === result.transport && other.server === result.server);
	const columns = GLANCE.filter(([scenario, name]) => has(resultsOf(scenario), name));
	const rows = [...new Map(report.results.filter((result) => TRANSPORTS.includes(result.transport))
		.map((result) => [nameOf(result), result])).values()];
	if (!columns.length || !rows.length)
		return;
	const { element } = section('glance', 'At a glance', 'Medians of the repeats, each of the first case below: ' +
		[...new Set(columns.map(([scenario]) => scenario))].map((scenario) =>
			`${scenario.replace('fanout', 'fan-out')}: ${caseInWords(casesOf(scenario)[0].params)}`).join('; ') + '.');
	element.append(el('div', { class: 'scroll' }, el('table', { class: 'figures' },
		el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'transport'),
			...columns.map(([, , heading]) => el('th', { scope: 'col' }, heading)))),
		el('tbody', {}, ...rows.map((row) => el('tr', {}, el('th', { scope: 'row' }, labelOf(row)),
			...columns.map(([scenario, name, , unit]) => {
				const result = first(scenario, row);
				return result ? cell(result, { name, unit }) : el('td', {}, '–');
			})))))));
}

// ---- what it was measured on and with ----

function fact(title, value, wide) {
	if (value !== undefined && value !== '')
		document.getElementById('facts').append(el('div', wide ? { class: 'wide' } : {},
			el('dt', {}, title), el('dd', {}, value)));
}

function drawHead() {
	const { machine, settings, versions } = report;
	const count = Math.max(0, ...report.results.map((result) => result.repeats.length));
	document.getElementById('lead').textContent = `Measured ${report.started.replace('T', ' ').replace('Z', ' UTC')} by ` +
		`${report.bench}. ${count > 1 ? `Every figure is the median of ${count} repeats, its range beside it; ` +
		'the transports took turns within each repeat, so that drift of the machine hits all alike.' :
			'One repeat: a look, not a measurement.'}`;
	fact('Command', el('code', {}, report.command), true);
	fact('Processor', machine.cpu && `${machine.cpu}, ${machine.cores} core${machine.cores === 1 ? '' : 's'}`);
	fact('Kernel', machine.kernel);
	fact('Memory', machine.memory_mib && `${(machine.memory_mib / 1024).toFixed(1)} GiB`);
	fact('Load before', machine.load_before?.toFixed(2));
	fact('Server', settings.target);
	fact('Receivers', settings.busy_polling ? 'poll their core' : 'sleep');
	fact('Versions', Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '), true);
	document.title = `sluice-bench, ${report.started.slice(0, 10)}`;
}

function drawAgainst() {
	const { against } = report;
	if (!against)
		return;
	const { element } = section('against', 'New against old', `What the new gateway takes of the old one’s ` +
		'CPU time, time and memory: medians of the ratios within a repeat, their range beside them. ' +
		`New: ${against.new}. Old: ${against.old}.`);
	const unitOf = ({ scenario, figure: name }) => report.figures[scenario].find((one) => one.name === name).unit;
	const value = (row, which) => el('td', {}, row[which] === null ? '–' : inWords(row[which], unitOf(row)));
	element.append(el('div', { class: 'scroll' }, el('table', { class: 'figures' },
		el('thead', {}, el('tr', {}, ...['', 'new', 'old', 'new / old', ''].map((heading) =>
			el('th', { scope: 'col' }, heading)))),
		el('tbody', {}, ...against.ratios.map((row) => el('tr', {}, el('th', { scope: 'row' }, row.title),
			value(row, 'new'), value(row, 'old'),
			el('td', {}, row.ratio.count ? row.ratio.median.toFixed(2) : '–', row.ratio.count > 1 ?
				el('span', { class: 'spread' }, `${row.ratio.min.toFixed(2)}–${row.ratio.max.toFixed(2)}`) : null),
			el('td', {}, row.verdict ?? '')))))));
}

// What TLS or tokens cost, beside what they may cost: `names` are those of a row's two figures.
function drawCost(id, title, text, lines, names, headings) {
	const { element } = section(id, title, `${text} Measured by ${report.command}`);
	const unitOf = ({ scenario, figure: name }) => report.figures[scenario].find((one) => one.name === name).unit;
	const value = (row, which) => el('td', {}, row[which] ? inWords(row[which].median, unitOf(row)) : '–',
		row[which]?.count > 1 ? el('span', { class: 'spread' }, spreadInWords(row[which], unitOf(row))) : null);
	const ratio = ({ ratio: { median, min, max, count } }) => el('td', {}, count ? median.toFixed(2) : '–', count > 1 ?
		el('span', { class: 'spread' }, `${min.toFixed(2)}–${max.toFixed(2)}`) : null);
	const limit = (row) => row.limit === null ? '' :
		row.held === 'ratio' ? row.limit.toFixed(2) : inWords(row.limit, unitOf(row));
	element.append(el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': title },
		el('table', { class: 'figures' },
			el('thead', {}, el('tr', {}, ...['', ...headings, 'at most', ''].map((heading) =>
				el('th', { scope: 'col' }, heading)))),
			el('tbody', {}, ...lines.map((row) => el('tr', {},
				el('th', { scope: 'row' }, row.algorithm ? `${row.title}, ${row.algorithm}` : row.title),
				...names.map((name) => value(row, name)), ratio(row), el('td', {}, limit(row)),
				el('td', { class: row.verdict === 'over' ? 'over' : '' }, row.verdict)))))));
}

function drawTls() {
	if (report.tls)
		drawCost('tls', 'What TLS costs', 'The same gateway over https and over http, by turns: medians of the ' +
			'repeats, and of the ratios within a repeat, their range beside them. “At most” holds the ratio; of ' +
			'memory the median, of turns and records the highest, over https. Delivered messages are longer in ' +
			'the clear by as much as a record adds, so that the wire carries the same bytes.',
		report.tls.lines, ['tls', 'clear'], ['https', 'http', 'https / http']);
}

function drawTokens() {
	if (report.tokens)
		drawCost('tokens', 'What tokens cost', 'The same gateway with tokens and without, by turns: medians of ' +
			'the repeats, and of the ratios within a repeat, their range beside them. “At most” holds the ' +
			'ratio; of memory the median, of turns the highest, with tokens. The crowd’s time is compressed: ' +
			'its clients renew within seconds, and its tokens end as soon as all streams are open.',
		report.tokens.lines, ['with', 'without'], ['token', 'none', 'token / none']);
}

// Clients of Socket.IO beside the gateway's own, and the same clients on their own server.
function drawClients() {
	if (!report.clients)
		return;
	const title = 'What clients of Socket.IO cost';
	const { element } = section('clients', title, 'The same clients on the gateway and on Socket.IO’s own server, beside ' +
		'the gateway’s own clients (json), by turns: medians of the repeats, and of the ratios within a repeat, their ' +
		'range beside them. “At most” holds the ratio to the gateway’s own clients; of upgrades the median. ' +
		`Measured by ${report.command}`);
	const unitOf = ({ scenario, figure: name }) => report.figures[scenario].find((one) => one.name === name).unit;
	const value = (row, which) => el('td', {}, row[which] ? inWords(row[which].median, unitOf(row)) : '–',
		row[which]?.count > 1 ? el('span', { class: 'spread' }, spreadInWords(row[which], unitOf(row))) : null);
	const ratio = ({ median, min, max, count }) => el('td', {}, count ? median.toFixed(2) : '–', count > 1 ?
		el('span', { class: 'spread' }, `${min.toFixed(2)}–${max.toFixed(2)}`) : null);
	const limit = (row) => row.held === 'ratio' ? row.limit.toFixed(2) : inWords(row.limit, unitOf(row));
	const heads = ['', 'native', 'clients', 'clients / native', 'at most', '', 'Node', 'Node / clients'];
	element.append(el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': title },
		el('table', { class: 'figures' },
			el('thead', {}, el('tr', {}, ...heads.map((heading) => el('th', { scope: 'col' }, heading)))),
			el('tbody', {}, ...report.clients.lines.map((row) => el('tr', {}, el('th', { scope: 'row' }, row.title),
				value(row, 'native'), value(row, 'clients'), ratio(row.ratio),
				el('td', {}, row.limit === null ? '' : limit(row)),
				el('td', { class: row.verdict === 'over' ? 'over' : '' }, row.verdict),
				value(row, 'node'), ratio(row.node_ratio)))))));
}

const grouped = (number) => Math.round(number).toLocaleString('en');

// What many gateways should cost, and how many of them how many clients would need.
function drawCluster() {
	const { goals, sizes, load } = report.cluster ?? {};
	if (!goals)
		return;
	const { element } = section('cluster-goals', 'Many gateways: goals and sizes', '');
	element.append(plainTable('Goals', ['', 'measured', 'goal', ''], goals.map((goal) => [goal.what,
		goal.value === null ? '–' : `${Number(goal.value.toPrecision(3)).toLocaleString('en')} ${goal.unit}`,
		`${goal.least ? 'at least' : 'at most'} ${goal.limit} ${goal.unit}`, goal.verdict])));
	if (!sizes)
		return;
	element.append(el('p', {}, `Computed: each client publishes once in ${Math.round(1 / load.publishes_per_client_s)} s, ` +
		`each message reaches ${load.receivers} clients, hosts of ${load.cores} cores and ${load.memory_gib} GiB, ` +
		`${100 * load.share} % of them used. doc/cluster.md has the formulae.`),
	plainTable('Sizes', ['clients', 'publishes/s', 'buses', 'gateways', 'NATS servers', 'what gives way first'],
		sizes.map((size) => [grouped(size.clients), grouped(size.publishes_per_s), grouped(size.buses),
			grouped(size.gateways), grouped(size.servers), size.first])));
}

function plainTable(caption, heads, rows) {
	return el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
		el('table', { class: 'figures' }, el('caption', {}, caption),
			el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
			el('tbody', {}, ...rows.map(([first, ...rest]) => el('tr', {}, el('th', { scope: 'row' }, first),
				...rest.map((cell) => el('td', {}, cell)))))));
}

function drawSentences(id, title, list, text) {
	if (!list.length)
		return;
	const { element } = section(id, title, text);
	element.classList.add(id);
	element.append(el('ul', { class: 'plain' }, ...list.map((sentence) => el('li', {}, sentence))));
}

drawHead();
drawSentences('warnings', 'Warnings', report.warnings);
drawAgainst();
drawTls();
drawTokens();
drawClients();
drawGlance();
drawNetworks(report.results, { section, labelOf, tableOf, refusal, caseInWords, several });
drawLatency();
drawCpu();
drawBytes();
drawMemory();
drawTimeline();
drawTables('channels', 'A channel for each subscriber', 'Thousands of channels with one subscriber ' +
	'each; publishes go to them in turn. CPU is of a publish and its one delivery, memory of a ' +
	'channel with its subscriber and messages.');
drawTables('opening', 'CPU of opening', 'What the server spends on one connection that waits for ' +
	'messages. It finds some dozens of clients together, so that it never sleeps between them.');
drawTables('connect', 'Opening a connection', 'Connections opened one after another and at once; the time runs ' +
	'from connect() to the first message.');
drawTables('handshake', 'CPU of a new connection', 'What the server spends on a new connection that asks for ' +
	'messages once, under TLS with its handshake. It finds some dozens of clients together.');
drawTables('storm', 'A storm of reconnects', 'Thousands of idle clients reconnect, 2,000 a second, while others are ' +
	'sent messages: how long those take, and the gateway’s longest turn.');
drawTables('request', 'A plain request', 'What the transports are compared with: one request and its answer, on a ' +
	'new connection each time and on one that stays.');
drawTables('publish', 'CPU of publishing', 'What the server spends on a message that is posted over ' +
	'a connection which is kept. It finds some dozens of them together, so that it never sleeps between them.');
drawTables('token', 'A request with a token', 'What the server spends on a poll or a publish over a connection which ' +
	'is kept: with a token that it has seen before, and each time with a new one.');
drawTables('upgrade', 'From polling to a WebSocket', 'Sessions of Socket.IO on polling, each with a poll that is ' +
	'held, go on over a WebSocket, 200 a second. The time runs from connect() of the WebSocket to its first message.');
drawTables('deflate', 'Compressed messages', 'What permessage-deflate costs and saves: JSON of three sizes to one ' +
	'websocket and to many, with the extension and without, on the same gateway. A message is compressed once, ' +
	'whatever the number of its subscribers. The first subscriber’s messages are inflated and checked.');
drawTables('renewal', 'A crowd whose tokens end', 'Thousands of streams whose tokens end in the same second. They renew ' +
	'them before, on a second link, within the window; or they are ended and come back; or all are of one subject that is ' +
	'disconnected. The gateway’s longest turn is what others wait for meanwhile. The time is compressed: a real ' +
	'client renews 30 to 60 s before its token ends.');
drawTables('cluster', 'Many gateways', 'A bus in the gateway’s memory beside one on NATS servers that gateways ' +
	'share. Lone: one publish at a time, until its ack. Publishes: 64 under way on one WebSocket. Delivery: published ' +
	'through one gateway and received from another. Tailed: what a gateway spends on a message that nobody there wants.');
drawCluster();
drawTables('page', 'Loading the page', 'The gateway’s page with all its files, over six kept ' +
	'connections, as a browser loads it.');
drawTables('switch', 'Changing transports', 'Readers hop between transports at random and are cut in mid-stream; ' +
	'every message must arrive once and in order.');
drawSentences('not-measured', 'Not measured', report.not_measured);
document.getElementById('foot').textContent = 'The figures and their repeats are in this file as JSON, in the ' +
	'element with the id "report". It loads nothing from anywhere.';
