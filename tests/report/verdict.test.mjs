// What the report says of a network follows from the figures alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networksOf } from '../../bench/report/networks.mjs';
import { verdictOf } from '../../bench/report/verdict.mjs';
import { latencies, result, spread } from './measured.mjs';

const QUIET = { name: 'quiet', rtt_ms: 100, jitter_ms: 0, loss: 0, down_mbit: 0, up_mbit: 0 };
const LOSSY = { ...QUIET, loss: .05 };
const ROUND_TRIP = /a long-poll pays up to one more round trip for each message that comes within one round trip of the last/;

/** @param {...object} results of one network */
function judge(...results) {
	return verdictOf(networksOf(results.flat())[0]);
}

/** Has one note that matches, and none that matches otherwise. */
function assertNote(notes, pattern) {
	assert.ok(notes.some((note) => pattern.test(note)), `${pattern} is not in\n${notes.join('\n')}`);
}

test('the least p50 wins, by its distance to the next, with the reason that the figures show', () => {
	const { winners, sentence, notes } = judge(latencies({ ...QUIET, rtt_ms: 600 }, { 10: [302, 340, 370, 610, 700] }));
	assert.deepEqual(winners, ['websocket']);
	assert.equal(sentence, 'WebSocket wins with a p50 of 302 ms at 10 messages/s, 38 ms ahead of SSE (13 % longer); ' +
		'the figures give no reason.');
	assertNote(notes, /^Long-poll needs 610 ms: a long-poll pays up to/);
	assertNote(notes, /^Poll needs 700 ms: a poll gets a message only when it asks again\.$/);
});

test('overlapping ranges are a tie, named in the order of the tables', () => {
	const results = latencies(QUIET, { 10: [51, 50, 50.5, 101, 120] });
	results[0].summary.latency_p50_us = spread(51000, .05);
	const { winners, sentence } = judge(results);
	assert.deepEqual(winners, ['websocket', 'sse', 'stream']);
	assert.match(sentence, /^WebSocket, SSE and stream tie with a p50 of 50 ms to 51 ms at 10 messages\/s, 51 ms ahead of long-poll/);
});

test('where only their ranges say that they tie, the sentence says so', () => {
	const results = latencies({ ...QUIET, rtt_ms: 150 }, { 10: [75, 75, 75, 150, 600] });
	results[3].summary.latency_p50_us = { median: 150000, min: 74000, max: 400000, count: 3 };
	assert.match(judge(results).sentence, /^WebSocket, SSE, stream and long-poll tie with a p50 of 75 ms to 150 ms at 10 messages\/s \(their ranges overlap\), /);
});

test('and where only the link’s lateness says so', () => {
	const results = latencies({ ...QUIET, rtt_ms: .2 }, { 10: [.3, .35, .3, .36, 500] });
	results.forEach(({ summary }) => Object.assign(summary, { link_late_p99_us: spread(100) }));
	assert.match(judge(results).sentence, /^WebSocket, SSE, stream and long-poll tie .* \(they differ by less than the delay of the emulated link itself\), /);
});

test('a long-poll that is half a round trip behind pays it when messages come within one', () => {
	const slow = { ...QUIET, rtt_ms: 150 };
	assert.match(judge(latencies(slow, { 10: [75, 75, 75, 150, 190] })).sentence, new RegExp(`because ${ROUND_TRIP.source}\\.$`));
});

test('where messages come further apart than that, the round trip is no reason', () => {
	const { sentence, notes } = judge(latencies({ ...QUIET, rtt_ms: 80 }, { 1: [40, 40, 40, 90, 500], 10: [40, 40, 40, 120, 190] }));
	assert.match(sentence, /ahead of long-poll \(3\.0 times as long\); the figures give no reason\.$/);
	assert.equal(notes.some((note) => note.includes('round trip')), false);
});

test('a long-poll that is little behind is given no such reason', () => {
	const { sentence } = judge(latencies({ ...QUIET, rtt_ms: 150 }, { 10: [75, 75, 75, 81, 190] }));
	assert.match(sentence, /ahead of long-poll \(8\.0 % longer\); the figures give no reason\.$/);
});

