/* Exchange: one request and its answer while libmicrohttpd has the connection.
 * Owner: the front, from the request line to libmicrohttpd's completion notice. Thread:
 * the shard's. Errors: handlers answer with sl_reply_set_error().
 *
 * A handler is called once the whole request is there. It fills `reply` and returns 0, or
 * returns SL_PENDING and has sl_exchange_resume() called later. */
#ifndef SL_HTTP_EXCHANGE_H
#define SL_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "http/reply.h"
#include "http/request.h"

struct sl_exchange;
struct sl_front_entry;
struct sl_pending_request;
struct sl_route;
struct sl_shard;
struct sl_socket;

struct sl_exchange {
	struct sl_shard *shard;
	struct sl_socket *socket;   /* borrows; NULL once handed over */
	struct sl_front_entry *entry;
	void *mhd;                  /* struct MHD_Connection */
	const struct sl_route *route; /* NULL: no such path */
	char *path;                 /* owns; behind the base path, or NULL when not below it */
	char *query;                /* in `path`'s memory; behind the '?', not decoded */
	size_t query_len;
	const char *method;
	struct sl_request request;
	struct sl_buffer body;
	uint64_t body_max;          /* of those that are kept; more is refused */
	uint64_t body_bytes;        /* received, kept or not */
	bool started;               /* the handler's first call has been made */
	bool is_chunked;            /* how long the body was on the wire is not known */
	bool is_complete;           /* its last byte has come */
	bool is_suspended;
	bool is_watched;            /* by the demo: taken over even if it cannot be kept */
	struct sl_reply reply;
	struct sl_pending_request *pending; /* a publish that waits for its backend */
	struct sl_exchange *next_suspended, **prev_suspended;
};

/* What is answered at a path. */
struct sl_route {
	const char *path;       /* below the base path; ends in '/' when all below it is meant */
	const char *methods;    /* for Allow, OPTIONS included: "GET, HEAD, OPTIONS" */
	bool takes_body;        /* of a POST; a poll's is empty */
	int (*handle)(struct sl_exchange *exchange); /* NULL: a delivery request */
	bool demo_only;         /* there only under --demo */
};

/* A header of the request, or NULL. */
const char *sl_exchange_get_header(const struct sl_exchange *exchange, const char *name);

/* Bytes of the request's head. */
size_t sl_exchange_get_head_len(const struct sl_exchange *exchange);

/* How many header lines of that name the request has. */
unsigned sl_exchange_count_header(const struct sl_exchange *exchange, const char *name);

/* Tells `take` every header line, in their order. */
void sl_exchange_each_header(const struct sl_exchange *exchange,
	void (*take)(void *arg, const char *name, const char *value), void *arg);

/* The handler's SL_PENDING ends: `reply` has been filled. */
void sl_exchange_resume(struct sl_exchange *exchange);

#endif
