// node mint-ed25519.mjs PRIVATE.pem KID SUBJECT: prints a token signed with a private key (Node 16 or later).
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [, , file, kid, subject] = process.argv;
const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const rights = { subscribe: ['chat.*'], publish: ['chat.42'] };
const claims = { sub: subject, iat: now, exp: now + 3600, sluice: rights };
const signed = `${encode({ alg: 'EdDSA', typ: 'JWT', kid })}.${encode(claims)}`;
const signature = sign(null, Buffer.from(signed), createPrivateKey(readFileSync(file)));
console.log(`${signed}.${signature.toString('base64url')}`);