test('the long-poll’s round trip is reported at the rate at which it begins', () => {
	const { sentence, notes } = judge(latencies(QUIET, { 1: [50, 50, 50, 50, 90], 10: [50, 50, 50, 50, 90], 100: [50, 50, 50, 100, 90] }));
	assert.match(sentence, /^WebSocket, SSE, stream and long-poll tie/);
	assertNote(notes, new RegExp(`^At 100 messages/s long-poll is 50 ms behind, because ${ROUND_TRIP.source}\\.$`));
	assert.equal(notes.filter((note) => note.startsWith('At 1 ')).length, 0);
});

test('and the rate at which it is not paid yet is too', () => {
	const { notes } = judge(latencies({ ...QUIET, rtt_ms: 150 }, { 1: [75, 75, 75, 86, 90], 10: [75, 75, 75, 150, 190] }));
	assertNote(notes, /^At 1 message\/s long-poll is only 11 ms behind: its next request arrives before the next message\.$/);
	assertNote(judge(latencies({ ...QUIET, rtt_ms: 150 }, { 1: [75, 75, 75, 76, 90], 10: [75, 75, 75, 150, 190] })).notes,
		/^At 1 message\/s long-poll is not behind: /);
});

test('another rate’s other winner is named', () => {
	const { notes } = judge(latencies(QUIET, { 10: [50, 50, 50, 100, 90], 100: [300, 300, 300, 310, 90] }));
	assertNote(notes, /^Poll wins with a p50 of 90 ms at 100 messages\/s\.$/);
});

test('a tail is reported as loss where the network loses enough for it', () => {
	const isTold = ({ notes }) => notes.some((note) => note.startsWith('A lost packet'));
	const times = { 10: [[75, 80, 400], [75, 80, 410], [75, 80, 405], [150, 160, 170], [190, 195, 199]] };
	assertNote(judge(latencies(LOSSY, times)).notes,
		/^A lost packet holds back the messages behind it: 1 of 100 over WebSocket takes 400 ms or more, 5\.3 times the p50\. Long-poll has the least p99, 170 ms\.$/);
	assert.equal(isTold(judge(latencies(QUIET, times))), false);
	assert.equal(isTold(judge(latencies({ ...QUIET, loss: .001 }, times))), false, 'too few of a hundred are held back');
	assert.equal(isTold(judge(latencies(LOSSY, { 10: [75, 75, 75, 150, 190] }))), false);
});

test('without a p99 the tail is the p90, if loss holds back one of ten', () => {
	const results = latencies({ ...LOSSY, rtt_ms: 150 }, { 10: [[75, 160], [75, 160], [75, 160], [150, 300], [190, 300]] });
	results.forEach(({ summary }) => delete summary.latency_p99_us);
	assertNote(judge(results).notes, /: 1 of 10 over WebSocket takes 160 ms or more, 2\.1 times the p50\./);
	results.forEach(({ network }) => Object.assign(network, { loss: .005 }));
	assert.equal(judge(results).notes.some((note) => note.includes('lost')), false);
});

test('what a saturated generator measured is doubted, if it was compared', () => {
	const results = latencies(QUIET, { 10: [50, 50, 50, 60, 500] });
	const isDoubted = (i) => judge(results.with(i, { ...results[i], doubtful: 1 })).notes.some((note) => note.includes('saturated'));
	assert.deepEqual([isDoubted(0), isDoubted(3), isDoubted(4)], [true, true, false]);
});

test('a transport that loss holds back more than the best is behind for that reason', () => {
	const behind = (p99) => judge(latencies(LOSSY, { 10: [[75, 80, 200], [90, 99, p99], [90, 99, p99], [150, 160, 170], [190, 195, 199]] }));
	assert.match(behind(800).sentence, /ahead of SSE and stream \(20 % longer\), because a lost packet holds back all messages behind it/);
	assert.match(behind(201).sentence, /the figures give no reason/);
});

