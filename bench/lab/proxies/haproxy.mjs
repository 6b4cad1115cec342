// haproxy (docs.haproxy.org/2.6/configuration.html).
import { cut, dead, held, live, stripped } from './expected.mjs';

export const product = 'haproxy';
export const programs = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'];
export const file = 'haproxy.cfg';
export const command = (/** @type {string} */ path) => ['-db', '-q', '-f', path];

/** @param {{ timeouts?: string, front?: string, back?: string, server?: string }} lines
 * @returns {import('./proxy.mjs').Variant['config']} */
const asConfig = ({ timeouts = 'timeout client 50s\n\ttimeout server 50s', front = '', back = '', server = '' }) =>
	({ folder, port, origin, authority }) => `
global
	pidfile ${folder}/haproxy.pid
	maxconn 512
defaults
	mode http
	timeout connect 5s
	${timeouts}
frontend lab
	bind 127.0.0.1:${port}
	${front}
	default_backend gateway
backend gateway
	${back}
	server gateway 127.0.0.1:${origin} ${server.replace('AUTHORITY', authority)}
`;

const WANTS_UPGRADE = 'if { req.hdr(Upgrade) -m found }';

const GOOD = 'option http-no-delay\n\toption abortonclose\n\ttimeout client 75s\n\ttimeout server 75s\n\ttimeout tunnel 1h';

/** @type {import('./proxy.mjs').Variant[]} */
export const variants = [
	{ name: 'haproxy-good', sentence: 'haproxy with http-no-delay, abortonclose and a tunnel of 1 h.',
		config: asConfig({ timeouts: GOOD }), expected: live },
	{ name: 'haproxy-tls', sentence: 'haproxy as it should be, with TLS to the gateway, whose certificate it verifies.', secure: true,
		config: asConfig({ timeouts: GOOD, server: 'ssl verify required sni str(localhost) ca-file AUTHORITY' }),
		expected: live },
	{ name: 'haproxy-tls-stranger', sentence: 'haproxy with TLS to a gateway whose certificate is of another name.', secure: true, refuses: true,
		config: asConfig({ timeouts: GOOD, server: 'ssl verify required sni str(elsewhere.example) ca-file AUTHORITY' }),
		expected: dead },
	{ name: 'haproxy-default', sentence: 'haproxy with Debian\'s defaults: cuts at 50 s, small delays.',
		config: asConfig({}), expected: { ...live, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-5s', sentence: 'haproxy with timeouts of 5 s.',
		config: asConfig({ timeouts: 'timeout client 5s\n\ttimeout server 5s' }), expected: cut },
	{ name: 'haproxy-gzip', sentence: 'haproxy that compresses event streams.',
		config: asConfig({ back: 'compression algo gzip\n\tcompression type text/event-stream application/x-ndjson' }), expected: { ...live, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-wait-for-body', sentence: 'haproxy with http-response wait-for-body.', quick: false,
		config: asConfig({ back: 'http-response wait-for-body time 10s' }), expected: held },
	{ name: 'haproxy-strip', sentence: 'haproxy that removes Upgrade.', refuses: true,
		config: asConfig({ front: 'http-request del-header Upgrade' }), expected: { ...stripped, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-deny', sentence: 'haproxy that denies upgrades.', refuses: true,
		config: asConfig({ front: `http-request deny deny_status 403 ${WANTS_UPGRADE}` }), expected: { ...stripped, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-hole', sentence: 'haproxy that drops upgrades in silence.',
		config: asConfig({ front: `http-request silent-drop ${WANTS_UPGRADE}` }), expected: { ...stripped, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-tarpit', sentence: 'haproxy that holds upgrades for 5 s, then rejects them.',
		config: asConfig({ timeouts: 'timeout client 50s\n\ttimeout server 50s\n\ttimeout tarpit 5s', front: `http-request tarpit deny_status 503 ${WANTS_UPGRADE}` }),
		expected: { ...stripped, sse: 'degraded', stream: 'degraded' } },
	{ name: 'haproxy-captive', sentence: 'haproxy as a captive portal.',
		config: asConfig({ front: 'http-request return status 200 content-type text/html string "<p>Log in first</p>"' }), expected: dead },
];
