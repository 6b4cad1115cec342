// make check-page: the check page in Chromium on every path of the quick list and behind every
// real proxy, held against what the lab measures there. Paths can be named instead; --browser=
// firefox takes the other browser, --json=FILE writes all that was found.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openChromium, openFirefoxes } from './check_browsers.mjs';
import { choosePaths, cleanUpAtExit, exceptions, listPaths, runPaths } from './check_paths.mjs';

const AT_ONCE = 4;
const letters = { works: 'W', degraded: 'd', dead: '-' };

cleanUpAtExit('check-page');

const say = (text) => process.stdout.write(`${text}\n`);
const mark = (state) => letters[state] ?? '?';

/** Those of the quick list, and of the real proxies all. */
function chooseAll() {
	const quick = choosePaths({ quick: true }).map(({ name }) => name);
	return listPaths().filter(({ name, product }) => product || quick.includes(name));
}

/** What the page says of the five transports, and what the lab measured: letters. */
function writeStates({ cells, report }) {
	const names = Object.keys(cells);
	const said = names.map((name) => mark(report?.transports?.[name]?.state)).join(' ');
	return `${said}   ${names.map((name) => mark(cells[name].verdict)).join(' ')}`;
}

function writeRow(row, width) {
	const { name, report, client, misjudged } = row;
	const { choice = '', seconds = 0, loaded = 0 } = report ?? {};
	return `${name.padEnd(width)} ${writeStates(row).padEnd(20)}  ${String(choice).padEnd(9)}  ${String(client.transport).padEnd(9)} ` +
		`${loaded.toFixed(1).padStart(5)} ${seconds.toFixed(1).padStart(5)}  ${misjudged.length ? 'WRONG' : 'agrees'}`;
}

/** @param {any[]} rows @param {string[]} skipped */
function writeTable(rows, skipped) {
	const width = Math.max(...rows.map(({ name }) => name.length), 4);
	const lines = [`${'path'.padEnd(width)} page        lab        chooses    client on  load check`];
	for (const row of rows) {
		lines.push(writeRow(row, width), ...row.misjudged.map((words) => `    ${words}`));
		const { states = {}, ...others } = exceptions[row.name] ?? {};
		lines.push(...Object.entries({ ...others, ...states }).map(([what, reason]) => `    ${what}: ${reason}`));
		lines.push(...row.unseen ? [`    unseen: ${row.unseen}`] : []);
	}
	return [...lines, ...skipped.map((what) => `skipped ${what}`)].join('\n');
}

async function run() {
	const { values, positionals } = parseArgs({ allowPositionals: true, options: {
		browser: { type: 'string', default: 'chromium' }, json: { type: 'string' },
		'at-once': { type: 'string', default: String(AT_ONCE) } } });
	const chosen = positionals.length ? choosePaths({ quick: false, profiles: positionals }) : chooseAll();
	const paths = chosen.filter(({ missing }) => !missing);
	const width = Math.max(...paths.map(({ name }) => name.length));
	const began = performance.now();
	const browser = await (values.browser === 'firefox' ? openFirefoxes() : openChromium());
	const rows = await runPaths(paths, browser, { atOnce: Number(values['at-once']), isTimed: true, onRow: (row) => say(writeRow(row, width)) })
		.finally(() => browser.close());
	if (values.json)
		writeFileSync(values.json, `${JSON.stringify(rows, null, '\t')}\n`);
	say(`\n${writeTable(rows, chosen.filter(({ missing }) => missing).map(({ name, missing }) => `${name}: ${missing}`))}`);
	const wrong = rows.filter(({ misjudged }) => misjudged.length).length;
	say(`\n${rows.length} paths in ${Math.round((performance.now() - began) / 1000)} s: the page agrees with the lab on ` +
		`${rows.length - wrong}, and is wrong on ${wrong}; W works, d degraded, - dead`);
	return wrong || !rows.length ? 1 : 0;
}

process.exitCode = await run();
