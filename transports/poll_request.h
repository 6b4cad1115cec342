/* Decides whether the bytes waiting on a kept connection are one complete, plain poll
 * request that the shard may take off the socket and serve itself. Everything else is left
 * for libmicrohttpd, so the grammar is stricter than RFC 9112 asks: in doubt, not ours.
 * Owner: what comes out borrows the bytes. Thread: any. Errors: none, a verdict. */
#ifndef SL_TRANSPORTS_POLL_REQUEST_H
#define SL_TRANSPORTS_POLL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

enum sl_poll_verdict {
	SL_POLL_NOT_OURS, /* incomplete, another request, or one with anything unusual */
	SL_POLL_COMPLETE,
};

struct sl_poll_request {
	size_t head_len; /* bytes of the request, with the empty line; it has no body */
	bool is_http_1_1;
	bool keep_alive; /* the client wants the connection kept (RFC 9112, section 9.3) */
	char *query;     /* behind the '?', not decoded; NULL without one */
	size_t query_len;
	struct sl_span host, origin, authorization; /* header values, trimmed */
};

/* Reads `bytes`, what a peek at the socket returned. `path` is the whole path of the poll
 * resource, such as "/poll". Complete means `GET path[?query] HTTP/1.x`, at most 64 header
 * lines without folding, control characters, or a header that would change what is asked
 * (a body, Expect, Upgrade, Trailer), Host exactly once (HTTP/1.0: at most), and the empty
 * line. More bytes may follow; `*out` is only set by SL_POLL_COMPLETE. */
enum sl_poll_verdict sl_poll_request_parse(struct sl_poll_request *out, char *bytes,
	size_t len, struct sl_span path);

#endif
