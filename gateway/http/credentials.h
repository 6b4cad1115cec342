/* Credentials: the token or ticket of a request. Finds it in the places that the design names, in their order,
 * and decides whether it counts.
 * Owner: results borrow the request. Thread: any, except for the last call. Errors: an outcome, as data.
 *
 * Finding them is pure, and verifies nothing. Browsers send a cookie on their own, also for pages that the user
 * never meant to use. So a cookie counts only if the request shows that an allowed page, or no page, has sent
 * it. */
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
	SL_CREDENTIALS_READ,       /* `kind` and `bytes`, or no credentials: SL_CREDENTIAL_NONE */
	SL_CREDENTIALS_REPEATED,   /* two values of a thing that may be there once: nobody knows which one counts */
	SL_CREDENTIALS_NOT_HERE,   /* a ticket at another route than a delivery */
};

struct sl_credentials {
	enum sl_credential kind;
	struct sl_span bytes; /* as sent; of any length and content */
};

/* Looks for credentials in these places; the first that is present counts, even if it is empty:
 *
 *   - Authorization with the scheme Bearer (RFC 6750, section 2.1);
 *   - `bearer.` in Sec-WebSocket-Protocol, if the transport upgrades;
 *   - `ticket=`, `token=` (section 2.3);
 *   - the cookie `cookie_name` (NULL: none).
 *
 * The origin, route and parameters of `request` have been judged. */
enum sl_credentials_outcome sl_credentials_find(struct sl_credentials *out,
	const struct sl_request *request, const char *cookie_name);

/* Finds the principal of a token that came after the head, for instance in an object by which a client
 * introduces itself. It judges the token as one in a request. `payer` is the owner that pays for an invalid
 * token (of the client's address; NULL: nobody). Without a text (bytes NULL) the principal is that of a client
 * without a token. Returns 0 with a new reference in `*out`, the shard's. Thread: the shard's. Errors, with
 * `*refusal`: SL_EFORBIDDEN, SL_ELIMITED, SL_ENOMEM. */
int sl_credentials_identify_text(struct sl_shard *shard, struct sl_owner *payer, struct sl_span token,
	struct sl_principal **out, struct sl_refusal *refusal);

#endif
