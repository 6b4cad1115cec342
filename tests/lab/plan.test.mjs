// What a session of the lab does, and which paths are run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../bench/lab/options.mjs';
import { choosePaths, listPaths } from '../../bench/lab/paths.mjs';
import { planSession, planWaits } from '../../bench/lab/plan.mjs';
import { formatPage } from '../../bench/lab/page.mjs';
import { createRandom } from '../../bench/lab/random.mjs';
import { chooseFaults, endBroken, listFaults, tellOutcome, tellWrong } from '../../bench/lab/soak.mjs';
import { summarise } from '../../bench/lab/table.mjs';

const PROFILE = { name: 'one', sentence: 'One <b>.', quick: true, expected: {} };
const CELL = { verdict: /** @type {const} */ ('dead'), how: 'a <b> & "c"', expected: 'works' };
const ROW = { ...PROFILE, cells: { sse: CELL }, client: { transport: 'poll', first: 1200, lost: 1, doubled: 0, reordered: 0,
	recovered: 3, reconnects: 0, reasons: ['poll: the rest'], wrong: ['1 lost'] }, misjudged: ['says <b>'] };

test('a quick session has one silence, of 6 s', () => {
	const silences = planSession(PROFILE, true).filter((step) => step.do === 'silence');
	assert.deepEqual(silences, [{ do: 'silence', ms: 6000 }]);
});

test('a path that is slow by nature is given a silence of more than 30 s', () => {
	const [silence] = planSession({ ...PROFILE, quick: false }, false).filter((step) => step.do === 'silence');
	assert.ok(silence.do === 'silence' && silence.ms > 30000);
});

test('what the path itself takes is waited for', () => {
	const { first } = planWaits(PROFILE, true, 'sse');
	assert.equal(planWaits({ ...PROFILE, stall_seconds: 5 }, true, 'sse').first, first + 5000);
});

test('each name of the quick list is one path', () => {
	const quick = choosePaths({ quick: true });
	assert.ok(quick.length > 20);
	assert.equal(new Set(listPaths().map(({ name }) => name)).size, listPaths().length);
});

test('two products speak TLS to the gateway in the quick list, and so do two that do not trust it in the other', () => {
	const ofSecure = (/** @type {boolean} */ quick) => choosePaths({ quick }).filter(({ secure }) => secure);
	assert.deepEqual(ofSecure(true).map(({ product, expected }) => [product, expected.websocket]), [['nginx', 'works'], ['haproxy', 'works']]);
	assert.deepEqual(ofSecure(false).filter(({ expected }) => expected.poll === 'dead').map(({ product }) => product), ['nginx', 'haproxy']);
});

test('paths are chosen by name and by product', () => {
	assert.deepEqual(choosePaths({ quick: false, profiles: ['strip'] }).map(({ name }) => name), ['strip']);
	assert.ok(choosePaths({ quick: false, profiles: ['nginx'] }).every(({ product }) => product === 'nginx'));
	assert.throws(() => choosePaths({ quick: false, profiles: ['nobody'] }), /nobody/);
});

test('an option that does not exist and a transport that does not exist are refused', () => {
	assert.throws(() => parseOptions(['--quik']));
	assert.throws(() => parseOptions(['--list', '--transports=carrier']), /carrier/);
});

test('the summary counts what is worse than expected, and where the client or the diagnosis was wanting', () => {
	const { paths, cells, worse, wrong, misjudged, lost } = summarise([ROW]);
	assert.deepEqual([paths, cells, worse, lost], [1, 1, 1, 1]);
	assert.deepEqual(wrong, [{ name: 'one', wrong: ['1 lost'] }]);
	assert.deepEqual(misjudged, [{ name: 'one', misjudged: ['says <b>'] }]);
});

test('the page loads nothing and escapes what a path says', () => {
	const page = formatPage({ rows: [ROW], transports: ['sse'], at: 'now', mode: 'quick' });
	assert.doesNotMatch(page, /<b>|src=|href=|@import/);
	assert.match(page, /says &lt;b&gt;/);
	assert.match(page, /3 recovered late/);
	assert.match(page, /a &lt;b&gt; &amp; &quot;c&quot;/);
	assert.match(page, /prefers-color-scheme: dark/);
});

test('the soak chooses the same faults for the same seed, other ones for another', () => {
	const faults = listFaults([{ ...PROFILE, faults: ['strip-upgrade', 'lag-one', 'hole'] }]);
	const choose = (/** @type {number} */ seed) => {
		const random = createRandom(seed);
		return Array.from({ length: 20 }, () => chooseFaults(random, faults));
	};
	assert.deepEqual(choose(1), choose(1));
	assert.notDeepEqual(choose(1), choose(2));
	assert.ok(choose(1).some((chosen) => !chosen.length));
});

test('a tunnel from which bytes were left out is cut when the fault goes', () => {
	assert.deepEqual(endBroken(['half-down']), ['cut=rst']);
	assert.deepEqual(endBroken(['strip-upgrade']), []);
});

test('the soak is well when everything came once', () => {
	assert.deepEqual(tellWrong({ lost: 0, doubled: 0 }), []);
	assert.deepEqual(tellWrong({ lost: 2, doubled: 0 }), ['2 lost']);
	assert.equal(tellOutcome([], 0), 'all messages arrived once, in order');
	assert.equal(tellOutcome([], 3), 'all messages arrived once, 3 of them late');
	assert.equal(tellOutcome(['2 lost'], 3), '2 lost');
});
