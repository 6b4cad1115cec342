/* POST /admin/disconnect: ends the streams of a subject, and refuses its tokens issued until now (PROTOCOL.md,
 * administration).
 * Owner: the exchange's. Thread: the shard's. Errors: answered. */
#ifndef SL_HTTP_API_ADMIN_H
#define SL_HTTP_API_ADMIN_H

#include "util/buffer.h"
#include "util/span.h"

struct sl_exchange;
struct sl_request;

#define SL_ADMIN_BODY_MAX 4096
/* The answer of /ticket and of this path if the gateway has no token key. */
#define SL_API_NO_TOKENS "this gateway has no tokens; start it with --token-key FILE"

/* A route's prepare(): fills the reply. */
void sl_api_admin_disconnect(struct sl_exchange *exchange, const struct sl_request *request);

/* Appends the subject of a body to `out`. Errors: SL_EINVAL, the body is not exactly {"subject":"..."} with a
 * subject that a token can have; SL_ENOMEM. */
int sl_api_admin_read_subject(struct sl_buffer *out, struct sl_span body);

#endif
