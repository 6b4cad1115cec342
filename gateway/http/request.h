/* Request: a request that was judged and is allowed (http/gate.h).
 * Owner: the caller of the code that serves it. It borrows the request's bytes, which live until that call
 * returns. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_REQUEST_H
#define SL_HTTP_REQUEST_H

#include <stdbool.h>

#include "http/access.h"
#include "http/head.h"
#include "http/params.h"
#include "util/span.h"

struct sl_principal;
struct sl_route;
struct sl_transport;

struct sl_request {
	const struct sl_head *head;
	const struct sl_route *route;
	const struct sl_transport *transport; /* of a delivery request; else NULL */
	const char *path;       /* below the base path; not terminated */
	size_t path_len;
	struct sl_principal *principal; /* the sender, a reference of the judgement's; NULL: not needed */
	struct sl_owner *owner; /* borrows: the owner that limits count; NULL: nobody */
	bool keep_alive;        /* the client allows another request */
	struct sl_cors cors;    /* for a page of an allowed Origin */
	uint64_t body_max;
	struct sl_span body;    /* whole and decoded */
	struct sl_params params;
};

/* Returns the value of a field's first line, or absent (bytes NULL). */
static inline struct sl_span
sl_request_get(const struct sl_request *request, enum sl_field field)
{
	return request->head->first[field];
}

#endif
