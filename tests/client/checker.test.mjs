// What stands beside the demo page's obstacles: the delivery checker and the strip chart.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const load = (file) => import(pathToFileURL(resolve(process.env.SLUICE_WEB, 'demo', file)).href);
const { Checker } = await load('break/checker.js');
const { Strip } = await load('break/strip.js');

const PATIENCE = 1000;

/** Takes numbers, one each ms; those that were recovered stand in a list. What is found at last. */
function check(numbers, { published = 0, at = numbers.length } = {}) {
	const checker = new Checker(PATIENCE);
	checker.expect(published);
	numbers.forEach((number, now) => checker.take([number].flat()[0], now, Array.isArray(number)));
	const { received, recovered, doubled, reordered } = checker;
	return { received, recovered, lost: checker.countLost(at), doubled, reordered, underway: checker.countUnderway(at) };
}

const none = { recovered: 0, lost: 0, doubled: 0, reordered: 0, underway: 0 };

test('all in order is clean, and what has not come yet is under way, not lost', () => {
	assert.deepEqual(check([1, 2, 3], { published: 5 }), { ...none, received: 3, underway: 2 });
});

test('one that is missing is under way while it may be recovered, then it is lost', () => {
	assert.deepEqual(check([1, 2, 5], { published: 5 }), { ...none, received: 3, underway: 2 });
	assert.deepEqual(check([1, 2, 5], { published: 6, at: PATIENCE + 1 }), { ...none, received: 3, underway: 3 });
	assert.deepEqual(check([1, 2, 5], { published: 6, at: PATIENCE + 2 }), { ...none, received: 3, lost: 2, underway: 1 });
	assert.deepEqual(check([1, 2, 5, [3]], { published: 5, at: PATIENCE + 2 }), { ...none, received: 4, recovered: 1, lost: 1 });
});

test('one that comes after a later one is out of order', () => {
	assert.deepEqual(check([1, 3, 2]), { ...none, received: 3, reordered: 1 });
});

test('one that the client recovered is not, however late', () => {
	assert.deepEqual(check([1, 5, [2], [3], 6, [4]]), { ...none, received: 6, recovered: 3 });
});

test('one that comes again is doubled, whether it came late or not', () => {
	assert.deepEqual(check([1, 1, 3, 2, 2]), { ...none, received: 3, doubled: 2, reordered: 1 });
	assert.deepEqual(check([1, 3, [2], [2], [3]]), { ...none, received: 3, recovered: 1, doubled: 2 });
});

test('the first may be missing too', () => {
	assert.equal(check([2], { at: PATIENCE }).lost, 1);
});

test('strip: spans end when another lane is used, and leave the window', () => {
	const strip = new Strip(1000);
	strip.use('websocket', 0);
	strip.use('websocket', 200);
	strip.use('sse', 500);
	strip.use(null, 750);
	assert.deepEqual(strip.view(1000), [{ lane: 'websocket', kind: 'use', start: 0, end: .5 },
		{ lane: 'sse', kind: 'use', start: .5, end: .75 }]);
	assert.deepEqual(strip.view(1600), [{ lane: 'sse', kind: 'use', start: 0, end: .15 }]);
	assert.deepEqual(strip.view(1750), []);
});

test('strip: a block lasts until the list no longer has it', () => {
	const strip = new Strip(1000);
	strip.block(['sse'], 0);
	strip.block(['sse', 'poll'], 500);
	strip.block(['poll'], 800);
	assert.deepEqual(strip.view(1000), [{ lane: 'sse', kind: 'block', start: 0, end: .8 },
		{ lane: 'poll', kind: 'block', start: .5, end: 1 }]);
});
