// sluice-bench probe: diagnoses the path to a gateway, in words.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createProbe } from './network.mjs';

const HELP = `Usage: sluice-bench probe URL [--via=PROXY] [--patient] [--json] [--insecure]
Finds out in about three seconds which transports work between here and the gateway at URL, and
explains why the others fail.

  --via=PROXY      Use the forward proxy http://[USER:PASSWORD@]HOST:PORT
  --patient        Also find out when the network closes idle connections (takes a minute)
  --json           Print the verdict as JSON
  --insecure       Do not check the gateway's certificate; to trust one more authority
                   instead, set NODE_EXTRA_CA_CERTS to the file with its certificate
  --client=FOLDER  Use the client in FOLDER, not the one of this program

Exit status: 0 if a transport works, 1 if none does, 2 for a wrong command line.
`;

/** @param {string} words
 * @returns {never} */
function complain(words) {
	process.stderr.write(`sluice-bench probe: ${words}\n`);
	process.exit(2);
}

function read() {
	try {
		return parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: '?' },
			sluice: { type: 'string' }, obstacle: { type: 'string' }, client: { type: 'string' }, insecure: { type: 'boolean' }, json: { type: 'boolean' }, patient: { type: 'boolean' }, via: { type: 'string' } } });
	} catch (/** @type {any} */ { message }) {
		return complain(message);
	}
}

/** @param {string} text @param {RegExp} pattern of its scheme @param {string} what it should be, and an example */
function readUrl(text, pattern, what) {
	try {
		const url = new URL(text);
		if (pattern.test(url.protocol))
			return url;
	} catch {}
	return complain(`"${text}" is not ${what}`);
}

const { values: { client = 'web/client', help, insecure, json, patient, via: viaText }, positionals } = read();
if (help) {
	process.stdout.write(HELP);
	process.exit();
}
if (positionals.length !== 1)
	complain(`${positionals.length} URLs are given; use exactly one (see --help)`);
const url = readUrl(positionals[0], /^https?:$/, 'a URL; use http://... or https://...');
const via = viaText === undefined ? undefined : readUrl(viaText, /^http:$/, 'a proxy; use --via=http://HOST:PORT');
const { diagnose, writeReport } = await import(pathToFileURL(resolve(client, 'diagnose.js')).href);
const verdict = await diagnose(url, { patient, ...createProbe({ proxy: via, insecure }) });
const text = json ? `${JSON.stringify({ url: url.href, via: via && `${via.protocol}//${via.host}`, ...verdict }, null, '\t')}\n` :
	writeReport(url.href, verdict, via && via.host);
process.stdout.write(text, () => process.exit(Object.values(verdict.transports).some(({ state }) => state !== 'dead') ? 0 : 1));
