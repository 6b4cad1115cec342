/* Route: what is answered at a path. The app puts the list together (app.c) out of what http/,
 * transports/ and the demo offer.
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
	SL_ROUTE_NOTHING,  /* there is nothing here, though a later route would match */
};

/* Whom a route is for, where tokens are configured (auth/auth.h). A route that does not say is the
 * admins'. */
enum sl_route_needs {
	SL_NEEDS_ADMIN,     /* a token with "admin":true; without one on an admin listener */
	SL_NEEDS_TOKEN,     /* somebody known */
	SL_NEEDS_PRINCIPAL, /* somebody who may use its channels, perhaps without a token */
	SL_NEEDS_NOTHING,
};

struct sl_route {
	const char *path;       /* below the base path; ends in '/' when all below it is meant */
	const char *methods;    /* for Allow, OPTIONS included: "GET, HEAD, OPTIONS" */
	enum sl_route_kind kind;
	enum sl_route_needs needs;
	bool is_for_health;     /* an admin listener serves it too, beside what is for admins */
	bool takes_body;        /* of a POST; a poll's is empty */
	uint64_t body_max;      /* ORDINARY that takes one: bytes; 0: --max-message */
	bool is_for_any_origin; /* a page's own files: no secret, and asked for with an Origin */
	const char *file;       /* of the web folder, served here; NULL: the one of the path's name */
	const char *policy;     /* Content-Security-Policy of its pages; NULL: that of all pages */
	const struct sl_transport *const *transports; /* DELIVER; ends in NULL; told apart by `wait`, or by choose() */

	/* DELIVER, for clients of other libraries. */
	bool takes_any_method;  /* but OPTIONS: the transport's check() judges it; `methods` are for Allow */
	bool has_no_channels;   /* none is needed, those named are judged when they are subscribed to; and of the names
	                         * in the query that the gateway gives a meaning to, these alone have one: channels,
	                         * channel, token, ticket, and those of the demo */
	bool echoes_headers;    /* CORS: a page may send whatever fields it says, and asks once a day */
	const char *const *own_params; /* names in the query that are this route's own (http/params.h); ends in NULL; or
	                                * NULL */
	/* Optional. Which of `transports` is asked for, by the parameters; never NULL. Until they are known it is the
	 * first. */
	const struct sl_transport *(*choose)(const struct sl_route *route, const struct sl_request *request);

	/* ORDINARY, unless prepare() always fills it. Fills exchange->reply. */
	void (*handle)(struct sl_exchange *exchange);
	/* Optional, ORDINARY: while the request's head is still there, what handle() needs of it goes
	 * into exchange->body; or exchange->reply is filled, and handle() is not called; or exchange->is_waiting is set, and
	 * whoever prepares it fills the reply later and calls sl_serve_waiting(). */
	void (*prepare)(struct sl_exchange *exchange, const struct sl_request *request);
};

/* A list of routes that end in one without a path; several of them are searched in order. */
struct sl_routes {
	const struct sl_route *const *lists; /* ends in NULL */
};

/* `path` is what follows the base path, without query; NULL: there is nothing. */
const struct sl_route *sl_routes_find(const struct sl_routes *routes, struct sl_span path);

/* True when `method` is one of the route's. */
bool sl_route_allows(const struct sl_route *route, struct sl_span method);

/* The transport that serves a delivery request, whose parameters are known: the route's choice; else of several
 * the one that holds, unless wait=0. */
const struct sl_transport *sl_route_get_transport(const struct sl_route *route,
	const struct sl_request *request);

#endif
