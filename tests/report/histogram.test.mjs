// Latency by percentile. A place is 1/(1-p): 2 is the p50, 10 the p90, 100 the p99.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curve, extreme, histogramsOf, lastPlace, merged, percent, percentilesTo } from '../../bench/report/histogram.mjs';

const HUNDRED = Array.from({ length: 100 }, (_, i) => [i + 1, 1]); // 1 to 100 µs

test('a curve has the value at each percentile, until fewer than ten samples lie beyond', () => {
	assert.deepEqual(curve(HUNDRED, [1, 2, 4, 10, 20]), [1, 50, 75, 90, null]);
	assert.deepEqual(curve([], [2]), [null]);
	assert.deepEqual(curve([[0, 100]], [2]), [.1], 'the axis is logarithmic: no zero');
});

test('histograms add up in order of their values', () => {
	assert.deepEqual(merged([[[10, 1], [20, 2]], [[5, 3], [20, 4]]]), [[5, 3], [10, 1], [20, 6]]);
});

test('a range is null where one of the curves ends', () => {
	const curves = [[1, 5, null], [2, 4, 9]];
	assert.deepEqual(extreme(curves, Math.max), [2, 5, null]);
	assert.deepEqual(extreme(curves, Math.min), [1, 4, null]);
});

test('the axis ends where the largest result has ten samples beyond, and never before the p95', () => {
	assert.equal(lastPlace([[HUNDRED], [[[1, 5000]], [[1, 5000]]]]), 1000);
	assert.equal(lastPlace([[HUNDRED]]), 20);
	assert.deepEqual(percentilesTo(1000, 1200), [1, 2, 4, 10, 100, 1000]);
	assert.deepEqual(percentilesTo(150, 400), [2, 10, 100], 'a narrow page has fewer');
});

test('a place is written as a percentage', () => {
	assert.deepEqual([1, 2, 10, 100, 1000, 10000].map(percent), ['0 %', '50 %', '90 %', '99 %', '99.9 %', '99.99 %']);
});

test('histograms of lost deliveries are not shown, nor empty ones', () => {
	assert.deepEqual(histogramsOf({ repeats: [{ histogram: HUNDRED }, { histogram: [] }, {}] }), [HUNDRED]);
	assert.deepEqual(histogramsOf({ refused: 'lost 3', repeats: [{ histogram: HUNDRED }] }), []);
});
