// What the judge would not find, the tests that it judges could not either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, makeRandom, sum } from './judge.mjs';

const calm = { lost: 0, doubled: 0, disordered: 0, foreign: 0 };

for (const [title, numbers, last, wanted] of [
	['all is well', [1, 2, 3], 3, {}],
	['one is lost in the middle', [1, 3], 3, { lost: 1 }],
	['the first is lost', [2, 3], 3, { lost: 1 }],
	['the last are lost', [1], 3, { lost: 2 }],
	['nothing came', [], 3, { lost: 3 }],
	['one comes twice', [1, 2, 2, 3], 3, { doubled: 1 }],
	['all come twice', [1, 2, 3, 1, 2, 3], 3, { doubled: 3 }],
	['two are exchanged', [2, 1, 3], 3, { disordered: 1 }],
	['one was never published', [1, 2, 3, 4], 3, { foreign: 1 }],
	['one is no number', [1, 'x', 2], 2, { foreign: 1 }],
])
	test(`the judge: ${title}`, () => assert.deepEqual(judge(numbers, last), { ...calm, ...wanted }));

test('the judge: the sum of several', () =>
	assert.deepEqual(sum([judge([1], 2), judge([2, 1, 1], 2)]), { lost: 1, doubled: 1, disordered: 1, foreign: 0 }));

test('random numbers are the same each time, and spread', () => {
	const [one, other] = [makeRandom(7), makeRandom(7)];
	const numbers = Array.from({ length: 1000 }, one);
	assert.deepEqual(Array.from({ length: 1000 }, other), numbers);
	assert.ok(numbers.every((n) => n >= 0 && n < 1));
	assert.ok(Math.abs(numbers.reduce((total, n) => total + n) / 1000 - 0.5) < 0.05);
});
