// The page is one script: scripts/assemble-report joins all modules in one scope.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TABLE_SECTIONS } from '../../bench/report/table_sections.mjs';

const folder = new URL('../../bench/report/', import.meta.url);
const sources = readdirSync(folder).filter((name) => /\.m?js$/.test(name)).sort();
const script = readFileSync(new URL('../../scripts/assemble-report', import.meta.url), 'utf8');
const listed = [...script.matchAll(/^modules\+?='([^']*)'/gm)].flatMap(([, names]) => names.trim().split(' '));
const textOf = (name) => readFileSync(new URL(name, folder), 'utf8');

test('every module is in the page once, and the one that draws is last', () => {
	assert.deepEqual([...listed].sort(), sources);
	assert.equal(listed.at(-1), 'report.js');
});

test('no two modules declare the same name', () => {
	const names = sources.flatMap((name) => [...textOf(name).matchAll(/^(?:export )?(?:function|const|let|class) (\w+)/gm)]
		.map(([, declared]) => declared));
	assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});

test('no line begins with a comment that code follows, and no import has another name', () => {
	for (const name of sources) {
		assert.doesNotMatch(textOf(name), /^\t*\/\*\*.*\*\/[^\n]*[^\s*/]$/m, `${name}: the whole line is omitted from the page`);
		assert.doesNotMatch(textOf(name), /^(?:import|export) .* as /m, name);
	}
});

test('each table of the page is of another scenario', () => {
	const names = TABLE_SECTIONS.map(([scenario]) => scenario);
	assert.equal(new Set(names).size, names.length);
});
