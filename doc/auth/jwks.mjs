// node jwks.mjs PUBLIC.pem...: prints a JWKS of Ed25519 keys. The name of each file is the kid of its key.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const keys = process.argv.slice(2).map((file) => {
	const { kty, crv, x } = createPublicKey(readFileSync(file)).export({ format: 'jwk' });
	return { kty, crv, x, alg: 'EdDSA', use: 'sig', kid: basename(file, '.pem') };
});
console.log(JSON.stringify({ keys }, null, '\t'));
