/* Access: which Host names the gateway answers to and which Origins may use it.
 * Owner: the settings; made anew by a reload. Thread: read by any once made. Errors: NULL
 * without memory.
 *
 * Origins are never compared with Host: proxies rewrite it. Allowed are those configured
 * and the gateway's own loopback listeners, but for those of admins. Without a token key only
 * loopback is served, and Host must then be a loopback name or that of a public origin, since
 * a web page can have its own name resolve to this machine (DNS rebinding); so must it under --allow-anonymous
 * with a public origin, or be an IP address. With a token key the gate takes any Host,
 * since whoever asks proves who it is; but at an admin listener nobody does. */
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

/* Also allows what is served on a loopback port, in the clear or over TLS, under any name of loopback;
 * before `access` is shared. False without memory. */
bool sl_access_allow_port(struct sl_access *access, uint16_t port);

/* Judges whom a request is for: its Host, or the host in its target (absent: an HTTP/1.0 client,
 * which no browser is). A public origin's port may be said or, if it is its scheme's, left out. */
bool sl_access_host_allowed(const struct sl_access *access, struct sl_span host);

/* The same at an admin listener: a loopback name, an IP address, which no page's name is, or that of a
 * public origin. */
bool sl_access_admin_host_allowed(const struct sl_access *access, struct sl_span host);

/* What an answer tells a browser of the page that asked. */
struct sl_cors {
	const char *origin; /* Access-Control-Allow-Origin; NULL: nothing is told */
	bool credentials;   /* Access-Control-Allow-Credentials: true */
};

/* Judges an Origin header by scheme, host and port; that of an app byte for byte, as its host is
 * what it wants. `*cors` is all zero when there is none or it is refused; its text is borrowed from
 * `access`, and is what browsers compare with theirs (Fetch, section 4.9). "null" is no origin we
 * know. */
bool sl_access_origin_allowed(const struct sl_access *access, struct sl_span origin,
	struct sl_cors *cors);

#endif
