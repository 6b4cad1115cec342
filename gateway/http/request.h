/* Request: what a handler may know of an HTTP request, whoever parsed its head.
 * Owner: the caller's, for the time of the call; all spans and strings are borrowed from
 * buffers that live as long. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_REQUEST_H
#define SL_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "http/access.h"
#include "http/params.h"

struct sl_buffer;
struct sl_reply;

#define SL_CORS_EXPOSED "Sluice, Sluice-Cursor, Sluice-Gap, Retry-After"
/* What libraries for EventSource, fetch and tracing send of their own accord, and
 * Content-Encoding, so that its refusal can be read. */
#define SL_CORS_ALLOWED "Accept, Authorization, Baggage, Cache-Control, Content-Encoding, " \
	"Content-Type, Idempotency-Key, Last-Event-ID, Pragma, Traceparent, Tracestate, " \
	"X-CSRF-Token, X-Requested-With, X-XSRF-Token"

struct sl_request {
	unsigned http_minor;   /* of HTTP/1.x */
	bool keep_alive;       /* the client and the socket allow another request */
	struct sl_cors cors;   /* for a page of an allowed Origin */

	/* A header's value by its case-insensitive name, or NULL. */
	const char *(*get_header)(const struct sl_request *request, const char *name);
	void *arg;

	struct sl_reply *reply; /* what sl_kept_answer_transport answers with */
	struct sl_span body;   /* of a publish */
	struct sl_params params;
};

/* Appends the CORS lines of a response to this request; none without an allowed Origin. */
void sl_request_append_cors(const struct sl_request *request, struct sl_buffer *out);

#endif
