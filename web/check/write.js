// Writes reports and codes as text for people. Pure; printable ASCII.
import { time, titles } from '../client/explain.js';
import { NAMES } from './code.js';

/** @typedef {import('./code.js').Decoded} Decoded */
/** @typedef {import('./report.js').Class} Class */
/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./report.js').TransportReport} TransportReport */

/** The classes in words; the page and the terminal use the same.
 * @type {Record<Class, string>} */
export const meanings = {
	works: 'works',
	slow: 'messages are late',
	flaky: 'some tries fail',
	buffered: 'a proxy holds messages back',
	cached: 'a cache gives old answers',
	compressed: 'compression holds messages back',
	cut: 'connections are closed early, or when idle',
	refused: 'refused or changed on the way',
	swallowed: 'no answer in time',
	missing: 'the browser lacks it',
};

/** @type {Record<string, string>} */
export const states = { works: 'works', degraded: 'works with a flaw', dead: 'does not work' };
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August',
	'September', 'October', 'November', 'December'];

/** @param {string | null} name of a transport */
export function title(name) {
	return titles[name ?? ''] ?? 'none';
}

/** @param {string} words */
export function capitalise(words) {
	return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {number | null} ms */
export function writeMs(ms) {
	if (ms === null)
		return '-';
	return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : time(ms);
}

/** @param {number | null} bytes */
export function writeSize(bytes) {
	if (bytes === null)
		return '-';
	return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`;
}

/** @param {[number, number]} range ms, or with 1000 as `unit` s */
function writeRange([from, to], unit = 1) {
	if (to === Infinity)
		return `more than ${time(from * unit)}`;
	return `${from ? `${time(from * unit)} to` : 'up to'} ${time(to * unit)}`;
}

/* ---- a code ---- */

/** The verdict that a code can carry.
 * @param {Decoded} decoded
 * @returns {string} lines */
export function writeCode({ transports, choice, secure, patient, base, silence }) {
	const chosen = choice && transports[choice].ms;
	const took = chosen ? `; a message takes ${writeRange(chosen)}` : '';
	const works = NAMES.every((name) => transports[name].class === 'works');
	const lines = [choice ? `On this path the client uses ${title(choice)}${took}.` :
		'No transport works here.'];
	if (works)
		lines.unshift('All transports work.');
	lines.push('');
	for (const name of NAMES) {
		const { class: word, ms } = transports[name];
		const meaning = word === meanings[word] ? '' : ` ${meanings[word]}`;
		const trip = ms ? ` (round trip ${writeRange(ms)})` : '';
		lines.push(`  ${name.padEnd(10)} ${word.padEnd(10)}${meaning}${trip}`);
	}
	lines.push('', `The fastest request took ${base ? writeRange(base) : 'an unknown time'}. ` +
		`The page was loaded over ${secure ? 'https' : 'http'}.`);
	if (silence)
		lines.push(silence.length ?
			`Idle connections are closed after ${writeRange(silence, 1000)}.` :
			'Connections that are idle for a minute stay open.');
	else if (patient)
		lines.push('No connection stayed open, so idle connections were not tested.');
	return lines.join('\n');
}

/* ---- a report ---- */

/** @param {TransportReport} one */
function writeMarks({ buffered, cached, compressed, cut, silence }) {
	const marks = Object.entries({ buffered, cached, compressed, cut }).filter(([, is]) => is)
		.map(([name]) => name);
	if (silence)
		marks.push(silence.cut_ms === null ? `open after ${time(silence.watched_ms)} idle` :
			`closed after ${time(silence.cut_ms)} idle`);
	return marks.join(', ');
}

/** @param {string[][]} rows
 * @returns {string[]} lines in columns */
function align(rows) {
	const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
	return rows.map((row) =>
		`  ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd());
}

/** What was measured, one line per transport.
 * @param {Report} report
 * @returns {string[]} lines */
export function writeTable({ transports }) {
	return align([['', 'state', 'connect', 'first', 'p50', 'p90', 'of', 'up', 'down', 'path'],
		...NAMES.map((name) => {
			const one = transports[name];
			const { count, p50_ms: p50, p90_ms: p90 } = one.round_trip ??
				{ count: 0, p50_ms: null, p90_ms: null };
			return [name, one.class === one.state ? one.state : `${one.state}, ${one.class}`,
				writeMs(one.connect_ms), writeMs(one.first_ms), writeMs(p50), writeMs(p90),
				`${count}`, writeSize(one.largest_up), writeSize(one.largest_down),
				writeMarks(one)];
		})]);
}

/** @param {string} made UTC */
function writeDate(made) {
	const date = new Date(made);
	const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
	return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** The report as plain text, ready to be forwarded.
 * @param {Report} report @param {string} [url] of the gateway
 * @returns {string} lines */
export function writeText(report, url) {
	const { code, made, verdict, advice, transports, http, proxies, secure, seconds } = report;
	const lines = [`The connection${url ? ` to ${url}` : ''} on ${writeDate(made)}`,
		`Code ${code}`, '', verdict];
	if (advice.length)
		lines.push('', 'What to ask the network\'s administrator for:',
			...advice.map((one) => `  - ${one}`));
	lines.push('', ...writeTable(report), '');
	for (const name of NAMES)
		if (transports[name].why)
			lines.push(`  ${capitalise(title(name))} (${states[transports[name].state]}): ` +
				`${transports[name].why}`);
	lines.push('', `The page was loaded over ${secure ? 'https' : 'http'}` +
		`${http ? ` (${http})` : ''}. The check took ${seconds} s. Proxies that identify ` +
		`themselves: ${proxies.length ? proxies.join('; ') : 'none'}.`);
	return `${lines.join('\n')}\n`;
}
