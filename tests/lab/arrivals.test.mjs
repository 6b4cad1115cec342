// What the lab counts of numbered messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../../bench/lab/arrivals.mjs';

/** @param {(number | { late: number })[]} numbers */
function take(...numbers) {
	const arrivals = new Arrivals();
	numbers.forEach((number, at) => typeof number === 'number' ? arrivals.take(number, {}, at) : arrivals.take(number.late, { late: true }, at));
	const { got, doubled, reordered, recovered } = arrivals;
	return { got: [...got.keys()], doubled, reordered, recovered };
}

test('all in order is nothing to count', () => {
	assert.deepEqual(take(0, 1, 3), { got: [0, 1, 3], doubled: 0, reordered: 0, recovered: 0 });
});

test('one that comes after a later one is out of order', () => {
	assert.deepEqual(take(0, 2, 1, 3), { got: [0, 2, 1, 3], doubled: 0, reordered: 1, recovered: 0 });
});

test('one that was recovered is not, and says nothing of those that come after it', () => {
	assert.deepEqual(take(0, 2, { late: 1 }, 3, { late: 5 }, 4), { got: [0, 2, 1, 3, 5, 4], doubled: 0, reordered: 1, recovered: 2 });
});

test('one that comes again is doubled, recovered or not', () => {
	assert.deepEqual(take(0, 0, { late: 0 }), { got: [0], doubled: 2, reordered: 0, recovered: 0 });
});
