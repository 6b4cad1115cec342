// The results that the sections ask for, and why one has no figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	casesOf, columnsOf, firstCases, has, hasSeveralServers, nameOf, refusal, timelinesOf, unitOf,
} from '../../bench/report/results.mjs';
import { result } from './measured.mjs';

const fanout = (transport, params, figures, more) => ({ ...result(undefined, transport, 'fanout', params, figures), ...more });
const column = (name, unit = 'B') => ({ name, heading: name, meaning: name, unit });

test('the results of a scenario are grouped by case, in the order of the report', () => {
	const report = { figures: {}, results: [fanout('sse', { burst: 10 }, { cpu: 1 }), fanout('sse', { burst: 1 }, { cpu: 2 }),
		fanout('poll', { burst: 10 }, { cpu: 3 }), result({ name: 'lan' }, 'sse', 'net-bytes', { rate: 1 }, {})] };
	assert.deepEqual(casesOf(report, 'fanout').map(({ params, results }) => [params, results.length]),
		[[{ burst: 10 }, 2], [{ burst: 1 }, 1]]);
	assert.deepEqual(casesOf(report, 'net-bytes')[0].params, { network: 'lan', rate: 1 });
	assert.deepEqual(casesOf(report, 'latency'), []);
	assert.equal(firstCases(report, ['fanout']), 'fan-out: bursts of 10');
});

test('a name has the server only where there are several', () => {
	const one = fanout('sse', {}, {}), other = { ...one, server: 'nchan' };
	assert.equal(hasSeveralServers({ results: [one, one] }), false);
	assert.equal(nameOf({ results: [one] }, one), 'sse');
	assert.equal(nameOf({ results: [one, other] }, other), 'sse, nchan');
});

test('a table has the columns that have a figure, and bytes of TLS only if there are some', () => {
	const report = { figures: { fanout: [column('down_tls'), column('down_total'), column('absent')] } };
	const names = (figures) => columnsOf(report, 'fanout', [fanout('sse', {}, figures)]).map(({ name }) => name);
	assert.deepEqual(names({ down_tls: 0, down_total: 5 }), ['down_total']);
	assert.deepEqual(names({ down_tls: 1, down_total: 5 }), ['down_tls', 'down_total']);
	assert.deepEqual(columnsOf(report, 'unknown', []), []);
	assert.equal(has([fanout('sse', {}, { cpu: 1 })], 'cpu'), true);
	assert.equal(unitOf(report, { scenario: 'fanout', figure: 'down_total' }), 'B');
});

test('a result without figures says why', () => {
	assert.equal(refusal(fanout('sse', {}, { cpu: 1 }, { refused: 'lost 3' })), '');
	assert.equal(refusal(fanout('sse', {}, {}, { refused: 'lost 3' })), 'no figures, because they would be of less work: lost 3');
	assert.equal(refusal(fanout('sse', {}, {}, { repeats: [{ skipped: 'no sse' }, { error: 'timed out' }] })), 'failed: timed out');
	assert.equal(refusal(fanout('sse', {}, {}, { repeats: [{ skipped: 'no sse' }] })), 'no sse');
	assert.equal(refusal(fanout('sse', {}, {})), 'no figures');
});

test('a timeline is that of the first repeat that has one', () => {
	const with_ = fanout('sse', { burst: 1 }, {}, { repeats: [{ timeline: [] }, { timeline: [[0, 5]] }] });
	const report = { results: [with_, fanout('poll', { burst: 1 }, {}), fanout('poll', { burst: 10 }, {})] };
	assert.deepEqual(timelinesOf(report, 'fanout'), [{ params: { burst: 1 }, results: [with_] }]);
});
