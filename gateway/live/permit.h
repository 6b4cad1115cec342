/* Permit: decides whether a principal may use a channel. Every subscription (live/fanout.c) and every publish
 * of a client (live/publication.c) passes here, in all protocols. Verbs with several channels check all of them
 * first, so that they are refused whole.
 * Owner: nobody. Thread: the shard's. Errors: SL_EFORBIDDEN, counted.
 *
 * Without a token key it costs one comparison. */
#ifndef SL_LIVE_PERMIT_H
#define SL_LIVE_PERMIT_H

#include <stdbool.h>

#include "auth/principal.h"
#include "live/link.h"
#include "util/metrics.h"
#include "util/span.h"

struct sl_refusal;
struct sl_shard;

/* True if `principal` (NULL: nobody) may do `act` to `channel`, a legal name. */
static inline bool
sl_permit_allows(const struct sl_principal *principal, enum sl_act act, struct sl_span channel)
{
	return principal == &sl_principal_everybody || sl_principal_may(principal, act, channel);
}

/* Fills `*refusal` with the reason, which names the channel. The code is `forbidden`, or `unauthorized` for a
 * principal without a token, since its client may get one. Returns the counter for the reason. */
enum sl_counter sl_permit_refuse(const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal);

/* Returns the owner that limits count (core/owners.h): the principal's subject, or else the client's address.
 * Both may be NULL, and the result too: no owner. Borrowed. */
static inline struct sl_owner *
sl_permit_choose_owner(const struct sl_principal *principal, struct sl_owner *address)
{
	struct sl_owner *owner = principal ? sl_principal_get_owner(principal) : NULL;
	return owner ? owner : address;
}

static inline struct sl_owner *
sl_permit_get_owner(const struct sl_principal *principal, const struct sl_link *link)
{
	return sl_permit_choose_owner(principal, link ? link->owner : NULL);
}

/* Returns 0 for a permission, else SL_EFORBIDDEN, counted, with `*refusal` filled as above. */
int sl_permit_check(struct sl_shard *shard, const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal);

/* The same for a publish by a client of another library (SL_ASKS_CLIENT_PUBLISH). Without a token this client
 * also needs a pattern of --client-publish, or --demo. */
int sl_permit_check_client_publish(struct sl_shard *shard, const struct sl_principal *principal,
	struct sl_span channel, struct sl_refusal *refusal);

/* The same for each channel; `*refusal` names the first forbidden one. */
int sl_permit_check_subscribe(struct sl_shard *shard, const struct sl_principal *principal,
	const struct sl_span *channels, unsigned count, struct sl_refusal *refusal);

#endif
