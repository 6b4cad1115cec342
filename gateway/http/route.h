/* Route: the answer at a path. The app puts the list together (app.c) from the routes of http/, transports/ and
 * the demo.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_HTTP_ROUTE_H
#define SL_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"
#include "util/span.h"

struct sl_config;
struct sl_exchange;
struct sl_request;
struct sl_transport;

enum sl_route_kind {
	SL_ROUTE_ORDINARY, /* answered by `handle`, within libmicrohttpd */
	SL_ROUTE_DELIVER,  /* served by one of `transports` */
	SL_ROUTE_PUBLISH,
	SL_ROUTE_NOTHING,  /* nothing is here, although a later route would match */
};

/* The principals that a route is for, if tokens are configured (auth/auth.h). The default is admins. */
enum sl_route_needs {
	SL_NEEDS_ADMIN,     /* a token with "admin":true; without one on an admin listener */
	SL_NEEDS_TOKEN,     /* a known principal */
	SL_NEEDS_PRINCIPAL, /* a principal that may use its channels, perhaps without a token */
	SL_NEEDS_NOTHING,
};

struct sl_route {
	const char *path;       /* below the base path; a '/' at its end includes everything below it */
	const char *methods;    /* for Allow, OPTIONS included: "GET, HEAD, OPTIONS" */
	enum sl_route_kind kind;
	enum sl_route_needs needs;
	bool is_for_health;     /* an admin listener serves it besides the routes for admins */
	bool takes_body;        /* of a POST; a poll's is empty */
	uint64_t body_max;      /* ORDINARY that takes one: bytes; 0: --max-message */
	bool is_for_any_origin; /* a page's own files: no secret, and browsers send an Origin for them */
	const char *file;       /* a file of the web folder, served here; NULL: the file with the path's name */
	const char *policy;     /* Content-Security-Policy of its pages; NULL: that of all pages */
	const struct sl_transport *const *transports; /* DELIVER; ends in NULL; `wait` or choose() selects one */

	/* DELIVER, for clients of other libraries. */
	bool takes_any_method;  /* except OPTIONS: the transport's check() judges it; `methods` are for Allow */
	bool has_no_channels;   /* channels are optional; those in the query are judged at the subscribe. Of the
	                         * gateway's own names in the query only channels, channel, token, ticket and the demo's
	                         * count */
	bool echoes_headers;    /* CORS: a page may send any fields that it names, and asks once per day */
	const char *const *own_params; /* the route's own names in the query (http/params.h); ends in NULL; or NULL */
	/* Optional. Chooses one of `transports` by the parameters; never NULL. Before they are known the first one
	 * counts. */
	const struct sl_transport *(*choose)(const struct sl_route *route, const struct sl_request *request);

	/* ORDINARY, unless prepare() always fills it. Fills exchange->reply. */
	void (*handle)(struct sl_exchange *exchange);
	/* Optional, ORDINARY. Called while the request's head is still there. It may put data that handle() needs
	 * into exchange->body. Or it fills exchange->reply, and handle() is not called. Or it sets
	 * exchange->is_waiting; then its code fills the reply later and calls sl_serve_waiting(). */
	void (*prepare)(struct sl_exchange *exchange, const struct sl_request *request);
};

/* Lists of routes, searched in order. Each ends in a route without a path. */
struct sl_routes {
	const struct sl_route *const *lists; /* ends in NULL */
};

/* `path` follows the base path, without the query. Returns NULL if there is no route. */
const struct sl_route *sl_routes_find(const struct sl_routes *routes, struct sl_span path);

/* True if `method` is one of the route's. */
bool sl_route_allows(const struct sl_route *route, struct sl_span method);

/* Returns the transport that serves a delivery request, whose parameters are known: the route's choice. Without
 * choose(), it is the transport that holds, unless wait=0. */
const struct sl_transport *sl_route_get_transport(const struct sl_route *route,
	const struct sl_request *request);

#endif
