/* Ticket: a token of our own (a JWT, HS256) that opens deliveries for SL_TICKET_S seconds, for clients
 * that can send no header. It carries the claims of the token that bought it.
 * Owner: the caller's buffer. Thread: any. Errors: those of the buffer; SL_ETOOBIG. */
#ifndef SL_AUTH_TICKET_H
#define SL_AUTH_TICKET_H

#include <stdint.h>

#include "auth/auth.h"
#include "util/buffer.h"

/* Appends a ticket. `*expires_s` is when it ends: after SL_TICKET_S, or with its claims. Errors: SL_EIO;
 * SL_ETOOBIG, it would be longer than SL_TOKEN_MAX. */
int sl_ticket_append(struct sl_buffer *out, const struct sl_auth *auth,
	const struct sl_claims *claims, int64_t now_s, int64_t *expires_s);

#endif
