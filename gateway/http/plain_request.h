/* Decides whether the bytes waiting on a kept connection are one complete, plain request
 * that the shard may take off the socket and serve itself: a poll, or a publish with its
 * body. Everything else is left for libmicrohttpd, so the grammar is stricter than RFC 9112
 * asks: in doubt, not ours.
 * Owner: what comes out borrows the bytes. Thread: any. Errors: none, a verdict. */
#ifndef SL_HTTP_PLAIN_REQUEST_H
#define SL_HTTP_PLAIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

enum sl_plain_verdict {
	SL_PLAIN_NOT_OURS, /* incomplete, another request, or one with anything unusual */
	SL_PLAIN_POLL,
	SL_PLAIN_PUBLISH,
};

/* The whole paths of the two, such as "/poll" and "/publish". */
struct sl_plain_paths {
	struct sl_span poll, publish;
};

struct sl_plain_request {
	size_t len;      /* bytes of the request: its head, the empty line, its body */
	bool is_http_1_1;
	bool keep_alive; /* the client wants the connection kept (RFC 9112, section 9.3) */
	char *query;     /* behind the '?', not decoded; NULL without one */
	size_t query_len;
	struct sl_span host, origin, authorization; /* header values, trimmed */
	struct sl_span content_type, idempotency_key;
	struct sl_span content_length;
	struct sl_span body; /* of a publish */
};

/* Reads `bytes`, what a peek at the socket returned. Complete means `GET poll[?query]
 * HTTP/1.x` without a body, `POST poll[?query] HTTP/1.x` with an empty one, or `POST
 * publish[?query] HTTP/1.x` with Content-Length and the whole body; at most 64 header lines
 * without folding, control characters, or a header that would change what is asked
 * (Transfer-Encoding, Content-Encoding, Content-Range, Expect, Upgrade, Trailer); Host exactly
 * once (HTTP/1.0: at most); and the empty line. More bytes may follow; `*out` is only set
 * when the request is ours. */
enum sl_plain_verdict sl_plain_request_parse(struct sl_plain_request *out, char *bytes,
	size_t len, const struct sl_plain_paths *paths);

/* True when the bytes are the beginning of a publish whose body has not all come. */
bool sl_plain_request_lacks_body(char *bytes, size_t len, const struct sl_plain_paths *paths);

#endif
