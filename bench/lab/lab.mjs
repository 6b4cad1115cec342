// sluice-bench lab: every path times every transport, and the client that chooses by itself.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Gateway } from './gateway.mjs';
import { runMatrix } from './matrix.mjs';
import { createProbe } from './network.mjs';
import { parseOptions } from './options.mjs';
import { formatPage } from './page.mjs';
import { choosePaths, listPaths, readProfiles } from './paths.mjs';
import { cleanUpAtExit } from './process.mjs';
import { runSoak, tellOutcome } from './soak.mjs';
import { formatDetails, formatHead, formatRow, summarise } from './table.mjs';
import { formatTap } from './tap.mjs';

process.stdout.on('error', () => {}); // somebody reads the beginning only
cleanUpAtExit('sluice-bench: lab');
/** @typedef {ReturnType<typeof parseOptions>} Options
 * @typedef {{ gateway: Gateway, Sluice: any, diagnose: any, obstacle: string }} Means */

const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

/** @param {Options} options */
function list({ profiles, quick }) {
	const paths = profiles || quick ? choosePaths({ profiles, quick }) : listPaths();
	for (const { name, sentence, missing } of paths)
		say(`${name}\n    ${sentence}${missing ? ` (${missing})` : ''}`);
}

/** @param {Options} options @param {Means} means
 * @returns {Promise<boolean>} if all is well */
async function runAll(options, means) {
	const { transports, tap, quiet, quick, json, html } = options;
	const chosen = choosePaths(options);
	const paths = chosen.filter(({ missing }) => !missing);
	const skipped = chosen.filter(({ missing }) => missing).map(({ name, missing }) => `${name}: ${missing}`);
	const began = performance.now();
	const at = new Date().toISOString();
	const mode = quick ? 'quick' : 'complete';
	const width = Math.max(8, ...paths.map(({ name }) => name.length)) + 2;
	const words = !tap && !quiet;
	if (words)
		say(formatHead(transports, width));
	const rows = await runMatrix(paths, { ...options, ...means, isQuick: quick,
		onRow: (row) => words && say(formatRow(row, transports, width)) });
	const summary = { ...summarise(rows), skipped, seconds: Math.round((performance.now() - began) / 1000) };
	if (json)
		writeFileSync(json, `${JSON.stringify({ mode, at, transports, summary, rows }, null, '\t')}\n`);
	if (html)
		writeFileSync(html, formatPage({ rows, transports, mode, at }));
	say(tap ? formatTap(rows, skipped) : `\n${formatDetails(rows)}`);
	skipped.forEach((what) => say(`${tap ? '# ' : ''}skipped ${what}`));
	const { cells, worse, better, wrong, misjudged, seconds } = summary;
	say(`${tap ? '# ' : '\n'}${rows.length} paths, ${cells} cells in ${seconds} s: ${worse} worse than expected (*), ` +
		`${better} better (+), ${wrong.length} with a wrong client, ${misjudged.length} with a wrong diagnosis`);
	return rows.length > 0 && !wrong.length && !misjudged.length;
}

/** @param {Options} options @param {Means} means
 * @returns {Promise<boolean>} if nothing was lost or doubled */
async function soak({ soak: minutes = 0, seed, atOnce, quiet, json }, means) {
	const results = await Promise.all(Array.from({ length: atOnce }, (_, i) => runSoak({ ...means, minutes, seed: seed + i,
		profiles: readProfiles(), onChange: (faults) => quiet || say(`${seed + i}: ${faults.join(' ') || 'no fault'}`) })));
	for (const { seed: of, published, changes, transports, wrong, recovered } of results)
		say(`seed ${of}: ${published} messages, ${changes} changes, ${Object.entries(transports).map(([name, n]) =>
			`${name} ${n}`).join(', ')}: ${tellOutcome(wrong, recovered)}`);
	if (json)
		writeFileSync(json, `${JSON.stringify(results, null, '\t')}\n`);
	return results.every(({ wrong }) => !wrong.length);
}

/** @param {Options} options */
async function run(options) {
	const load = (/** @type {string} */ file) => import(pathToFileURL(resolve(String(options.client), file)).href);
	const [{ Sluice }, { diagnose }] = [await load('sluice.js'), await load('diagnose.js')];
	const isSecure = !options.soak && choosePaths(options).some(({ secure, missing }) => secure && !missing);
	const gateway = await new Gateway().start(String(options.sluice), { isSecure });
	try {
		const means = { gateway, Sluice, obstacle: String(options.obstacle),
			diagnose: (/** @type {import('./matrix.mjs').Way} */ { origin, proxy }) => diagnose(origin, createProbe({ proxy })) };
		return await (options.soak ? soak(options, means) : runAll(options, means)) ? 0 : 1;
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
