// sluice-bench check-code: the verdict that the code of a report carries.
import { print, readCommand } from './check_terminal.mjs';

const HELP = `Usage: sluice-bench check-code CODE
Prints the verdict that the 12 characters of a code carry, which the check page of a gateway shows
to be read out on the phone. Case, spaces and hyphens do not matter; I and L are read as 1, O as 0.

  --client=FOLDER  Another client than the one that belongs to this program; the modules of the
                   check page are in the folder check beside it

Exit status: 0 when the verdict was printed, 1 when the code is not right, 2 for a command line
that makes no sense.
`;

const { argument, load } = readCommand('check-code', HELP, 'one code');
const { decodeCode, CodeError } = await load('code.js');
const { writeCode } = await load('write.js');
try {
	print(`${writeCode(decodeCode(argument))}\n`, 0);
} catch (error) {
	if (!(error instanceof CodeError))
		throw error;
	print(`sluice-bench check-code: ${error.message}\n`, 1);
}
