/* Response: the head of an answer of ours, as data; rendered to HTTP/1.1 in this file alone.
 * Owner: values are borrowed until it is rendered. Thread: any. Errors: those of the buffer. */
#ifndef SL_HTTP_RESPONSE_H
#define SL_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/access.h"
#include "util/buffer.h"
#include "util/span.h"

#define SL_RESPONSE_FIELDS_MAX 12

struct sl_response_field {
	const char *name;     /* static */
	struct sl_span value;
};

enum sl_response_body {
	SL_RESPONSE_LENGTH,      /* Content-Length: `length` */
	SL_RESPONSE_CHUNKED,     /* Transfer-Encoding: chunked */
	SL_RESPONSE_UNTIL_CLOSE, /* neither: HTTP/1.0 streams, heads without a body (HEAD of streams) */
};

struct sl_response {
	unsigned status;           /* 101, 204 and 304 have no body and no length */
	enum sl_response_body body;
	uint64_t length;
	const char *content_type;  /* NULL: none */
	const char *cache_control; /* NULL: no-store */
	struct sl_cors cors;
	bool closes;               /* Connection: close */
	bool is_foreign;           /* it must look like another server's: no `Sluice` */
	struct sl_response_field fields[SL_RESPONSE_FIELDS_MAX]; /* further ones, in their order */
	unsigned field_count;
};

/* Fields beyond SL_RESPONSE_FIELDS_MAX are dropped (asserted in debug builds). */
void sl_response_add(struct sl_response *response, const char *name, struct sl_span value);
void sl_response_add_text(struct sl_response *response, const char *name, const char *value);

/* True if the status has a body. */
bool sl_response_has_body(const struct sl_response *response);

/* Appends the status line, Sluice, Date, Cache-Control, Content-Type, length, Connection, the CORS fields, the
 * further ones, and the empty line. A 101 has neither Date nor Cache-Control. */
void sl_response_append_head(const struct sl_response *response, struct sl_buffer *out);

/* The fields of an answer that a page of another origin may read. */
#define SL_CORS_EXPOSED "Sluice, Sluice-Cursor, Sluice-Gap, Retry-After"
/* The fields that such a page may send: those of libraries for EventSource, fetch and tracing. Content-Encoding
 * is among them so that the page can read its refusal. */
#define SL_CORS_ALLOWED "Accept, Authorization, Baggage, Cache-Control, Content-Encoding, " \
	"Content-Type, Idempotency-Key, Last-Event-ID, Pragma, Traceparent, Tracestate, " \
	"X-CSRF-Token, X-Requested-With, X-XSRF-Token"

/* Calls `take` for each CORS field of an answer for an allowed Origin, in their order. For http/respond.c,
 * which renders them itself. */
void sl_cors_each(const struct sl_cors *cors,
	void (*take)(void *arg, const char *name, const char *value), void *arg);

#endif
