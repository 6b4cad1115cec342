// The command line of the lab, as sluice-bench hands it on.
import { parseArgs } from 'node:util';
import { transports } from './verdict.mjs';

const AT_ONCE = 8;

const USAGE = `Usage: sluice-bench lab [OPTION...]
Runs every transport, and the client that chooses by itself, over every path.

  --quick             Run the paths of the quick list only, for a short time: within two minutes
  --profiles=NAMES    Run these paths only, comma-separated (--list names them); a product means all
                      its paths
  --transports=NAMES  Run these transports only, beside the client
  --json=FILE         Write all results to FILE
  --html=FILE         Write a page with the grid to FILE
  --soak=MINUTES      Run eight clients instead, each behind an obstacle whose faults change at random
  --seed=N            Start the random choices of the soak from N (default 1)
  --tap               Print the results as TAP, two tests per path: the client and the diagnosis
  --quiet             Show no progress
  --list              List the paths, then exit
  --sluice=PATH, --obstacle=PATH, --client=FOLDER
                      Use these instead of the ones that belong to this program

Exit status: 0 if the client and the diagnosis did well on every path, 1 if not, 2 if the command
line is wrong.`;

/** @param {string[]} args
 * @returns options; `usage` is set when it was asked for */
export function parseOptions(args) {
	const { values } = parseArgs({ args, options: {
		sluice: { type: 'string' }, obstacle: { type: 'string' }, client: { type: 'string' },
		quick: { type: 'boolean', default: false }, quiet: { type: 'boolean', default: false },
		list: { type: 'boolean', default: false }, profiles: { type: 'string' }, transports: { type: 'string' },
		help: { type: 'boolean', default: false }, json: { type: 'string' }, html: { type: 'string' }, tap: { type: 'boolean', default: false },
		soak: { type: 'string' }, seed: { type: 'string', default: '1' },
	} });
	const chosen = values.transports?.split(',').filter(Boolean) ?? transports;
	const wrong = chosen.find((name) => !transports.includes(name));
	if (wrong)
		throw new Error(`--transports: "${wrong}" is unknown; use ${transports.join(', ')}`);
	const soak = values.soak === undefined ? undefined : Number(values.soak);
	if (!(soak === undefined || soak > 0))
		throw new Error(`--soak: "${values.soak}" is out of range; use more than 0 (minutes)`);
	if (!Number.isInteger(Number(values.seed)))
		throw new Error(`--seed: "${values.seed}" is wrong; use a whole number`);
	for (const [name, value] of Object.entries({ sluice: values.sluice, obstacle: values.obstacle, client: values.client }))
		if (!value && !values.list && !values.help)
			throw new Error(`--${name} is missing; name the ${name === 'client' ? 'folder' : 'program'}`);
	return { ...values, soak, seed: Number(values.seed), usage: values.help ? USAGE : undefined, transports: chosen, profiles: values.profiles?.split(',').filter(Boolean), atOnce: AT_ONCE };
}
