// How the report writes figures, ranges, cases and limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sum } from '../../bench/report/bars.mjs';
import { caseInWords, inWords, limitInWords, listInWords, ratioInWords, spreadInWords } from '../../bench/report/words.mjs';

test('a value has the unit that suits it, and three digits', () => {
	assert.deepEqual([[950, 'µs'], [1240, 'µs'], [2.5e6, 'µs'], [12000, 'B'], [.055, 'share'], [.05, 'ratio'], [3, '']].map(
		([value, unit]) => inWords(value, unit)), ['950 µs', '1.24 ms', '2.50 s', '11.7 KiB', '5.50 %', '0.050', '3']);
});

test('a range has the unit of its median, and is absent where all repeats agree', () => {
	assert.equal(spreadInWords({ median: 1500, min: 900, max: 2100, count: 3 }, 'µs'), '0.90–2.10');
	assert.equal(spreadInWords({ median: 5, min: 5, max: 5, count: 3 }, 'B'), '');
	assert.equal(spreadInWords({ median: 5, min: 4, max: 6, count: 1 }, 'B'), '');
});

test('a ratio has its range when there are several repeats', () => {
	assert.deepEqual(ratioInWords({ median: 1.5, min: 1.25, max: 2, count: 3 }), { median: '1.50', range: '1.25–2.00' });
	assert.deepEqual(ratioInWords({ median: 1.5, min: 1.5, max: 1.5, count: 1 }), { median: '1.50', range: '' });
	assert.deepEqual(ratioInWords({ median: 0, min: 0, max: 0, count: 0 }), { median: '–', range: '' });
});

test('a limit is of the ratio, or of the figure in its unit', () => {
	assert.equal(limitInWords({ limit: 1.4, held: 'ratio' }, 'µs'), '1.40');
	assert.equal(limitInWords({ limit: 10000, held: 'median' }, 'µs'), '10 ms');
	assert.equal(limitInWords({ limit: null, held: 'ratio' }, 'µs'), '');
});

test('a case and a list are words', () => {
	assert.equal(caseInWords({ rate: 1, payload: 2048, subscribers: 1 }), '1 message/s, payload 2 KiB, 1 subscriber');
	assert.deepEqual([[], ['A'], ['A', 'B'], ['A', 'B', 'C']].map(listInWords), ['', 'A', 'A and B', 'A, B and C']);
	assert.equal(sum([['payload', 5], ['heads', 7]]), 12);
});
