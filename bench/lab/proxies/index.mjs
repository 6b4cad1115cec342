// The real proxies, one file each.
import * as apache from './apache.mjs';
import * as caddy from './caddy.mjs';
import * as haproxy from './haproxy.mjs';
import * as nginx from './nginx.mjs';
import * as privoxy from './privoxy.mjs';
import { asProxy } from './proxy.mjs';
import * as squid from './squid.mjs';
import * as tinyproxy from './tinyproxy.mjs';
import * as varnish from './varnish.mjs';

/** @typedef {{ paths: () => (import('../matrix.mjs').Path & { missing?: string })[] }} Proxy */

/** @type {Proxy[]} */
export const proxies = [nginx, haproxy, squid, tinyproxy, privoxy, apache, varnish, caddy].map(asProxy);
