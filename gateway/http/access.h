/* Access: the Host names that the gateway answers to, and the Origins that may use it.
 * Owner: the settings; a reload makes a new one. Thread: any may read it once made. Errors: NULL without
 * memory.
 *
 * Origins are never compared with Host, because proxies rewrite Host. Allowed are the configured Origins and
 * the gateway's own loopback listeners, except those for admins.
 *
 * Without a token key the gateway serves only loopback. Host must then be a loopback name or that of a public
 * origin, since a web page can make its own name resolve to this machine (DNS rebinding). The same holds under
 * --allow-anonymous with a public origin, where Host may also be an IP address. With a token key the gate takes
 * any Host, since the token proves who sends the request. At an admin listener requests have no token, so there
 * Host counts. */
#ifndef SL_HTTP_ACCESS_H
#define SL_HTTP_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct sl_access;
struct sl_config;
struct sl_listener;

/* `listeners` with their real ports. Returns new. */
struct sl_access *sl_access_create(const struct sl_config *config,
	const struct sl_listener *listeners, size_t listener_count);
void sl_access_destroy(struct sl_access *access);

/* Also allows the service on a loopback port, with TLS or without, under any name of loopback. Call it before
 * `access` is shared. False without memory. */
bool sl_access_allow_port(struct sl_access *access, uint16_t port);

/* Judges the host of a request: its Host, or the host in its target (absent: an HTTP/1.0 client, which is no
 * browser). The port of a public origin may be present; it may be absent if it is its scheme's. */
bool sl_access_host_allowed(const struct sl_access *access, struct sl_span host);

/* The same at an admin listener. Allowed are a loopback name, an IP address (no page has one as its name), and
 * the name of a public origin. */
bool sl_access_admin_host_allowed(const struct sl_access *access, struct sl_span host);

/* The CORS fields of an answer, for the page that sent the request. */
struct sl_cors {
	const char *origin; /* Access-Control-Allow-Origin; NULL: no CORS fields */
	bool credentials;   /* Access-Control-Allow-Credentials: true */
};

/* Judges an Origin header by scheme, host and port. The Origin of an app is compared byte for byte, since an
 * app chooses its host freely. `*cors` is all zero if there is no Origin, or it is refused. Its text is
 * borrowed from `access`, and is the text that browsers compare with theirs (Fetch, section 4.9). "null" is
 * never allowed. */
bool sl_access_origin_allowed(const struct sl_access *access, struct sl_span origin,
	struct sl_cors *cors);

#endif
