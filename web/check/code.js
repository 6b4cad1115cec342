// The code of a report: 12 characters to read out on the phone. Pure. The gateway computes the same
// check digit (gateway/check/report.c); doc/check.md has the layout.

/** @typedef {import('./report.js').Report} Report */
/** @typedef {import('./report.js').Class} Class */

/** What a code carries. A range is [more than, at most].
 * @typedef {object} Decoded
 * @property {number} version
 * @property {Record<string, { class: Class, ms: [number, number] | null }>} transports ms: a
 * 	range, the median round trip; null: not measured
 * @property {string | null} choice the transport that the client uses; null: none works
 * @property {boolean} secure the page was loaded over https
 * @property {boolean} patient idle connections were watched for a minute
 * @property {[number, number] | null} base a range in ms, the fastest request
 * @property {[] | [number, number] | null} silence a range in s, the shortest idle time after which
 * 	a connection was closed; []: none was; null: not watched */

export const VERSION = 1;
/** In the order of the gateway. */
export const NAMES = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
/** Their numbers in a code; new ones are added at the end.
 * @type {Class[]} */
export const CLASSES = ['works', 'slow', 'flaky', 'buffered', 'cached', 'compressed', 'cut',
	'refused', 'swallowed', 'missing'];
/** Crockford's base32. */
export const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Times: number k is at most STEPS[k - 1] ms, the last one is above; 0 is none. By a factor of
 * about 1.8. */
export const STEPS = [1, 2, 3, 6, 10, 19, 34, 61, 110, 200, 360, 640, 1150, 2100];
/** Silences: number k + 2 is at most CUTS[k] s, the last one is above. */
export const CUTS = [5, 15, 30, 45, 60];

const LENGTH = 12;
const BITS = 5; // of a character
/** Of the fields, in their order. */
const WIDTHS = [3, 4, 4, 4, 4, 4, 3, 1, 1, 4, 4, 4, 4, 4, 4, 3];

/** What is wrong with a code, in words for the person who typed it. */
export class CodeError extends Error {}

/* ---- the check digit ---- */

/** In GF(32), by the polynomial x^5 + x^2 + 1.
 * @param {number} a */
function double(a) {
	return a & 16 ? (a << 1) ^ 37 : a << 1;
}

/** The sum of alpha^i times the i-th, i from 1, alpha = 2. No weight is 0 and no two are equal, so
 * each wrong digit and each exchange of neighbours changes it.
 * @param {number[]} digits */
export function computeCheck(digits) {
	let sum = 0; // by Horner's rule, from the last
	for (const digit of digits.slice(0, LENGTH - 1).reverse())
		sum = double(sum ^ digit);
	return sum;
}

/* ---- there ---- */

/** @param {number | null | undefined} ms */
export function toStep(ms) {
	if (ms === null || ms === undefined)
		return 0;
	const index = STEPS.findIndex((most) => ms <= most);
	return index < 0 ? STEPS.length + 1 : index + 1;
}

/** @param {Report} report
 * @returns {number} */
function toSilence({ transports }) {
	const watched = NAMES.map((name) => transports[name].silence).filter((one) => one !== null);
	const cuts = watched.map(({ cut_ms: cut }) => cut).filter((cut) => cut !== null);
	if (!cuts.length)
		return watched.length ? 1 : 0;
	const shortest = Math.min(...cuts) / 1000;
	const index = CUTS.findIndex((most) => shortest <= most);
	return index < 0 ? CUTS.length + 2 : index + 2;
}

/** @param {Report} report but for its code
 * @returns {string} as K3V7-92QX-M4TD */
export function encodeCode(report) {
	const { choice, secure, patient, base_ms: base, transports } = report;
	const all = NAMES.map((name) => transports[name]);
	const fields = [report.version, ...all.map((one) => CLASSES.indexOf(one.class)),
		choice ? NAMES.indexOf(choice) + 1 : 0, Number(secure), Number(patient), toStep(base),
		...all.map((one) => toStep(one.round_trip?.p50_ms)), toSilence(report)];
	const bits = fields.map((field, i) => field.toString(2).padStart(WIDTHS[i], '0')).join('');
	const digits = (bits.match(/.{5}/g) ?? []).map((five) => parseInt(five, 2));
	const text = [...digits, computeCheck(digits)].map((digit) => DIGITS[digit]).join('');
	return (text.match(/.{4}/g) ?? []).join('-');
}

/* ---- and back ---- */

/** Case, spaces and hyphens do not matter; I and L are read as 1, O as 0.
 * @param {string} text
 * @returns {number[]} */
function readDigits(text) {
	const plain = text.toUpperCase().replace(/[\s\u2010-\u2015-]/g, '').replace(/[IL]/g, '1')
		.replace(/O/g, '0');
	const wrong = [...plain].find((character) => !DIGITS.includes(character));
	if (wrong)
		throw new CodeError(`"${wrong}" is not a character of a code; use digits and the ` +
			'letters A to Z without U');
	if (plain.length !== LENGTH)
		throw new CodeError(`this code has ${plain.length} characters; a code has ${LENGTH}`);
	return [...plain].map((character) => DIGITS.indexOf(character));
}

/** @param {number} step
 * @returns {[number, number] | null} */
function fromStep(step) {
	return step ? [STEPS[step - 2] ?? 0, STEPS[step - 1] ?? Infinity] : null;
}

/** @param {number} number
 * @returns {Decoded['silence']} */
function fromSilence(number) {
	if (number < 2)
		return number ? [] : null;
	return [CUTS[number - 3] ?? 0, CUTS[number - 2] ?? Infinity];
}

/** Reads a code. Throws a CodeError if it is not right.
 * @param {string} text as a person typed it
 * @returns {Decoded} */
export function decodeCode(text) {
	const digits = readDigits(text);
	if (computeCheck(digits) !== digits[LENGTH - 1])
		throw new CodeError('this code has a wrong character, or two characters that changed ' +
			'places; compare it with the page');
	const bits = digits.slice(0, -1).map((digit) => digit.toString(2).padStart(BITS, '0')).join('');
	let at = 0;
	const fields = WIDTHS.map((width) => parseInt(bits.slice(at, at += width), 2));
	const [version] = fields;
	if (version !== VERSION)
		throw new CodeError(`this code has version ${version}; this program reads version ` +
			`${VERSION}: use the sluice-bench of that gateway's release`);
	const [choice, secure, patient, base] = fields.slice(6, 10);
	const transports = Object.fromEntries(NAMES.map((name, i) =>
		[name, { class: CLASSES[fields[1 + i]], ms: fromStep(fields[10 + i]) }]));
	if (choice > NAMES.length || Object.values(transports).some((one) => !one.class))
		throw new CodeError('this code has a value that this program does not know; use the ' +
			'sluice-bench of that gateway\'s release');
	return { version, transports, choice: NAMES[choice - 1] ?? null, secure: secure === 1,
		patient: patient === 1, base: fromStep(base), silence: fromSilence(fields[15]) };
}
