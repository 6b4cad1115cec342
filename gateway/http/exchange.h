/* Exchange: one request that libmicrohttpd answers, from the gate to the last byte of its answer.
 * Owner: the relay (http/relay.h); the connection borrows it while its client is there. Thread: the shard's.
 * Errors: handlers answer with sl_reply_set_error(). */
#ifndef SL_HTTP_EXCHANGE_H
#define SL_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "http/head.h"
#include "http/params.h"
#include "http/reply.h"

struct sl_connection;
struct sl_exchange;
struct sl_front;
struct sl_http;
struct sl_request;
struct sl_route;
struct sl_settings;
struct sl_shard;

struct sl_exchange {
	struct sl_front *front;
	struct sl_shard *shard;
	struct sl_http *http;          /* shared by all shards */
	struct sl_connection *connection; /* NULL once the client has left */
	const struct sl_route *route;
	char *text;                    /* owns: the head for libmicrohttpd, then path and query */
	size_t head_len;               /* of that head */
	const char *path;              /* below the base path, terminated */
	struct sl_params params;       /* borrow `text` */
	struct sl_buffer body;         /* decoded; or the result of the route's prepare() */
	bool closes;                   /* the connection closes after the answer */
	bool is_waiting;               /* set by prepare(): the reply comes later (sl_serve_waiting) */
	struct sl_reply reply;
	struct sl_settings *settings;  /* a reference, if the reply borrows from them; or NULL */
	STAILQ_ENTRY(sl_exchange) queued; /* in the relay's queue */
	uint64_t deadline_ms;
};

/* Returns new, or NULL without memory: the head for libmicrohttpd (method, path, Host), and the data that the
 * handler needs. */
struct sl_exchange *sl_exchange_create(struct sl_connection *connection,
	const struct sl_request *request);
void sl_exchange_destroy(struct sl_exchange *exchange);

/* Appends the head for libmicrohttpd; the pure part of create. */
void sl_exchange_append_head(struct sl_buffer *out, const struct sl_request *request,
	bool closes);

#endif
