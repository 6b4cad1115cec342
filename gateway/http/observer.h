/* Observer: watches requests, and may refuse them: the demo (demo/watch.h).
 * Owner: a constant, which the app installs (http.h). Thread: the connection's shard's. Errors: none.
 *
 * The observer gets the bytes of requests; the socket's tap gets all others (core/socket.h). */
#ifndef SL_HTTP_OBSERVER_H
#define SL_HTTP_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/metrics.h"
#include "util/span.h"

struct sl_connection;
struct sl_reply;
struct sl_request;

/* All mandatory. */
struct sl_observer {
	/* A delivery or publish request is complete. Its body has `body_len` bytes on the wire, and `request` has
	 * it decoded. `began_us` is the time of its first byte (wall clock). */
	void (*on_request)(struct sl_connection *connection, const struct sl_request *request,
		enum sl_class class, uint64_t body_len, int64_t began_us);
	/* Called after it. False with `reply` filled refuses the request. */
	bool (*may_serve)(struct sl_connection *connection, const struct sl_request *request,
		enum sl_class class, struct sl_reply *reply);
	/* The connection's next request begins, so later bytes do not belong to the last one. `bytes` are its head
	 * as it came (judging decodes the query in place); none if it is malformed. */
	void (*on_head)(struct sl_connection *connection, const char *bytes, size_t len);
};

#endif
