// Checks that a text is a report (doc/check-report.schema.json). Pure.
import { CLASSES, CodeError, NAMES, VERSION, decodeCode, encodeCode } from './code.js';

/** @typedef {import('./report.js').Report} Report */
/** Returns what would be right, or undefined if the value is right.
 * @typedef {(value: any) => string | undefined} Rule */
/** @typedef {{ [name: string]: Rule | Form }} Form */

export const MOST_BYTES = 16384;

const MS = 600000;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** What is wrong with a report, in words. */
export class FormError extends Error {}

/* ---- the rules ---- */

/** @param {any[]} values
 * @returns {Rule} */
const one = (values) => (value) =>
	values.includes(value) ? undefined : `use one of ${values.map(String).join(', ')}`;

/** @param {number} least @param {number} most @param {boolean} [whole]
 * @returns {Rule} */
const number = (least, most, whole) => (value) => {
	const isRight = typeof value === 'number' && value >= least && value <= most &&
		(!whole || Number.isInteger(value));
	const kind = whole ? 'whole number' : 'number';
	return isRight ? undefined : `use a ${kind} from ${least} to ${most}`;
};

/** @param {number} most characters @param {RegExp} [pattern] @param {string} [what]
 * @returns {Rule} */
const text = (most, pattern, what) => (value) => {
	const isRight = typeof value === 'string' && [...value].length <= most &&
		!CONTROL.test(value) && (!pattern || pattern.test(value));
	return isRight ? undefined :
		`use ${what ?? `a text of at most ${most} characters without control characters`}`;
};

/** @param {number} count @param {Rule} rule
 * @returns {Rule} */
const list = (count, rule) => (value) => {
	if (!Array.isArray(value) || value.length > count)
		return `use a list of at most ${count}`;
	return value.map(rule).find(Boolean);
};

/** @param {Rule | Form} rule
 * @returns {Rule} */
const maybe = (rule) => (value) => {
	if (value === null)
		return undefined;
	return typeof rule === 'function' ? rule(value) : find(rule, value);
};

const flag = one([true, false]);
const ms = number(0, MS);
const bytes = one([0, 64, 4096, 65536, null]);

/** @type {Form} */
const TRANSPORT = {
	state: one(['works', 'degraded', 'dead']), class: one(CLASSES), why: text(600),
	connect_ms: maybe(ms), first_ms: maybe(ms),
	round_trip: maybe({ count: number(1, 200, true), p50_ms: ms, p90_ms: ms }),
	largest_up: bytes, largest_down: bytes,
	buffered: flag, cached: flag, compressed: flag, cut: flag,
	silence: maybe({ watched_ms: ms, cut_ms: maybe(ms) }),
};

/** @type {Form} */
const REPORT = {
	version: one([VERSION]),
	made: text(20, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a time as 2026-11-27T03:40:00Z'),
	code: text(14, /^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/, 'a code as K3V7-92QX-M4TD'),
	patient: flag, seconds: number(0, 300), secure: flag,
	http: text(16, /^[a-z0-9./-]*$/, 'at most 16 of a to z, 0 to 9, ., / and -'),
	choice: one([...NAMES, null]), latency_ms: maybe(ms), base_ms: maybe(ms),
	verdict: text(2000), advice: list(10, text(400)), proxies: list(10, text(200)),
	transports: Object.fromEntries(NAMES.map((name) => [name, TRANSPORT])),
};

/* ---- judging ---- */

/** @param {Form} form @param {any} value
 * @returns {string | undefined} the member, and what would be right */
function find(form, value) {
	if (typeof value !== 'object' || value === null || Array.isArray(value))
		return 'use an object';
	const unknown = Object.keys(value).find((name) => !Object.hasOwn(form, name));
	if (unknown !== undefined)
		return `.${unknown}: there is no such member; omit it`;
	for (const [name, rule] of Object.entries(form)) {
		if (!Object.hasOwn(value, name))
			return `.${name}: it is missing`;
		const member = value[name];
		const wrong = typeof rule === 'function' ? rule(member) : find(rule, member);
		if (wrong)
			return `.${name}${wrong[0] === '.' ? '' : ': '}${wrong}`;
	}
	return undefined;
}

/** @param {Report} report of the right form */
function checkCode(report) {
	try {
		decodeCode(report.code);
	} catch (error) {
		throw error instanceof CodeError ? new FormError(`code: ${error.message}`) : error;
	}
	const code = encodeCode(report);
	if (report.code !== code)
		throw new FormError(`code: ${report.code} is not the code of this report; it would be ` +
			code);
	if (Number.isNaN(Date.parse(report.made)))
		throw new FormError('made: there is no such time; use a time as ' +
			'2026-11-27T03:40:00Z');
}

/** @param {Uint8Array} file
 * @returns {Report} throws a FormError */
export function readReport(file) {
	if (file.length > MOST_BYTES)
		throw new FormError(`the file has more than ${MOST_BYTES} bytes; a report has at most ` +
			'that many');
	/** @type {any} */
	let value;
	try {
		value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
	} catch {
		throw new FormError('the file is not JSON in UTF-8; use a file that the page saved');
	}
	if (Number.isInteger(value?.version) && value.version !== VERSION)
		throw new FormError(`the report has version ${value.version}; this program reads version ` +
			`${VERSION}: use the sluice-bench of that gateway's release`);
	const wrong = find(REPORT, value);
	if (wrong)
		throw new FormError(wrong.replace(/^\./, ''));
	checkCode(value);
	return value;
}
