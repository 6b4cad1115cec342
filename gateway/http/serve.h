/* Serve: serves a judged request: by an answer, a transport, a publish, or the relay.
 * Owner: the connection. Thread: the shard's. Errors: answered. */
#ifndef SL_HTTP_SERVE_H
#define SL_HTTP_SERVE_H

#include <stddef.h>
#include <stdint.h>

struct sl_connection;
struct sl_exchange;
struct sl_head_refusal;
struct sl_judgement;
struct sl_owner;

/* The bytes of a request on the wire, and the time of its first byte (wall clock; 0 without an observer). */
struct sl_served_bytes {
	size_t head;
	uint64_t body;
	int64_t began_us;
};

/* Counts the served stream for `subject` from now on (NULL: nobody), instead of another subject. Errors:
 * SL_ELIMITED: it has as many streams as it may have; nothing changed. */
int sl_serve_enter(struct sl_connection *connection, struct sl_owner *subject);

/* Serves a complete request. */
void sl_serve(struct sl_connection *connection, struct sl_judgement *judgement,
	const struct sl_served_bytes *bytes);

/* Answers a request before the end of its body, and ends the connection. The rest of the body is read and
 * discarded, for a bounded time and amount, so that the client sees the answer and no reset. */
void sl_serve_unread(struct sl_connection *connection, struct sl_judgement *judgement);

/* Answers bytes that are no request, and ends the connection. */
void sl_serve_malformed(struct sl_connection *connection, const struct sl_head_refusal *refusal);

/* The client has left: drops the answer to its publish. */
void sl_serve_forget(struct sl_connection *connection);

/* Takes an exchange that waited (http/exchange.h), with its reply filled. Sends the reply if the client is
 * still there. */
void sl_serve_waiting(struct sl_exchange *exchange);

/* Answers with an error, if nothing has been queued yet, and ends the connection. */
void sl_serve_failed(struct sl_connection *connection, int err);

#endif
