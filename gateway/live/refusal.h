/* Refusal: the reason for which a client's request is not done: a code of PROTOCOL.md and a sentence. Each
 * protocol reports it in its own form.
 * Owner: the caller's struct. Thread: any. Errors: none. */
#ifndef SL_LIVE_REFUSAL_H
#define SL_LIVE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/message.h"
#include "core/owners.h"

#define SL_REFUSAL_MAX (SL_CHANNEL_MAX + 128) /* bytes of a sentence, which may name a channel */

/* All zero: nothing is refused. */
struct sl_refusal {
	const char *code; /* static */
	char message[SL_REFUSAL_MAX];
	bool is_final; /* a retry does not help */
	uint32_t retry_ms; /* the time after which a limit pays again; else 0 */
};

/* Sets the code, which is static, and a sentence, which is cut if it is too long. */
__attribute__((format(printf, 3, 4))) void sl_refusal_format(struct sl_refusal *refusal, const char *code,
	const char *format, ...);
void sl_refusal_set(struct sl_refusal *refusal, const char *code, const char *message);

/* Sets `bad_channel`, for a name that is not legal in the member or argument `where`, such as "channels[2]". */
void sl_refusal_set_channel(struct sl_refusal *refusal, const char *where, struct sl_span name);

/* Says that `value`, which is no secret and no payload, is not valid in the member or argument `where`, and what is
 * `right`: `key: "short" is not valid; use 8 to 64 visible ASCII characters`. */
void sl_refusal_set_value(struct sl_refusal *refusal, const char *code, const char *where, struct sl_span value,
	const char *right);

/* Sets the code and sentence of an error. */
void sl_refusal_set_err(struct sl_refusal *refusal, int err);

/* Sets `rate_limited`: the client is over one of its limits, which pays again in `wait_ms`. The client should
 * retry then, and not before one second is over. */
void sl_refusal_set_limit(struct sl_refusal *refusal, enum sl_limit limit, uint64_t wait_ms);

/* Returns the whole seconds of such a wait, for Retry-After. */
uint64_t sl_refusal_get_retry_s(const struct sl_refusal *refusal);

#endif
