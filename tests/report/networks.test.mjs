// How the report gathers figures by network, and when it calls them equal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsOf, kindInWords, linkCostOf, mainRateOf, networksOf, ratesOf, ties } from '../../bench/report/networks.mjs';
import { latencies, result, spread } from './measured.mjs';

const FAR = { name: 'far', rtt_ms: 100, jitter_ms: 0, loss: 0, down_mbit: 0, up_mbit: 0 };
const NEAR = { ...FAR, name: 'near', rtt_ms: 1 };

test('networks are in the order of their round trips, transports in that of the report', () => {
	const results = [...latencies(FAR, { 10: [50, 50, 50, 50, 90] }).reverse(),
		...latencies(NEAR, { 10: [1, 1, 1, 1, 40] }).reverse()];
	const networks = networksOf(results);
	assert.deepEqual(networks.map(({ kind }) => kind.name), ['near', 'far']);
	assert.deepEqual(networks[0].entries.map(({ transport }) => transport),
		['websocket', 'sse', 'stream', 'longpoll', 'poll']);
	assert.equal(networks[1].entries[4].latency[10].p50.median, 90000);
});

test('each figure comes from its scenario', () => {
	const [{ entries: [entry] }] = networksOf([
		...latencies(FAR, { 1: [50, null, null, null, null] }),
		result(FAR, 'websocket', 'net-connect', {}, { connect_p50_us: 1, connect_p90_us: 2,
			first_fresh_p50_us: 3, first_resumed_p50_us: 4 }),
		result(FAR, 'websocket', 'net-recovery', { cut_s: 1 }, { recovery_us: 5 }),
		result(FAR, 'websocket', 'net-recovery', { cut_s: 10 }, { recovery_us: 6 }),
		result(FAR, 'websocket', 'net-bytes', { rate: 10 }, { link_bytes_down_per_message: 7,
			link_bytes_up_per_message: 8, link_retransmitted_bytes_per_message: 9 }),
		result(FAR, 'websocket', 'net-publish', {}, { publish_p50_us: 10 }),
	]);
	assert.deepEqual([entry.connect.p50, entry.connect.p90, entry.fresh.p50, entry.resumed.p50,
		entry.recovery[1], entry.recovery[10], entry.bytes.down, entry.bytes.up, entry.bytes.again,
		entry.publish.p50].map(({ median }) => median), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('plain results and other scenarios over a network are no networks of the picture', () => {
	const { network, ...plain } = result(FAR, 'sse', 'latency', {}, { p50_us: 1 });
	assert.deepEqual(networksOf([plain, result(FAR, 'sse', 'overhead', {}, { down_total: 1 })]), []);
});

test('what is not one of the five transports takes no part', () => {
	const [network] = networksOf([...latencies(FAR, { 10: [50, 50, 50, 50, 90] }),
		result(FAR, 'http', 'net-publish', {}, { publish_p50_us: 100000 })]);
	assert.equal(network.entries.some(({ transport }) => transport === 'http'), false);
});

test('a doubtful result makes its own figures doubtful, and no others', () => {
	const results = latencies(FAR, { 1: [50, null, null, null, null], 10: [50, null, null, null, null] });
	results[1].doubtful = 1;
	const [{ entries: [{ latency }] }] = networksOf(results);
	assert.deepEqual([latency[1].p50.doubtful, latency[10].p50.doubtful, latency[10].p99.doubtful], [false, true, true]);
});

test('a network measured on two servers is two', () => {
	const other = latencies(FAR, { 10: [60, null, null, null, null] }).map((one) => ({ ...one, server: 'ws' }));
	assert.deepEqual(networksOf([...latencies(FAR, { 10: [50, 50, 50, 50, 90] }), ...other])
		.map(({ server, entries }) => [server, entries.length]), [['sluice', 5], ['ws', 1]]);
});

test('the verdict is about the rate nearest to ten a second', () => {
	const networks = networksOf(latencies(FAR, { 100: [1, 1, 1, 1, 1], 1: [1, 1, 1, 1, 1], 10: [1, 1, 1, 1, 1] }));
	assert.deepEqual(ratesOf(networks), [1, 10, 100]);
	assert.equal(mainRateOf([1, 10, 100]), 10);
	assert.equal(mainRateOf([1, 5, 200]), 5);
});

test('figures tie when their ranges overlap', () => {
	assert.equal(ties(spread(100, .1), spread(115, .1)), true);
	assert.equal(ties(spread(100, .01), spread(115, .01)), false);
});

test('figures tie when they differ by less than matters', () => {
	assert.equal(ties(spread(100, 0), spread(104, 0)), true);
	assert.equal(ties(spread(100, 0), spread(106, 0)), false);
	assert.equal(ties(spread(0, 0), spread(0, 0)), true);
});

test('times tie when they differ by less than the link itself is late; bytes do not', () => {
	const measure = (late) => networksOf(['websocket', 'sse'].flatMap((transport, i) => [
		result(FAR, transport, 'net-latency', { rate: 10 }, { latency_p50_us: 300 + 100 * i, link_late_p99_us: late }),
		result(FAR, transport, 'net-bytes', {}, { link_bytes_down_per_message: 300 + 100 * i, link_late_p99_us: late }),
	]))[0].entries;
	const groups = (late, pick) => groupsOf(measure(late), pick).length;
	assert.equal(groups(120, ({ latency }) => latency[10].p50), 1);
	assert.equal(groups(80, ({ latency }) => latency[10].p50), 2);
	assert.equal(groups(120, ({ bytes }) => bytes.down), 2);
});

test('a group holds what ties with its best, and a chain of small steps is not one group', () => {
	const entries = networksOf(latencies(FAR, { 10: [100, 104, 108, null, 300] }))[0].entries;
	const groups = groupsOf(entries, ({ latency }) => latency[10]?.p50);
	assert.deepEqual(groups.map((group) => group.map(({ entry }) => entry.transport)),
		[['websocket', 'sse'], ['stream'], ['poll']]);
});

test('a network is described by what it has', () => {
	assert.equal(kindInWords({ name: '4g', rtt_ms: 40, jitter_ms: 10, loss: .005, down_mbit: 20, up_mbit: 5 }),
		'40 ms round trip + up to 10 ms jitter, 0.5 % loss, 20 Mbit/s down, 5 Mbit/s up');
	assert.equal(kindInWords({ name: 'lan', rtt_ms: .2, jitter_ms: 0, loss: 0, down_mbit: 0, up_mbit: 0 }),
		'0.2 ms round trip, no loss');
});

test('the link’s own cost is the most of all measurements, and nothing where it was not measured', () => {
	const cost = (share, late) => result(FAR, 'sse', 'net-bytes', { share }, { link_cpu_share: share, link_late_p99_us: late });
	assert.match(linkCostOf(networksOf([cost(.02, 70), cost(.11, 40)])[0]), /11 % of a core.*70 µs late/);
	assert.equal(linkCostOf(networksOf(latencies(FAR, { 10: [1, 1, 1, 1, 1] }))[0]), '');
});
