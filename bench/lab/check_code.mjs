// sluice-bench check-code: prints the verdict that a report's code carries.
import { print, readCommand } from './check_terminal.mjs';

const HELP = `Usage: sluice-bench check-code CODE
Prints the verdict that a code carries. The check page of a gateway shows this code, of 12
characters, for users to read out on the phone. Case, spaces and hyphens do not matter; I and L
are read as 1, O as 0.

  --client=FOLDER  Use the modules in the folder \`check\` beside FOLDER, not those of this program

Exit status: 0 if the verdict was printed, 1 if the code is wrong, 2 for a wrong command line.
`;

const { argument, load } = readCommand('check-code', HELP, 'one CODE');
const { decodeCode, CodeError } = await load('code.js');
const { writeCode } = await load('write.js');
try {
	print(`${writeCode(decodeCode(argument))}\n`, 0);
} catch (error) {
	if (!(error instanceof CodeError))
		throw error;
	print(`sluice-bench check-code: ${error.message}\n`, 1);
}
