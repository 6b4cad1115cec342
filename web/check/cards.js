// A card for each transport: whether it works, why, and what was measured.
import { create, createRows } from './elements.js';
import { classes, formatBytes, formatMs, names, toSentence, ways } from './words.js';
import { states } from './write.js';

/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./report.js').TransportReport} TransportReport */

const WANTED = 20; // messages whose round trips are measured

/** What the network does to a transport, by the report's member.
 * @type {[member: 'buffered' | 'cached' | 'compressed' | 'cut', words: string][]} */
const treatments = [
	['buffered', 'holds messages back'],
	['cached', 'answers from a cache'],
	['compressed', 'compresses answers'],
	['cut', 'closes connections'],
];

/** @param {number | null} bytes */
function sayLargest(bytes) {
	if (bytes === null)
		return 'not tried';
	return bytes === 0 ? 'none' : formatBytes(bytes);
}

/** @param {TransportReport} way
 * @returns {[string, string][]} */
function listTimes({ connect_ms: connect, first_ms: first, round_trip: trip }) {
	/** @type {[string, string][]} */
	const rows = [];
	if (connect !== null)
		rows.push(['Connected in', formatMs(connect)]);
	if (first !== null)
		rows.push(['First message after', formatMs(first)]);
	if (trip) {
		const some = trip.count < WANTED ? ` (of ${trip.count})` : '';
		rows.push([`Round trip, typical${some}`, formatMs(trip.p50_ms)],
			['Round trip, slowest tenth', formatMs(trip.p90_ms)]);
	}
	return rows;
}

/** @param {TransportReport} way
 * @returns {[string, string][]} */
function listFigures(way) {
	const rows = listTimes(way);
	const { largest_up: up, largest_down: down, silence } = way;
	if (up !== null || down !== null)
		rows.push(['Largest message sent', sayLargest(up)],
			['Largest message received', sayLargest(down)]);
	const seen = treatments.filter(([member]) => way[member]).map(([, words]) => words);
	if (seen.length)
		rows.push(['The network', seen.join(', ')]);
	if (silence)
		rows.push(['In silence', silence.cut_ms === null ?
			`stays open for at least ${formatMs(silence.watched_ms)}` :
			`closed after ${formatMs(silence.cut_ms)}`]);
	return rows;
}

/** @param {string} name @param {TransportReport} way */
function createCard(name, way) {
	const { state, class: kind, why } = way;
	const figures = listFigures(way);
	return create('li', { class: 'card way', 'data-state': state, 'data-transport': name },
		create('h3', {}, ways[name].title,
			name === 'websocket' ? null : create('code', 'quiet', name)),
		create('p', 'state', create('b', {}, states[state] ?? state),
			classes[kind] ? ` – ${classes[kind]}` : ''),
		create('p', 'small quiet', ways[name].how),
		why ? create('p', 'why', toSentence(why)) : null,
		figures.length ? create('dl', 'small', ...createRows(figures)) : null);
}

/** @param {Element} list @param {Report} report */
export function showCards(list, { transports, choice }) {
	const items = names.map((name) => {
		const card = createCard(name, transports[name]);
		if (name === choice)
			card.querySelector('h3')?.append(create('span', 'chosen', 'used here'));
		return card;
	});
	list.replaceChildren(...items);
}
