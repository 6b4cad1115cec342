// The code of a report: what it carries comes back, and what was misheard is found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCheck, names } from './check_setup.mjs';

const { CLASSES, CUTS, CodeError, DIGITS, STEPS, VERSION, computeCheck, decodeCode, encodeCode, toStep } =
	await loadCheck('code.js');
const { writeCode } = await loadCheck('write.js');

/** Numbers that look random and are always the same. */
function createRandom(seed) {
	let state = seed;
	return (most) => {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		return (state >>> 8) % most;
	};
}

const random = createRandom(7);
const times = [null, 0, 0.4, 1, 1.1, ...STEPS, ...STEPS.map((ms) => ms + 0.1), 600000];
const silences = [null, { watched_ms: 64000, cut_ms: null },
	...[1000, 5000, 5001, 15000, 30000, 45000, 60000, 64000].map((ms) => ({ watched_ms: 64000, cut_ms: ms }))];
const choose = (list) => list[random(list.length)];
function makeReport() {
	const transports = Object.fromEntries(names.map((name) => [name, { class: choose(CLASSES), silence: choose(silences),
		round_trip: choose([null, { count: 1, p50_ms: choose(times) ?? 3, p90_ms: 1 }]) }]));
	return { version: VERSION, choice: choose([null, ...names]), secure: choose([true, false]),
		patient: choose([true, false]), base_ms: choose(times), transports };
}
const reports = Array.from({ length: 300 }, makeReport);
const replace = (digits, ...changes) => Object.assign([...digits], Object.fromEntries(changes)).join('');
const isWithin = ([from, to], value) => value <= to && (value > from || (from === 0 && value >= 0));

test('what a code carries comes back', () => {
	for (const report of reports) {
		const code = encodeCode(report);
		assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
		const { version, transports, choice, secure, patient, base, silence } = decodeCode(code);
		assert.deepEqual([version, choice, secure, patient], [VERSION, report.choice, report.secure, report.patient]);
		assert.ok(report.base_ms === null ? base === null : isWithin(base, report.base_ms), `${base}`);
		const watched = [];
		for (const name of names) {
			const { class: word, round_trip: trip, silence: one } = report.transports[name];
			assert.equal(transports[name].class, word);
			assert.ok(trip ? isWithin(transports[name].ms, trip.p50_ms) : transports[name].ms === null);
			if (one)
				watched.push(one.cut_ms ?? Infinity);
		}
		const shortest = Math.min(...watched);
		if (!watched.length)
			assert.equal(silence, null);
		else
			assert.ok(shortest === Infinity ? silence.length === 0 : isWithin(silence, shortest / 1000));
	}
});

test('every wrong character and every exchange of neighbours is found', () => {
	for (const report of reports.slice(0, 60)) {
		const digits = [...encodeCode(report).replaceAll('-', '')];
		for (let i = 0; i < digits.length; i++)
			for (const digit of DIGITS)
				if (digit !== digits[i])
					assert.throws(() => decodeCode(replace(digits, [i, digit])), /wrong character/);
		for (let i = 1; i < digits.length; i++)
			if (digits[i] !== digits[i - 1])
				assert.throws(() => decodeCode(replace(digits, [i, digits[i - 1]], [i - 1, digits[i]])), /changed places/);
	}
});

test('the check digit is the sum of alpha to the i times the digit i, in GF(32)', () => {
	const times = (a, b) => {
		let product = 0;
		for (let bit = 0; bit < 5; bit++)
			if (b >> bit & 1)
				product ^= a << bit;
		for (let bit = 9; bit >= 5; bit--)
			if (product >> bit & 1)
				product ^= 0b100101 << (bit - 5);
		return product;
	};
	for (let n = 0; n < 500; n++) {
		const digits = Array.from({ length: 11 }, () => random(32));
		let [sum, weight] = [0, 2];
		for (const digit of digits) {
			sum ^= times(weight, digit);
			weight = times(weight, 2);
		}
		assert.equal(computeCheck(digits), sum);
	}
	assert.equal(computeCheck([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 2);
});

test('a code is read as it is heard: case, spaces, hyphens, and letters like digits', () => {
	const code = reports.map(encodeCode).find((one) => /[01]/.test(one));
	const expected = decodeCode(code);
	for (const heard of [code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' \u2013 ')}\n`,
		code.replaceAll('0', 'O').replaceAll('1', 'l'), code.replaceAll('0', 'o').replaceAll('1', 'I')])
		assert.deepEqual(decodeCode(heard), expected, heard);
});

/** The code of these fields, which no program writes. */
function forge(fields) {
	const bits = fields.map(([value, width]) => width ? value.toString(2).padStart(width, '0') : '').join('').padEnd(55, '0');
	const digits = bits.match(/.{5}/g).map((five) => parseInt(five, 2));
	return [...digits, computeCheck(digits)].map((digit) => DIGITS[digit]).join('');
}

test('what is no code is refused, and it is said why', () => {
	for (const [text, words] of [['', /0 characters; a code has 12/], ['K3V7-92QX-M4T', /11 characters/],
		['K3V7-92QX-M4TDD', /13 characters/], ['K3V7-92QX-M4TU', /"U" is not a character/], ['K3V7*92QX-M4TD', /"\*"/],
		['\ud83d\ude00', /is not a character of a code/]])
		assert.throws(() => decodeCode(text), (error) => error instanceof CodeError && words.test(error.message));
	for (let version = 0; version < 8; version++)
		if (version !== VERSION)
			assert.throws(() => decodeCode(forge([[version, 3]])), new RegExp(`has version ${version}; this program reads version 1`));
	assert.equal(decodeCode(forge([[VERSION, 3]])).choice, null);
	for (let i = 0; i < 5; i++)
		for (let word = CLASSES.length; word < 16; word++)
			assert.throws(() => decodeCode(forge([[VERSION, 3], [0, 4 * i], [word, 4]])), /does not know/);
	for (const choice of [6, 7])
		assert.throws(() => decodeCode(forge([[VERSION, 3], [0, 20], [choice, 3]])), /does not know/);
});

test('times rise by steps of a factor of about 1.8', () => {
	assert.equal(toStep(null), 0);
	assert.deepEqual([0, 1, 1.1, 2, 2100, 2100.1, 600000].map(toStep), [1, 1, 2, 2, 14, 15, 15]);
	for (let i = 3; i < STEPS.length; i++)
		assert.ok(STEPS[i] / STEPS[i - 1] > 1.6 && STEPS[i] / STEPS[i - 1] < 2.05);
	assert.deepEqual(CUTS, [5, 15, 30, 45, 60]);
});

test('the verdict of a code is said in words, whatever it carries', () => {
	for (const report of reports) {
		const text = writeCode(decodeCode(encodeCode(report)));
		assert.match(text, report.choice ? /On this path the client uses / : /No transport works here/);
		assert.doesNotMatch(text, /undefined|NaN|null|Infinity/);
		assert.match(text, /^[\n\x20-\x7e]+$/);
		for (const name of names)
			assert.match(text, new RegExp(`\n  ${name} +${report.transports[name].class} `.trimEnd()));
	}
});
