/* Request: what a handler may know of an HTTP request, whoever parsed its head.
 * Owner: the caller's, for the time of the call; all spans and strings are borrowed from
 * buffers that live as long. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_REQUEST_H
#define SL_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "http/params.h"

struct sl_buffer;
struct sl_reply;

#define SL_CORS_EXPOSED "Sluice, Sluice-Cursor, Sluice-Gap, Retry-After"
#define SL_CORS_ALLOWED "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"

struct sl_request {
	unsigned http_minor;   /* of HTTP/1.x */
	bool keep_alive;       /* the client and the socket allow another request */
	const char *origin;    /* an allowed Origin to be echoed (CORS), or NULL */

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
