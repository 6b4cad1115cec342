// sluice-bench check-report: a report of the check page, as text.
import { open } from 'node:fs/promises';
import { print, readCommand } from './check_terminal.mjs';

const HELP = `Usage: sluice-bench check-report FILE
Checks the report in FILE, which the check page of a gateway has saved or the gateway has stored,
and prints its verdict, what to ask those for who run the network, and what was measured. FILE is
- for standard input.

  --client=FOLDER  Another client than the one that belongs to this program; the modules of the
                   check page are in the folder check beside it

Exit status: 0 when the report was printed, 1 when it is not right or cannot be read, 2 for a
command line that makes no sense.
`;

const { argument, load } = readCommand('check-report', HELP, 'one file');
const { readReport, FormError, MOST_BYTES } = await load('form.js');
const { writeText } = await load('write.js');

/** One byte more than a report may have: enough to see that there are too many.
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
