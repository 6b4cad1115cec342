/* Credentials: what a request brings to say who asks, and whether it counts: a token or a ticket, found
 * in the places that the design names, in their order.
 * Owner: what comes out borrows the request. Thread: any, but for the last call. Errors: an outcome, as data.
 *
 * Finding them is pure: nothing is verified there. A cookie is sent by browsers on their own, also for pages that the user
 * never meant to act for, so it counts only where the request says that an allowed page, or none,
 * has sent it. */
#ifndef SL_HTTP_CREDENTIALS_H
#define SL_HTTP_CREDENTIALS_H

#include <stdbool.h>

#include "auth/principals.h"
#include "util/span.h"

struct sl_owner;
struct sl_principal;
struct sl_refusal;
struct sl_request;
struct sl_shard;

#define SL_BEARER_PROTOCOL "bearer." /* before a token in Sec-WebSocket-Protocol */

enum sl_credentials_outcome {
	SL_CREDENTIALS_READ,       /* `kind` and `bytes`, or nothing at all: SL_CREDENTIAL_NONE */
	SL_CREDENTIALS_REPEATED,   /* two of what may be there once: which one counts is anybody's guess */
	SL_CREDENTIALS_NOT_HERE,   /* a ticket, which opens deliveries alone */
};

struct sl_credentials {
	enum sl_credential kind;
	struct sl_span bytes; /* as they were sent; of any length and content */
};

/* Looks at, and the first that is there counts, even if it is empty: Authorization with the scheme
 * Bearer (RFC 6750, section 2.1), `bearer.` in Sec-WebSocket-Protocol where the transport upgrades,
 * `ticket=`, `token=` (section 2.3), the cookie `cookie_name` (NULL: none). `request` is one whose
 * origin, route and parameters have been judged. */
enum sl_credentials_outcome sl_credentials_find(struct sl_credentials *out,
	const struct sl_request *request, const char *cookie_name);

/* Who a token is that came behind the head, such as in an object with which a client introduces itself: judged as one
 * in a request is. `payer` is whom a token costs that does not count (of the client's address; NULL: nobody). Without a
 * text (bytes NULL) it is whoever has no token. Returns 0 with a new reference in `*out`, the shard's. Thread:
 * the shard's. Errors, with `*refusal`: SL_EFORBIDDEN, SL_ELIMITED, SL_ENOMEM. */
int sl_credentials_identify_text(struct sl_shard *shard, struct sl_owner *payer, struct sl_span token,
	struct sl_principal **out, struct sl_refusal *refusal);

#endif
