// sluice-bench check-report: prints a report of the check page as text.
import { open } from 'node:fs/promises';
import { print, readCommand } from './check_terminal.mjs';

const HELP = `Usage: sluice-bench check-report FILE
Validates the report in FILE, and prints its verdict, what to ask the network's administrator for,
and the measured values. The check page saves such a file, and the gateway stores it. If FILE is
-, the report is read from standard input.

  --client=FOLDER  Use the modules in the folder \`check\` beside FOLDER, not those of this program

Exit status: 0 if the report was printed, 1 if it is wrong or cannot be read, 2 for a wrong
command line.
`;

const { argument, load } = readCommand('check-report', HELP, 'one FILE');
const { readReport, FormError, MOST_BYTES } = await load('form.js');
const { writeText } = await load('write.js');

/** Reads at most one byte more than a report may have.
 * @param {string} path */
async function readFile(path) {
	const file = path === '-' ? undefined : await open(path);
	const stream = file ? file.createReadStream({ end: MOST_BYTES }) : process.stdin;
	const chunks = [];
	let size = 0;
	for await (const chunk of stream) {
		chunks.push(chunk);
		size += chunk.length;
		if (size > MOST_BYTES)
			break;
	}
	return Buffer.concat(chunks);
}

try {
	print(writeText(readReport(await readFile(argument))), 0);
} catch (/** @type {any} */ error) {
	if (!(error instanceof FormError) && !error.code)
		throw error;
	print(`sluice-bench check-report: ${argument}: ${error.message}\n`, 1);
}
