// The hook of doc/deploy.md, as certbot runs it: the gateway serves the new certificate, and nobody
// loses a connection.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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

/** Runs a hook as certbot does; `systemctl` is a program that does what the unit's ExecReload does, and keeps
 * its words in a file.
 * @param {string} [lineage] the folder of the renewed certificate; none when an operator runs the hook */
function runHook(lineage, hook = 'renew-hook.sh') {
	mkdirSync(place.path('bin'), { recursive: true });
	place.write('bin/systemctl', `#!/bin/sh\necho "$*" >>${place.path('systemctl.words')}
		[ "$*" != "try-reload-or-restart sluice" ] || kill -HUP ${place.gateway.pid}\n`);
	chmodSync(place.path('bin/systemctl'), 0o755);
	execFileSync('sh', [place.writeAdapted(hook)], { stdio: 'pipe',
		env: { PATH: `${place.path('bin')}:${process.env.PATH}`, ...lineage && { RENEWED_LINEAGE: lineage } } });
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

test('the hook that an operator runs by hand installs the first certificate', () => {
	rmSync(place.path('tls'), { recursive: true });
	runHook();
	assert.equal(readFileSync(place.path('tls/privkey.pem'), 'utf8'), readFileSync(place.path('live/privkey.pem'), 'utf8'));
});

test('the hook of haproxy writes the chain and the key into one file', () => {
	rmSync(place.path('combined.pem'));
	runHook(place.path('other.example.org'), 'haproxy-hook.sh');
	assert.ok(!existsSync(place.path('combined.pem')));
	runHook(place.path('live'), 'haproxy-hook.sh');
	const [all, chain, key] = ['combined.pem', 'live/fullchain.pem', 'live/privkey.pem'].map((name) => readFileSync(place.path(name), 'utf8'));
	assert.equal(all, chain + key);
	assert.match(readFileSync(place.path('systemctl.words'), 'utf8'), /^try-reload-or-restart haproxy$/m);
	assert.equal((statSync(place.path('combined.pem')).mode & 0o777).toString(8), '600');
});
