// Apache httpd (httpd.apache.org/docs/2.4/mod/mod_proxy.html).
import { live, stripped } from './expected.mjs';

export const product = 'apache2';
export const programs = ['/usr/sbin/apache2', '/usr/sbin/httpd'];
export const file = 'apache.conf';
export const command = (/** @type {string} */ path) => ['-f', path, '-DFOREGROUND'];

const MODULES = '/usr/lib/apache2/modules';

/** @param {string} options of ProxyPass
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (options) => ({ folder, port, origin }) => `
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
Mutex file:${folder} default
ErrorLog ${folder}/error.log
LogLevel crit
User www-data
Group www-data
Listen 127.0.0.1:${port}
LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule proxy_module ${MODULES}/mod_proxy.so
LoadModule proxy_http_module ${MODULES}/mod_proxy_http.so
ProxyPass / http://127.0.0.1:${origin}/ ${options}
`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'apache-good', sentence: 'Apache with upgrade=websocket and a timeout of an hour.',
		config: asConfig('upgrade=websocket flushpackets=on timeout=3600'), expected: live },
	{ name: 'apache-default', sentence: 'Apache with ProxyPass alone.', refuses: true, config: asConfig(''), expected: stripped },
];
