// How the lab judges what it has seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProfiles } from '../../bench/lab/paths.mjs';
import { formatTap } from '../../bench/lab/tap.mjs';
import { count, firstLimit, judgeCell, judgeClient, judgeDiagnosis } from '../../bench/lab/verdict.mjs';

const WORKS = { websocket: 'works', sse: 'works', stream: 'works', longpoll: 'works', poll: 'works' };
const PROFILE = { name: 'one', sentence: 'One.', faults: [], expected: WORKS };

/** A session in which ten messages came, 20 ms late.
 * @param {object} [changes] */
function see(changes) {
	const sent = new Map(Array.from({ length: 10 }, (_, n) => [n, n * 100]));
	const got = new Map([...sent].map(([n, at]) => [n, at + 20]));
	return { limit: 6000, first: 20, base: 0, sent, got, doubled: 0, reordered: 0, gaps: 0, lost: 0,
		transports: [{ at: 15, from: null, to: 'sse', why: 'first' }], troubles: [], publishes: [{ at: 900, ms: 5 }], transport: 'sse', state: 'open', ended: 2000, ...changes };
}

/** @param {ReturnType<typeof see>} seen @param {number[]} numbers */
function without(seen, ...numbers) {
	numbers.forEach((n) => seen.got.delete(n));
	return seen;
}

test('a session without trouble works', () => {
	assert.deepEqual(judgeCell(PROFILE, 'sse', see()), { verdict: 'works', how: '', expected: 'works', first: 20, late: 20 });
});

test('a path on which no message came is dead, with the last reason, from when that was first found', () => {
	const never = { first: Infinity, base: Infinity, got: new Map() };
	const troubles = [['it was slow', 3], ['it broke', 40], ['it broke', 900]].map(([why, at]) => ({ at, transport: 'sse', why }));
	const { verdict, how, after } = judgeCell(PROFILE, 'sse', see({ ...never, troubles }));
	assert.deepEqual([verdict, how, after], ['dead', 'it broke', 40]);
	assert.deepEqual(judgeCell(PROFILE, 'sse', see(never)), { verdict: 'dead', how: 'no message arrived', after: 6000, expected: 'works' });
});

test('a transport whose messages came before it was given up unproven is dead', () => {
	const { verdict, how } = judgeCell(PROFILE, 'sse', see({ transports: [], troubles: [{ at: 1, transport: 'sse', why: 'held back' }] }));
	assert.deepEqual([verdict, how], ['dead', 'held back']);
});

test('a path on which messages ceased is dead after the last that came', () => {
	const { verdict, after } = judgeCell(PROFILE, 'sse', without(see(), 8, 9));
	assert.deepEqual([verdict, after], ['dead', 720]);
});

test('messages before the first that came do not count', () => {
	assert.deepEqual(count(without(see({ base: 2 }), 0, 1)), { lost: 0, missing: 0, median: 20, worst: 20 });
});

test('a message that is missing before one that came is lost, behind the last it is late', () => {
	const { lost, missing } = count(without(see(), 4, 9));
	assert.deepEqual([lost, missing], [1, 1]);
});

for (const [what, changes, how] of /** @type {[string, object, RegExp][]} */ ([
	['connects again', { lost: 2 }, /connected again twice/],
	['doubles', { doubled: 1 }, /1 doubled/],
	['cannot publish', { publishes: [{ at: 900, why: 'forbidden' }] }, /publishing failed: forbidden/],
	['begins late', { first: 5000 }, /first message took 5.0 s/],
]))
	test(`a transport that ${what} is degraded`, () => {
		const cell = judgeCell(PROFILE, 'sse', see(changes));
		assert.equal(cell.verdict, 'degraded');
		assert.match(cell.how, how);
	});

test('messages that come late degrade a transport, short poll only beyond its interval', () => {
	const seen = see();
	seen.got.forEach((at, n) => seen.got.set(n, at + 500));
	assert.match(judgeCell(PROFILE, 'longpoll', seen).how, /0.5 s late/);
	assert.equal(judgeCell(PROFILE, 'poll', seen).verdict, 'works');
});

