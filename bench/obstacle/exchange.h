/* A request and its response, on their way through a connection.
 * Owner: embedded in the connection. Thread: one. Errors: none, what is no HTTP is answered
 * 400, 431 or 502 and ends the connection. */
#ifndef SL_BENCH_OBSTACLE_EXCHANGE_H
#define SL_BENCH_OBSTACLE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/obstacle/body.h"
#include "bench/obstacle/events.h"
#include "bench/obstacle/fault.h"
#include "bench/obstacle/frames.h"
#include "bench/obstacle/head.h"
#include "util/buffer.h"

struct ob_connection;

struct ob_exchange {
	struct ob_head request, response;
	struct ob_body up, down;     /* as they come */
	enum ob_framing down_out;    /* as it goes */
	const char *transport;       /* what the request is, by its path */
	bool is_connect;
	bool is_http10;              /* the client's version */
	bool is_begun;               /* the response's head has been queued for the client */
	bool holds_head;             /* it waits for the first piece of the body */
	bool is_rewritten;           /* the body's length is not known any more */
	bool is_last;                /* the connection ends after it */
	struct ob_frames frames[2];  /* where a WebSocket stands, by enum ob_way, as it comes */
	struct ob_events events;     /* where the body stands, as it comes */
	struct sl_buffer sent;       /* the request as it was sent, where it may be repeated */
	bool is_repeatable;
};

void ob_exchange_init(struct ob_exchange *exchange);
void ob_exchange_finish(struct ob_exchange *exchange);

/* Understands what stands in the connection's `in`, as far as that is wanted. */
void ob_exchange_advance(struct ob_connection *conn);

/* Asks the faults from `from` on what becomes of the request, then sends it on. */
void ob_exchange_judge(struct ob_connection *conn, unsigned from);

/* Bytes from the origin, and its end. */
void ob_exchange_take(struct ob_connection *conn, const char *bytes, size_t len);
void ob_exchange_origin_gone(struct ob_connection *conn);

/* The last link of the chain of faults: bytes go to their side, framed. */
void ob_exchange_emit(struct ob_connection *conn, const struct ob_piece *piece);

/* Sends the response's head if it still waits. */
void ob_exchange_release_head(struct ob_connection *conn);

/* Answers with a page of our own; `lines` are further header lines or "". Ends the connection. */
void ob_exchange_answer(struct ob_connection *conn, unsigned status, const char *lines,
	const char *body);

/* Answers with these bytes and ends the connection. */
void ob_exchange_answer_bytes(struct ob_connection *conn, const char *bytes, size_t len);

/* Drops the response and sends the request again on a new connection to the origin; false
 * when it was too long to be kept or is not complete. */
bool ob_exchange_repeat(struct ob_connection *conn);

/* The request's path with query, and without, also of an absolute URL. */
struct sl_span ob_exchange_target(const struct ob_exchange *exchange);
struct sl_span ob_exchange_path(const struct ob_exchange *exchange);

#endif
