// tinyproxy (tinyproxy.github.io).
import { cut, live, stripped } from './expected.mjs';

export const product = 'tinyproxy';
export const programs = ['/usr/bin/tinyproxy', '/usr/sbin/tinyproxy'];
export const file = 'tinyproxy.conf';
export const command = (/** @type {string} */ path) => ['-d', '-c', path];

/** @param {string} lines
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (lines) => ({ folder, port }) => `
Port ${port}
Listen 127.0.0.1
PidFile "${folder}/tinyproxy.pid"
LogFile "${folder}/tinyproxy.log"
LogLevel Critical
MaxClients 200
${lines}
`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'tinyproxy-forward', sentence: 'tinyproxy that allows every CONNECT.', forward: true,
		config: asConfig('Timeout 600'), expected: { ...live, longpoll: 'degraded' } },
	{ name: 'tinyproxy-443', sentence: 'tinyproxy, CONNECT to 443 only.', forward: true, refuses: true,
		config: asConfig('Timeout 600\nConnectPort 443'), expected: { ...stripped, longpoll: 'degraded' } },
	{ name: 'tinyproxy-10s', sentence: 'tinyproxy with a Timeout of 10 s.', forward: true, quick: false,
		config: asConfig('Timeout 10'), expected: cut },
];
