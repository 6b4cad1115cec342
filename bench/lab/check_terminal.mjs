// What the commands about the check page share: their command lines, and output in printable ASCII.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** Escapes a stranger's text, so that it cannot control the terminal.
 * @param {string} text
 * @returns {string} printable ASCII and line feeds */
export function escape(text) {
	return [...text].map((character) => /[\n\x20-\x7e]/.test(character) ? character :
		`\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).join('');
}

/** @param {string} text @param {number} status */
export function print(text, status) {
	const stream = status === 0 ? process.stdout : process.stderr;
	stream.write(escape(text), () => process.exit(status));
}

/** Reads the command line. Prints the help, or an error unless there is exactly one argument.
 * @param {string} command @param {string} help @param {string} wanted
 * @returns {{ argument: string, load: (file: string) => Promise<any> }} load: a module of the check */
export function readCommand(command, help, wanted) {
	/** @param {string} words
	 * @returns {never} */
	const complain = (words) => {
		process.stderr.write(escape(`sluice-bench ${command}: ${words}\n`));
		process.exit(2);
	};
	const string = /** @type {const} */ ({ type: 'string' });
	const read = () => {
		try {
			return parseArgs({ allowPositionals: true, options: { client: string, sluice: string,
				obstacle: string, help: { type: 'boolean', short: '?' } } });
		} catch (/** @type {any} */ { message }) {
			return complain(message);
		}
	};
	const { values: { client = 'web/client', help: isHelp }, positionals } = read();
	if (isHelp) {
		process.stdout.write(help);
		process.exit();
	}
	if (positionals.length !== 1 || !positionals[0])
		complain(`${positionals.length} arguments; give exactly ${wanted} (see --help)`);
	return { argument: positionals[0],
		load: (file) => import(pathToFileURL(resolve(client, '../check', file)).href) };
}
