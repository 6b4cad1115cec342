/* Permission: who asks, and whether a request may be served to it: the gate's last question before the
 * body, where tokens are configured.
 * Owner: the denial is the caller's. Thread: the shard's, whose principals are asked. Errors: a denial,
 * as data.
 *
 * This is the one place that judges a request's route and the channels it names. What is asked for later, on
 * a connection that is open, is judged by the verbs (live/verbs.h). */
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
	bool is_bad_token;       /* 401: one was sent, and does not count */
	uint64_t wait_ms;        /* not 0: the token was not looked at, since the client brought too many bad ones; a later
	                          * one will be */
	enum sl_counter counter; /* SL_COUNTER_COUNT: counted elsewhere */
	char message[SL_DENIAL_MAX]; /* nothing of a token or ticket is in it */
};

/* True where tokens are configured: who asks is known, or may little. */
bool sl_permission_has_tokens(const struct sl_gate *gate);

/* Sets request->principal, a reference, to whoever asks; NULL where the route does not want to know. False
 * with `*denial` when it may not. Route, parameters and CORS of the request are known. */
bool sl_permission_judge(struct sl_request *request, const struct sl_gate *gate,
	struct sl_denial *denial);

#endif
