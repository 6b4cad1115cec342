// sluice-bench lab: every path times every transport, and the client that chooses by itself.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Gateway } from './gateway.mjs';
import { runMatrix } from './matrix.mjs';
import { parseOptions } from './options.mjs';
import { formatPage } from './page.mjs';
import { choosePaths, listPaths } from './paths.mjs';
import { formatDetails, formatHead, formatRow, summarise } from './table.mjs';
import { formatTap } from './tap.mjs';

process.stdout.on('error', () => {}); // somebody reads the beginning only
const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

/** @param {ReturnType<typeof parseOptions>} options */
function list({ profiles, quick }) {
	const paths = profiles || quick ? choosePaths({ profiles, quick }) : listPaths();
	for (const { name, sentence, missing } of paths)
		say(`${name}\n    ${sentence}${missing ? ` (${missing})` : ''}`);
}

/** @param {ReturnType<typeof parseOptions>} options */
async function run(options) {
	const { transports, tap, quiet, quick, json, html } = options;
	const chosen = choosePaths(options);
	const paths = chosen.filter(({ missing }) => !missing);
	const skipped = chosen.filter(({ missing }) => missing).map(({ name, missing }) => `${name}: ${missing}`);
	const began = Date.now();
	const { Sluice } = await import(pathToFileURL(resolve(String(options.client), 'sluice.js')).href);
	const gateway = await new Gateway().start(String(options.sluice));
	const width = Math.max(8, ...paths.map(({ name }) => name.length)) + 2;
	const words = !tap && !quiet;
	if (words)
		say(formatHead(transports, width));
	try {
		const rows = await runMatrix(paths, { ...options, gateway, Sluice, isQuick: quick, obstacle: String(options.obstacle),
			onRow: (row) => words && say(formatRow(row, transports, width)) });
		const summary = { ...summarise(rows), skipped, seconds: Math.round((Date.now() - began) / 1000) };
		const mode = quick ? 'quick' : 'complete';
		if (json)
			writeFileSync(json, `${JSON.stringify({ mode, at: new Date(began).toISOString(), transports, summary, rows }, null, '\t')}\n`);
		if (html)
			writeFileSync(html, formatPage({ rows, transports, mode, at: new Date(began).toISOString() }));
		say(tap ? formatTap(rows, skipped) : `\n${formatDetails(rows)}`);
		skipped.forEach((what) => say(`${tap ? '# ' : ''}skipped ${what}`));
		const { paths: count, cells, deviations, wrong, seconds } = summary;
		say(`${tap ? '# ' : '\n'}${count} paths, ${cells} cells in ${seconds} s: ${deviations} not as expected (*), ` +
			`${wrong.length} where the client was wanting`);
		return wrong.length || !rows.length ? 1 : 0;
	} finally {
		await gateway.stop();
	}
}

try {
	const options = parseOptions(process.argv.slice(2));
	if (options.usage)
		say(options.usage);
	else if (options.list)
		list(options);
	else
		process.exitCode = await run(options);
} catch (/** @type {any} */ error) {
	process.stderr.write(`sluice-bench: lab: ${error.message}\n`);
	process.exitCode = 2;
}
