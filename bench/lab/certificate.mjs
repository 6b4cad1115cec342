// An authority and a certificate of 127.0.0.1 that it has issued, made by openssl, for a few days:
// what a proxy that speaks TLS to the gateway has to verify.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** @typedef {{ authority: string, certificate: string, key: string }} Identity the files' paths */

const DAYS = '3';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** If it can be done here. */
export const hasOpenssl = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'openssl')));

/** @param {string} folder that exists @param {string} [names] as subjectAltName takes them
 * @returns {Promise<Identity>} */
export async function createIdentity(folder, names = 'IP:127.0.0.1,DNS:localhost') {
	const path = (/** @type {string} */ file) => join(folder, file);
	const openssl = (/** @type {string[]} */ ...args) => promisify(execFile)('openssl', args, { cwd: folder });
	await openssl('req', '-x509', ...KEY, '-keyout', 'authority.key', '-out', 'authority.pem', '-days', DAYS,
		'-subj', '/CN=Sluice lab');
	await writeFile(path('names.ext'), `subjectAltName=${names}\n`);
	await openssl('req', ...KEY, '-keyout', 'gateway.key', '-out', 'gateway.csr', '-subj', '/');
	await openssl('x509', '-req', '-in', 'gateway.csr', '-CA', 'authority.pem', '-CAkey', 'authority.key',
		'-CAcreateserial', '-extfile', 'names.ext', '-days', DAYS, '-out', 'gateway.pem');
	return { authority: path('authority.pem'), certificate: path('gateway.pem'), key: path('gateway.key') };
}
