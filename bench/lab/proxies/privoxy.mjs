// privoxy (www.privoxy.org/user-manual/). Its actions stand in a file beside the config.
import { held, stripped } from './expected.mjs';

export const product = 'privoxy';
export const programs = ['/usr/sbin/privoxy'];
export const file = 'config';
export const command = (/** @type {string} */ path) => ['--no-daemon', '--pidfile', `${path}.pid`, path];

/** @param {string} actions a line of its configuration
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (actions) => ({ folder, port }) => `
confdir /etc/privoxy
logdir ${folder}
listen-address 127.0.0.1:${port}
filterfile default.filter
keep-alive-timeout 300
socket-timeout 300
${actions.replaceAll('FOLDER', folder)}
`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'privoxy-default', sentence: 'privoxy as Debian has it: event streams are held to be filtered.', forward: true,
		config: asConfig('actionsfile match-all.action\nactionsfile default.action'),
		expected: { ...stripped, websocket: 'works', sse: 'dead' } },
	{ name: 'privoxy-filter-all', sentence: 'privoxy that filters every type, CONNECT to 443 only.', forward: true, refuses: true,
		config: asConfig('actionsfile FOLDER/lab.action'),
		files: { 'lab.action': '{+filter{js-annoyances} +force-text-mode +prevent-compression +limit-connect{443}}\n/\n' },
		expected: { ...held, websocket: 'dead' } },
];
