// node mint.mjs KEYFILE SUBJECT: prints a token that is valid for an hour (Node 16 or later).
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const encode = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

export function mint(secret, subject, rights, seconds = 3600) {
	const now = Math.floor(Date.now() / 1000);
	const claims = { sub: subject, iat: now, exp: now + seconds, sluice: rights };
	const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
	return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const [, , file, subject] = process.argv;
const secret = readFileSync(file, 'utf8').trimEnd();
console.log(mint(secret, subject, { subscribe: ['chat.*'], publish: ['chat.42'] }));
