/* Permission: finds the principal of a request, and decides whether it may be served. This is the gate's last
 * question before the body, if tokens are configured.
 * Owner: the denial is the caller's. Thread: that of the shard whose principals are asked. Errors: a denial, as
 * data.
 *
 * This is the one place that judges a request's route and the channels it names. The verbs (live/verbs.h) judge
 * later requests on an open connection. */
#ifndef SL_HTTP_PERMISSION_H
#define SL_HTTP_PERMISSION_H

#include <stdbool.h>

#include "live/refusal.h"
#include "util/metrics.h"

struct sl_gate;
struct sl_request;

#define SL_DENIAL_MAX SL_REFUSAL_MAX /* it may name a channel */

struct sl_denial {
	unsigned status;         /* 400, 401, 403; 500 */
	const char *code;        /* static */
	bool is_bad_token;       /* 401: the request has an invalid token */
	uint64_t wait_ms;        /* not 0: the token was not verified, since the client sent too many bad ones; retry
	                          * after this time */
	enum sl_counter counter; /* SL_COUNTER_COUNT: counted elsewhere */
	char message[SL_DENIAL_MAX]; /* contains no part of a token or ticket */
};

/* True if tokens are configured: a principal is known, or may do little. */
bool sl_permission_has_tokens(const struct sl_gate *gate);

/* Sets request->principal, a reference, or NULL if the route needs no principal. False with `*denial` for a
 * request that may not be served. Route, parameters and CORS of the request are known. */
bool sl_permission_judge(struct sl_request *request, const struct sl_gate *gate,
	struct sl_denial *denial);

#endif
