// The hook of doc/deploy.md, as certbot runs it: the gateway serves the new certificate, and nobody
// loses a connection.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { open, publish } from './clients.mjs';
import { until } from './program.mjs';
import { hostName, Place, setups } from './setups.mjs';

const { createIdentity } = await import(pathToFileURL(resolve(process.env.SLUICE_LAB, 'certificate.mjs')).href);

/** @type {Place} */
let place;

before(async () => {
	place = await new Place(setups['TLS in the process']).start();
});

after(() => place?.stop());

/** Of the certificate that a new connection gets. */
async function readFingerprint() {
	const socket = connect({ host: '127.0.0.1', port: place.port, servername: hostName, rejectUnauthorized: false });
	await once(socket, 'secureConnect');
	const { fingerprint256 } = socket.getPeerCertificate();
	socket.destroy();
	return fingerprint256;
}

/** Runs the hook as certbot does; `systemctl` is a program that does what the unit's ExecReload does.
 * @param {string} lineage the folder of the renewed certificate */
function runHook(lineage) {
	mkdirSync(place.path('bin'), { recursive: true });
	place.write('bin/systemctl', `#!/bin/sh\n[ "$*" = "reload sluice" ] && kill -HUP ${place.gateway.pid}\n`);
	chmodSync(place.path('bin/systemctl'), 0o755);
	execFileSync('sh', [place.writeAdapted('renew-hook.sh')], { stdio: 'pipe',
		env: { PATH: `${place.path('bin')}:${process.env.PATH}`, RENEWED_LINEAGE: lineage } });
}

test('the hook installs a renewed certificate, which the gateway takes without losing a connection', async () => {
	const who = { from: '127.0.0.11' };
	const stream = await open(place, who, '/stream?channels=deploy.renewal');
	let said = '';
	stream.on('data', (text) => { said += text; });
	const before = await readFingerprint();

	mkdirSync(place.path('next'));
	const { certificate, key, authority } = await createIdentity(place.path('next'), `DNS:${hostName}`);
	const next = new X509Certificate(readFileSync(certificate)).fingerprint256;
	place.renew(readFileSync(certificate, 'utf8'), readFileSync(key, 'utf8'));
	runHook(place.path('live'));
	await until(async () => await readFingerprint() === next ? '' : `the new certificate; the log: ${place.log}`);
	assert.notEqual(before, next);

	place.authority = readFileSync(authority);
	await publish(place, who, 'deploy.renewal', 'behind');
	await until(() => said.includes('"behind"') ? '' : 'the stream that was open to carry on');
	assert.deepEqual(['tls', 'tls/privkey.pem', 'tls/fullchain.pem'].map((name) => (statSync(place.path(name)).mode & 0o777).toString(8)),
		['750', '640', '640']);
	stream.destroy();
});

test('the hook leaves the gateway alone when another certificate was renewed', () => {
	const times = () => ['tls/privkey.pem', 'tls/fullchain.pem'].map((name) => statSync(place.path(name)).ctimeMs);
	const before = times();
	runHook(place.path('other.example.org'));
	assert.deepEqual(times(), before);
});
