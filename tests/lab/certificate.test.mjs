// What the lab shows to proxies that verify the gateway.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createIdentity, hasOpenssl } from '../../bench/lab/certificate.mjs';

const skip = hasOpenssl || process.env.SLUICE_REQUIRE_TOOLS ? false : 'openssl is not installed';

test('the certificate is of the names asked for, of today, and the authority\'s', { skip }, async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'sluice-identity-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const files = await createIdentity(folder, 'IP:127.0.0.1,DNS:push.example.org');
	const [authority, certificate] = [files.authority, files.certificate].map((file) => new X509Certificate(readFileSync(file)));
	assert.ok(authority.ca);
	assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
	assert.equal(certificate.checkHost('push.example.org'), 'push.example.org');
	assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
	assert.equal(certificate.checkHost('localhost'), undefined);
	assert.ok(Date.parse(certificate.validTo) > Date.now() && Date.parse(certificate.validFrom) <= Date.now());
	assert.match(readFileSync(files.key, 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
});
