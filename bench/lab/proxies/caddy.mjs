// Caddy (caddyserver.com/docs/caddyfile/directives/reverse_proxy).
import { held, live } from './expected.mjs';

export const product = 'caddy';
export const programs = ['/usr/bin/caddy', '/usr/local/bin/caddy'];
export const file = 'Caddyfile';
export const command = (/** @type {string} */ path, /** @type {import('./proxy.mjs').Place} */ { folder }) =>
	['run', '--config', path, '--adapter', 'caddyfile', '--pidfile', `${folder}/caddy.pid`];

/** @param {string} lines
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (lines) => ({ folder, port, origin }) => `{
	admin off
	auto_https off
	storage file_system ${folder}
	log {
		level ERROR
	}
}
http://127.0.0.1:${port} {
	bind 127.0.0.1
	${lines}
	reverse_proxy 127.0.0.1:${origin}
}
`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'caddy-good', sentence: 'Caddy with reverse_proxy.', config: asConfig(''), expected: live },
	{ name: 'caddy-gzip', sentence: 'Caddy that compresses text: the head at once, the events at the end.',
		config: asConfig('encode gzip {\n\t\tminimum_length 1\n\t\tmatch {\n\t\t\theader Content-Type text/*\n\t\t}\n\t}'),
		expected: { ...held, stream: 'works' } },
];
