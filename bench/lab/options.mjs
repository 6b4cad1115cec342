// The command line of the lab, as sluice-bench hands it on.
import { parseArgs } from 'node:util';
import { transports } from './verdict.mjs';

const AT_ONCE = 8;

const USAGE = `Usage: sluice-bench lab [OPTION...]
Runs every transport, and the client that chooses by itself, through every obstacle.

  --quick             Only the paths of the quick list, in short: within two minutes
  --profiles=NAMES    Only these paths, comma-separated (--list names them), or all of a product
  --transports=NAMES  Only these transports beside the client
  --json=FILE         Write all that was found to FILE
  --html=FILE         Write a page with the grid to FILE
  --soak=MINUTES      Instead: eight clients, each behind an obstacle whose faults change at random
  --seed=N            Where the soak's random choices begin (default 1)
  --tap               Print it as TAP, two tests a path: the client, the diagnosis
  --quiet             No progress
  --list              List the paths, and end
  --sluice=PATH, --obstacle=PATH, --client=FOLDER
                      Other ones than those that belong to this program`;

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
		throw new Error(`there is no transport '${wrong}'; there are: ${transports.join(', ')}`);
	const soak = values.soak === undefined ? undefined : Number(values.soak);
	if (!(soak === undefined || soak > 0) || !Number.isInteger(Number(values.seed)))
		throw new Error('--soak takes minutes, --seed a whole number');
	for (const [name, value] of Object.entries({ sluice: values.sluice, obstacle: values.obstacle, client: values.client }))
		if (!value && !values.list && !values.help)
			throw new Error(`--${name} is missing`);
	return { ...values, soak, seed: Number(values.seed), usage: values.help ? USAGE : undefined, transports: chosen, profiles: values.profiles?.split(',').filter(Boolean), atOnce: AT_ONCE };
}
