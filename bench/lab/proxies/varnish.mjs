// Varnish (varnish-cache.org/docs/7.1/).
import { held, live, stripped } from './expected.mjs';

export const product = 'varnish';
export const programs = ['/usr/sbin/varnishd'];
export const file = 'lab.vcl';
export const command = (/** @type {string} */ path, /** @type {import('./proxy.mjs').Place} */ { folder, port }) =>
	['-F', '-a', `127.0.0.1:${port}`, '-f', path, '-n', `${folder}/state`, '-P', `${folder}/varnish.pid`, '-s', 'default,8m',
		'-j', 'none'];

/** @param {string} lines
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (lines) => ({ origin }) => `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${origin}"; }
${lines}
`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'varnish-good', sentence: 'Varnish that pipes upgrades and passes the rest.', config: asConfig(`
sub vcl_recv {
	if (req.http.Upgrade ~ "(?i)websocket") { return (pipe); }
	return (pass);
}
sub vcl_pipe {
	if (req.http.Upgrade) {
		set bereq.http.upgrade = req.http.upgrade;
		set bereq.http.connection = req.http.connection;
	}
}`), expected: live },
	{ name: 'varnish-default', sentence: 'Varnish with its default configuration.', refuses: true, config: asConfig(''), expected: stripped },
	{ name: 'varnish-held', sentence: 'Varnish with do_stream off.', refuses: true,
		config: asConfig('sub vcl_backend_response { set beresp.do_stream = false; }'), expected: { ...held, websocket: 'dead' } },
];