test('two reasons for two that tie behind the best', () => {
	const { sentence } = judge(latencies({ ...QUIET, rtt_ms: 150 }, { 10: [75, 75, 75, 150, 150] }));
	assert.match(sentence, /ahead of long-poll and poll \(2\.0 times as long\), because a long-poll pays .*, and a poll gets/);
});

test('all that tie have no next, and one alone is not said to have beaten anybody', () => {
	assert.match(judge(latencies(QUIET, { 10: [50, 50, 50, 50, 50] })).sentence, /tie with a p50 of 50 ms at 10 messages\/s; no transport is slower\.$/);
	assert.match(judge(latencies(QUIET, { 10: [null, 50, null, null, null] })).sentence, /^SSE wins .*; no other transport has a figure\.$/);
});

test('without a latency there is no winner', () => {
	const upload = (transport, bytes) => result(QUIET, transport, 'net-bytes', {}, { link_bytes_up_per_message: bytes });
	const { winners, sentence, notes } = judge(upload('sse', 50), upload('longpoll', 500));
	assert.deepEqual([winners, sentence], [[], 'No latency was measured on this network.']);
	assertNote(notes, /^A message over long-poll costs 500 B of upload/);
});

const bytes = (network, transport, down, up, again) => result(network, transport, 'net-bytes', { rate: 10 },
	{ link_bytes_down_per_message: down, link_bytes_up_per_message: up, link_retransmitted_bytes_per_message: again });

test('an upload of at least twice the least is reported, with its share of a narrow link', () => {
	const both = (network) => judge(latencies(network, { 10: [50, null, null, 50, null] }),
		bytes(network, 'websocket', 100, 50, 0), bytes(network, 'longpoll', 300, 600, 0)).notes;
	assertNote(both(QUIET), /^A message over long-poll costs 600 B of upload, with its share of requests; over WebSocket it costs 50 B\.$/);
	assertNote(both({ ...QUIET, up_mbit: .1 }), /receives 10 messages\/s uses 48 % of the upload rate\.$/);
	assert.equal(judge(latencies(QUIET, { 10: [50, 50, null, null, null] }), bytes(QUIET, 'websocket', 100, 50, 0),
		bytes(QUIET, 'sse', 100, 60, 0)).notes.length, 0);
});

test('what is sent again is reported from one percent on', () => {
	const with_ = (again) => judge(latencies(LOSSY, { 10: [50, 50, null, null, null] }),
		bytes(LOSSY, 'websocket', 100, 100, again), bytes(LOSSY, 'sse', 100, 100, again * 2)).notes;
	assertNote(with_(5), /^TCP retransmissions add 2\.50 % \(WebSocket\) to 5 % \(SSE\) to the bytes on the link\.$/);
	assert.deepEqual(with_(.5), []);
});

test('recovery is of the longest cut: who is first, and who last', () => {
	const cut = (transport, cut_s, ms) => result(QUIET, transport, 'net-recovery', { cut_s }, { recovery_us: ms * 1000 });
	const of = (...cuts) => judge(latencies(QUIET, { 10: [50, 50, null, null, null] }), cuts).notes;
	assert.deepEqual(of(cut('websocket', 1, 100), cut('sse', 1, 900), cut('websocket', 10, 6000), cut('sse', 10, 2000)),
		['After a cut of 10 s SSE has all messages first, within 2 s; WebSocket is last with 6 s.']);
	assert.deepEqual(of(cut('websocket', 1, 800), cut('sse', 1, 805)),
		['After a cut of 1 s WebSocket and SSE have all messages within 800 ms to 805 ms.']);
});

test('opening is reported where it differs by half a round trip', () => {
	const open = (transport, ms) => result(QUIET, transport, 'net-connect', {}, { first_fresh_p50_us: ms * 1000 });
	const of = (...ms) => judge(latencies(QUIET, { 10: [50, 50, null, null, null] }), open('websocket', ms[0]), open('sse', ms[1])).notes;
	assert.deepEqual(of(350, 250), ['A new connection gets its first message first over SSE, after 250 ms (2.5 round trips); ' +
		'last over WebSocket, after 350 ms (3.5 round trips).']);
	assert.deepEqual(of(270, 250), []);
});
