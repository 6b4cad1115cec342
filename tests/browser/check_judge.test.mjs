// The judge of `make check-page`: it finds what is wrong with a report, and holds its peace where a
// reason is given.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { judgeCheck } from './check_judge.mjs';
import { names } from './gateway.mjs';

const { listPaths } = await import(pathToFileURL(resolve(process.env.SLUICE_LAB, 'paths.mjs')).href);
const { about, paths } = JSON.parse(readFileSync(new URL('check_paths.json', import.meta.url), 'utf8'));

const CODE = 'a code';

/** Measured: nothing gets through but polls. */
const cells = Object.fromEntries(names.map((name) => [name, { verdict: name.endsWith('poll') ? 'works' : 'dead' }]));
const client = { transport: 'longpoll' };

/** A report that agrees with it, but for these states. @param {Record<string, string>} [states] @param {object} [more] */
function report(states = {}, more = {}) {
	const transports = Object.fromEntries(names.map((name) => {
		const state = states[name] ?? cells[name].verdict;
		return [name, { state, class: state === 'dead' ? 'refused' : 'works' }];
	}));
	return { code: CODE, choice: 'longpoll', seconds: 6, transports, ...more };
}

/** @param {any} said @param {{ exception?: object, path?: object, read?: any, isTimed?: boolean }} [given] read: what the code says */
const judge = (said, { exception, path = {}, read = said, isTimed = true } = {}) =>
	judgeCheck(path, { cells, client }, said, { exception, isTimed, decodeCode: (code) => code === CODE ? read : undefined });

test('a report that agrees is right', () => {
	assert.deepEqual(judge(report()), []);
	assert.deepEqual(judge(report({ poll: 'degraded' })), [], 'a flaw is not death');
});

test('dead where the lab got through is wrong, and alive where it did not', () => {
	assert.deepEqual(judge(report({ poll: 'dead' })), ['the page says poll dead, measured works']);
	assert.deepEqual(judge(report({ sse: 'degraded' })), ['the page says sse degraded, measured dead']);
	assert.deepEqual(judge(report({ poll: 'dead' }), { exception: { states: { poll: 'chance' } } }), []);
	assert.deepEqual(judge(report({ poll: 'dead' }), { exception: { states: { sse: 'chance' } } }).length, 1);
	assert.deepEqual(judge(report({ poll: 'dead' }), { path: { unseen: 'it begins late' } }), []);
});

test('a transport is chosen that the page itself calls alive', () => {
	const words = ['the page chooses websocket, and says that longpoll, poll works'];
	for (const given of [{}, { exception: { choice: 'chance' } }, { path: { unseen: 'it begins late' } }])
		assert.deepEqual(judge(report({}, { choice: 'websocket' }), given), words);
	assert.deepEqual(judge(report({}, { choice: null })), ['the page chooses null, and says that longpoll, poll works']);
});

test('it is the one that the client ended on, or a living one for a reason', () => {
	const other = report({}, { choice: 'poll' });
	assert.deepEqual(judge(other), ['the page chooses poll, the client ended on longpoll']);
	assert.deepEqual(judge(other, { exception: { choice: 'chance' } }), []);
	const dead = report({ sse: 'works' }, { choice: 'sse' });
	assert.deepEqual(judge(dead, { exception: { choice: 'chance', states: { sse: 'chance' } } }),
		['the page chooses sse, the client ended on longpoll']);
});

test('the code says what the report says', () => {
	const read = report();
	assert.match(judge(report(), { read: { ...read, choice: 'poll' } })[0], /^the code a code says .*; poll, the report .*; longpoll$/);
	const other = report({ websocket: 'works' });
	assert.equal(judge(report(), { read: other }).length, 1);
});

test('it is done in time, where time is looked at, or late for a reason', () => {
	const late = report({}, { seconds: 15.4 });
	assert.deepEqual(judge(late), ['it took 15.4 s, not 15']);
	assert.deepEqual(judge(late, { isTimed: false }), []);
	assert.deepEqual(judge(late, { exception: { late: 'a connection takes 20 s' } }), []);
});

test('each exception is of a path that there is, and has a reason', () => {
	assert.ok(about.length);
	const known = listPaths().map(({ name }) => name);
	for (const [name, { states = {}, ...others }] of Object.entries(paths)) {
		assert.ok(known.includes(name), name);
		assert.deepEqual(Object.keys(others).filter((key) => !['unloadable', 'choice', 'late'].includes(key)), [], name);
		assert.deepEqual(Object.keys(states).filter((key) => !names.includes(key)), [], name);
		const reasons = [...Object.values(others), ...Object.values(states)];
		assert.ok(reasons.length && reasons.every((reason) => reason.length > 10), name);
	}
});
