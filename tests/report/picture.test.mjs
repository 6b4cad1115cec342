// Where the marks of the report's picture of networks stand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networksOf } from '../../bench/report/networks.mjs';
import { layoutOf, nearestTo, outlineOf, radiusOf, rowsOf } from '../../bench/report/picture.mjs';
import { latencies } from './measured.mjs';

const ALL = ['websocket', 'sse', 'stream', 'longpoll', 'poll'];
const network = (name, rtt_ms, loss = 0) => ({ name, rtt_ms, loss, jitter_ms: 0, down_mbit: 0, up_mbit: 0 });
const SIX = networksOf([['lan', .2], ['wifi', 5, .005], ['4g', 40, .005], ['atlantic', 90, .001], ['bad', 150, .05], ['satellite', 600, .01]]
	.flatMap(([name, rtt, loss]) => latencies(network(name, rtt, loss), { 10: [rtt / 2 + .1, rtt / 2 + .1, rtt / 2 + .1, rtt + .1, rtt + 50],
		100: [[rtt, rtt * 4], rtt, null, rtt, rtt] })));

/** @param {object} [wanted] */
function layOut(wanted) {
	return layoutOf({ networks: SIX, rate: 10, transports: ALL, width: 600, height: 440, ...wanted });
}

test('all marks and whiskers are within the frame, on a phone too', () => {
	for (const width of [260, 320, 600, 1100])
		for (const rate of [10, 100]) {
			const { series, left, right, top, bottom } = layOut({ width, rate });
			for (const { x, y, high } of series.flatMap(({ marks }) => marks.filter(Boolean)))
				assert.ok(x > left && x < right && y < bottom && high > top && high <= y, `${width}: ${x} ${y} ${high}`);
		}
});

test('further is to the right, slower is higher, equal ratios are equal steps', () => {
	const { networks, series } = layOut();
	const xs = networks.map(({ x }) => x);
	assert.deepEqual(xs, [...xs].sort((a, b) => a - b));
	const [wifi, fourG, , bad, far] = series[0].marks.slice(1);
	assert.ok(wifi.y > fourG.y && fourG.y > bad.y && bad.y > far.y);
	assert.ok(Math.abs((xs[2] - xs[1]) / (xs[5] - xs[4]) - Math.log(8) / Math.log(4)) < 1e-9);
});

test('marks of one network stand side by side around it', () => {
	const { networks, series } = layOut();
	const xs = series.map(({ marks }) => marks[2].x);
	assert.equal(new Set(xs).size, 5);
	assert.ok(Math.abs(xs.reduce((sum, x) => sum + x) / 5 - networks[2].x) < 1e-9);
});

test('a transport without a figure breaks its line there, and one that is hidden takes no room', () => {
	assert.deepEqual(layOut({ rate: 100 }).series[2].marks, [null, null, null, null, null, null]);
	const { series, networks } = layOut({ transports: ['poll'] });
	assert.deepEqual(series.map(({ transport }) => transport), ['poll']);
	assert.equal(series[0].marks[0].x, networks[0].x);
});

test('the whisker ends at the p90', () => {
	const [{ p50, p90, y, high }] = layOut({ rate: 100 }).series[0].marks;
	assert.deepEqual([Math.round(p50), Math.round(p90)], [200, 800]);
	assert.ok(high < y);
});

test('a mark’s area grows with the loss', () => {
	const area = (loss) => radiusOf(loss) ** 2;
	assert.ok(Math.abs(area(.05) - area(.01) - 4 * (area(.01) - area(0))) < 1e-9);
});

test('a network without delay, and one network alone, can be drawn', () => {
	const zero = networksOf(latencies(network('none', 0), { 10: [.1, .1, .1, .1, 50] }));
	const { networks, series, xTicks } = layOut({ networks: zero });
	assert.ok([networks[0].x, ...series.flatMap(({ marks }) => marks.flatMap(({ x, y, high }) => [x, y, high]))].every(Number.isFinite));
	assert.ok(xTicks.length > 0);
});

test('labels that would touch stand in different rows, within the picture', () => {
	const labels = [['lan', 20], ['wifi', 90], ['4g', 140], ['atlantic', 150], ['bad', 165], ['satellite', 238]]
		.map(([text, x]) => ({ text, x }));
	const rows = rowsOf(labels, 240);
	const width = (i) => labels[i].text.length * 6;
	rows.forEach((one, i) => {
		assert.ok(one.x - width(i) / 2 >= 0 && one.x + width(i) / 2 <= 240);
		rows.slice(0, i).forEach((other, j) => assert.ok(one.row !== other.row ||
			one.x - width(i) / 2 >= other.x + width(j) / 2, `${labels[i].text} on ${labels[j].text}`));
	});
	assert.deepEqual(rows.slice(0, 2).map(({ row }) => row), [0, 0]);
});

test('transports differ in the shape of their marks', () => {
	const shapes = ALL.map((transport) => outlineOf(transport, 10, 10, 4));
	assert.equal(new Set(shapes).size, 5);
	assert.ok(shapes.every((shape) => /^M[\d. Lacza01Z-]+Z$/.test(shape)), shapes.join('\n'));
});

test('the nearest network is found', () => {
	assert.equal(nearestTo([{ x: 10 }, { x: 50 }, { x: 60 }], 54), 1);
	assert.equal(nearestTo([{ x: 10 }, { x: 50 }], -100), 0);
});