test('the first message has 4 s, 2 s where what is blocked is refused at once, and a stall 2 s more', () => {
	assert.equal(firstLimit(PROFILE), 4);
	assert.equal(firstLimit({ ...PROFILE, refuses: true }), 2);
	assert.equal(firstLimit({ ...PROFILE, stall_seconds: 5 }), 7);
});

test('a client that delivers everything is not wrong', () => {
	const client = judgeClient(PROFILE, {}, see({ transports: [{ at: 1, from: null, to: 'sse', why: 'websocket: refused' }] }));
	assert.deepEqual(client.wrong, []);
	assert.deepEqual(client.reasons, ['sse: websocket: refused']);
});

test('a client that recovers what the path loses is not wrong, and says how much', () => {
	const client = judgeClient(PROFILE, {}, see({ recovered: 3 }));
	assert.deepEqual([client.wrong, client.recovered], [[], 3]);
});

for (const [what, seen] of /** @type {[string, any][]} */ ([
	['loses', without(see(), 4)], ['doubles', see({ doubled: 1 })], ['reorders', see({ reordered: 1 })],
	['tells a gap', see({ gaps: 1 })], ['stops', without(see(), 9)], ['is late', see({ first: 4100 })],
]))
	test(`a client that ${what} is wrong`, () => assert.equal(judgeClient(PROFILE, {}, seen).wrong.length, 1));

test('a client is not wrong to deliver nothing where no transport works', () => {
	const dead = { verdict: /** @type {const} */ ('dead'), how: '' };
	const seen = see({ first: Infinity, base: Infinity, got: new Map() });
	assert.deepEqual(judgeClient(PROFILE, { sse: dead, poll: dead }, seen).wrong, []);
	assert.equal(judgeClient(PROFILE, { sse: dead, poll: { verdict: 'degraded', how: '' } }, seen).wrong.length, 1);
});

test('a client that is not back on websocket in time is wrong', () => {
	assert.deepEqual(judgeClient(PROFILE, {}, see({ recovery: 31000 })).wrong, []);
	assert.equal(judgeClient(PROFILE, {}, see({ recovery: Infinity })).wrong.length, 1);
});

/** @param {Record<string, 'works' | 'degraded' | 'dead'>} states */
const diagnose = (states) => ({ verdict: 'Words.', transports: Object.fromEntries(Object.entries(states).map(([name, state]) => [name, { state }])) });
/** @param {'works' | 'degraded' | 'dead'} verdict @param {'works' | 'degraded' | 'dead'} [expected] */
const measured = (verdict, expected = verdict) => ({ sse: { verdict, how: '', expected } });

test('a diagnosis may take a flaw for none', () => {
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('degraded'), diagnose({ sse: 'works' })), []);
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('works'), diagnose({ sse: 'degraded' })), []);
});

test('a diagnosis is wrong that calls dead what works, alive what is dead, or says nothing', () => {
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('works'), diagnose({ sse: 'dead' })), ['the diagnosis says sse dead, measured works']);
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('dead'), diagnose({ sse: 'degraded' })), ['the diagnosis says sse degraded, measured dead']);
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('dead'), diagnose({})), ['the diagnosis says sse nothing, measured dead']);
});

test('a diagnosis is not wrong that says what was expected where it went otherwise this time', () => {
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('degraded', 'dead'), diagnose({ sse: 'dead' })), []);
	assert.deepEqual(judgeDiagnosis(PROFILE, measured('dead', 'works'), diagnose({ sse: 'works' })), []);
});

test('a diagnosis is not held against a fault that it cannot see, and each of those says why', () => {
	assert.deepEqual(judgeDiagnosis({ ...PROFILE, unseen: 'it begins late' }, measured('dead'), diagnose({ sse: 'works' })), []);
	for (const { name, unseen } of readProfiles())
		assert.ok(unseen === undefined || unseen.length > 10, name);
});

test('a diagnosis that is wrong is a test of its own that fails', () => {
	const row = { name: 'one', sentence: 'One.', cells: {}, client: judgeClient(PROFILE, {}, see()), misjudged: [] };
	assert.match(formatTap([row], []), /ok - the diagnosis of one\n1\.\.2\n# pass 2\n# fail 0/);
	assert.match(formatTap([{ ...row, misjudged: ['what'] }], []), /\nnot ok - the diagnosis of one\n# what\n1\.\.2\n# pass 1\n# fail 1/);
});
