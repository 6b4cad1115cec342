/* Serve: what is done with a request once it is judged: an answer, a transport, a publish, the relay.
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

/* What a request took on the wire, and when its first byte came (wall clock; 0 where nobody looks
 * on). */
struct sl_served_bytes {
	size_t head;
	uint64_t body;
	int64_t began_us;
};

/* What is served is a stream of `subject`'s from now on (NULL: nobody's), in the place of another's. Errors:
 * SL_ELIMITED: it has as many as it may have; all is as it was. */
int sl_serve_enter(struct sl_connection *connection, struct sl_owner *subject);

/* A request that is whole. */
void sl_serve(struct sl_connection *connection, struct sl_judgement *judgement,
	const struct sl_served_bytes *bytes);

/* Answers a request of whose body nobody wants the rest, and ends the connection: it is read on, for a
 * bounded time and amount, so that the client sees the answer and no reset. */
void sl_serve_unread(struct sl_connection *connection, struct sl_judgement *judgement);

/* Answers bytes that are no request, and ends the connection. */
void sl_serve_malformed(struct sl_connection *connection, const struct sl_head_refusal *refusal);

/* The client has left: the answer to its publish has nobody to go to. */
void sl_serve_forget(struct sl_connection *connection);

/* Takes an exchange that was waiting (http/exchange.h): its reply is filled, and goes to the client if that is
 * still there. */
void sl_serve_waiting(struct sl_exchange *exchange);

/* Answers with an error, and ends the connection, where nothing has been queued yet. */
void sl_serve_failed(struct sl_connection *connection, int err);

#endif
