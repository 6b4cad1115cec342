// What stands beside the demo page's obstacles: the delivery checker and the strip chart.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const load = (file) => import(pathToFileURL(resolve(process.env.SLUICE_WEB, 'demo', file)).href);
const { Checker } = await load('break/checker.js');
const { Strip } = await load('break/strip.js');

function check(numbers, published = 0) {
	const checker = new Checker();
	checker.expect(published);
	numbers.forEach((number) => checker.take(number));
	const { received, lost, doubled, reordered, underway, isClean } = checker;
	return { received, lost, doubled, reordered, underway, isClean };
}

test('all in order is clean, and what has not come yet is under way, not lost', () => {
	assert.deepEqual(check([1, 2, 3], 5), { received: 3, lost: 0, doubled: 0, reordered: 0, underway: 2, isClean: true });
});

test('one is lost once a later one has arrived', () => {
	assert.deepEqual(check([1, 2, 5], 5), { received: 3, lost: 2, doubled: 0, reordered: 0, underway: 0, isClean: false });
});

test('one that comes after a later one is out of order, and no longer lost', () => {
	assert.deepEqual(check([1, 3, 2]), { received: 3, lost: 0, doubled: 0, reordered: 1, underway: 0, isClean: false });
});

test('one that comes again is doubled, whether it came late or not', () => {
	assert.deepEqual(check([1, 1, 3, 2, 2]), { received: 3, lost: 0, doubled: 2, reordered: 1, underway: 0, isClean: false });
});

test('the first may be missing too', () => {
	assert.equal(check([2]).lost, 1);
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
