// squid (www.squid-cache.org/Doc/config/).
import { existsSync } from 'node:fs';
import { cut, dead, live, stripped } from './expected.mjs';

export const product = 'squid';
export const programs = ['/usr/sbin/squid', '/usr/local/squid/sbin/squid'];
export const file = 'squid.conf';
// A service name of its own: without, several want the same shared memory.
export const command = (/** @type {string} */ path, /** @type {import('./proxy.mjs').Place} */ { port }) =>
	['-N', '-n', `lab${port}`, '-f', path];

/** @param {string} place @param {import('./proxy.mjs').Place} where */
const asText = (place, { folder, port }) => `
${place.replaceAll('PORT', String(port)).replaceAll('FOLDER', folder)}
pid_filename ${folder}/squid.pid
access_log none
cache_log ${folder}/cache.log
cache_store_log none
coredump_dir ${folder}
cache deny all
shutdown_lifetime 0 seconds
pinger_enable off
`;

/** @param {string} lines
 * @returns {import('./proxy.mjs').Variant['config']} */
const asAccelerator = (lines) => (place) => asText(`http_port 127.0.0.1:PORT accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent ${place.origin} 0 no-query originserver
acl upgrade req_header Upgrade .
http_access allow all
${lines}`, place);

/** @param {string} lines before access is granted
 * @returns {import('./proxy.mjs').Variant['config']} */
const asForward = (lines) => (place) => asText(`http_port 127.0.0.1:PORT
${lines}
http_access allow all`, place);

// A login by name and password (RFC 7617), as htpasswd writes them.
const CHECKS_LOGIN = ['/usr/lib/squid/basic_ncsa_auth', '/usr/local/squid/libexec/basic_ncsa_auth'];
const LOGIN = `auth_param basic program ${CHECKS_LOGIN.find(existsSync) ?? CHECKS_LOGIN[0]} FOLDER/users
auth_param basic realm the lab
acl known proxy_auth REQUIRED
http_access deny !known`;
const USERS = { users: 'lab:$apr1$sluicela$WFP1rxEnNMi1HA8No.Rb11\n' }; // the password: secret

const TUNNELS = 'acl tunnel method CONNECT\nacl secure port 443\nhttp_access deny tunnel !secure';

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'squid-good', sentence: 'squid as an accelerator that lets WebSocket through.',
		config: asAccelerator('http_upgrade_request_protocols websocket allow all'), expected: live },
	{ name: 'squid-accelerator', sentence: 'squid as an accelerator.', refuses: true, config: asAccelerator(''), expected: stripped },
	{ name: 'squid-forward', sentence: 'squid as a forward proxy that allows every CONNECT.', forward: true,
		config: asForward(''), expected: live },
	{ name: 'squid-443', sentence: 'squid as a forward proxy, CONNECT to 443 only.', forward: true, refuses: true,
		config: asForward(TUNNELS), expected: stripped },
	{ name: 'squid-denied', sentence: 'squid as a forward proxy that rejects every client.', forward: true,
		config: asForward('http_access deny all'), expected: dead },
	{ name: 'squid-auth', sentence: 'squid as a forward proxy that requires a login, which the client lacks.', forward: true,
		config: asForward(LOGIN), files: USERS, expected: dead },
	{ name: 'squid-auth-given', sentence: 'squid as a forward proxy that requires a login, which the client sends.', forward: true, login: 'lab:secret',
		config: asForward(LOGIN), files: USERS, expected: live },
	{ name: 'squid-20s', sentence: 'squid as a forward proxy with read_timeout 20 seconds.', forward: true, quick: false,
		config: asForward('read_timeout 20 seconds'), expected: { ...cut, websocket: 'works', sse: 'works', stream: 'works' } },
	{ name: 'squid-64k', sentence: 'squid as a forward proxy that ends replies at 64 KB.', forward: true, burst: 20,
		config: asForward('reply_body_max_size 64 KB'), expected: { ...live, sse: 'degraded', stream: 'degraded' } },
	{ name: 'squid-15s', sentence: 'squid as a forward proxy with client_lifetime 15 seconds.', forward: true, quick: false,
		config: asForward('client_lifetime 15 seconds'), expected: { ...cut, websocket: 'works' } },
];
