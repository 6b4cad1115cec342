// nginx (nginx.org/en/docs/http/ngx_http_proxy_module.html).
import { cut, dead, live, stripped } from './expected.mjs';

export const product = 'nginx';
export const programs = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'];
export const file = 'nginx.conf';
export const command = (/** @type {string} */ path) => ['-c', path, '-e', 'stderr', '-g', 'daemon off;'];

/** @param {string} location directives @param {string} [http] directives @param {string} [to] a place or an
 * upstream, with its scheme
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = (location, http = '', to = 'http://ORIGIN') => ({ folder, port, origin, authority }) => `
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path ${folder}/body;
	proxy_temp_path ${folder}/proxy;
	fastcgi_temp_path ${folder}/fastcgi;
	uwsgi_temp_path ${folder}/uwsgi;
	scgi_temp_path ${folder}/scgi;
	map $http_upgrade $connection_upgrade { default upgrade; '' close; }
	${http.replaceAll('FOLDER', folder).replaceAll('ORIGIN', `127.0.0.1:${origin}`)}
	server {
		listen 127.0.0.1:${port};
		location / {
			proxy_pass ${to.replace('ORIGIN', `127.0.0.1:${origin}`)};
			${location.replace('AUTHORITY', authority)}
		}
	}
}
`;

const UPGRADE = `proxy_http_version 1.1;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;`;

const VERIFY = `${UPGRADE}
			proxy_buffering off;
			proxy_read_timeout 1h;
			proxy_ssl_verify on;
			proxy_ssl_name localhost;
			proxy_ssl_server_name on;`;

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'nginx-good', sentence: 'nginx with Upgrade forwarded, buffering off and timeouts of an hour.',
		config: asConfig(`${UPGRADE}\n\t\t\tproxy_buffering off;\n\t\t\tproxy_read_timeout 1h;`), expected: live },
	{ name: 'nginx-default', sentence: 'nginx with proxy_pass alone.', refuses: true, config: asConfig(''), expected: stripped },
	{ name: 'nginx-how-to', sentence: 'nginx as in the usual WebSocket how-to.', config: asConfig(UPGRADE), expected: live },
	{ name: 'nginx-10s', sentence: 'nginx with proxy_read_timeout 10s.', quick: false,
		config: asConfig(`${UPGRADE}\n\t\t\tproxy_read_timeout 10s;`), expected: cut },
	{ name: 'nginx-two-upstreams', quick: false,
		sentence: 'nginx with proxy_read_timeout 10s and two servers: a poll that it cuts marks both down.',
		config: asConfig(`${UPGRADE}\n\t\t\tproxy_read_timeout 10s;`, 'upstream localhost { server ORIGIN; server ORIGIN; }', 'http://localhost'),
		expected: { ...cut, poll: 'degraded' } },
	{ name: 'nginx-buffer', sentence: 'nginx that ignores X-Accel-Buffering and has large buffers.', refuses: true,
		config: asConfig('proxy_ignore_headers X-Accel-Buffering;\n\t\t\tproxy_buffers 8 64k;\n\t\t\tproxy_buffer_size 64k;'),
		expected: { ...stripped, sse: 'dead', stream: 'dead' } },
	{ name: 'nginx-cache', sentence: 'nginx with proxy_cache and its lock.', refuses: true,
		config: asConfig('proxy_cache lab;\n\t\t\tproxy_cache_lock on;', 'proxy_cache_path FOLDER/cache keys_zone=lab:1m;'),
		expected: stripped },
	{ name: 'nginx-tls', sentence: 'nginx as it should be, with TLS to the gateway, whose certificate it verifies.', secure: true,
		config: asConfig(`${VERIFY}\n\t\t\tproxy_ssl_trusted_certificate AUTHORITY;`, '', 'https://ORIGIN'), expected: live },
	{ name: 'nginx-tls-stranger', sentence: 'nginx with TLS to a gateway whose certificate it does not trust.', secure: true, refuses: true,
		config: asConfig(`${VERIFY}\n\t\t\tproxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;`, '', 'https://ORIGIN'), expected: dead },
	{ name: 'nginx-gzip', sentence: 'nginx with gzip of every type.', refuses: true,
		config: asConfig('', 'gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1;'), expected: stripped },
];
