/* Permit: may whoever asks use a channel? Every subscription (live/fanout.c) and every publish of a client
 * (live/publication.c) passes here, whatever its protocol. Verbs that name several channels ask for all
 * of them first, so that they are refused whole.
 * Owner: nobody. Thread: the shard's. Errors: SL_EFORBIDDEN, counted.
 *
 * Where no token key is configured it costs one comparison. */
#ifndef SL_LIVE_PERMIT_H
#define SL_LIVE_PERMIT_H

#include <stdbool.h>

#include "auth/principal.h"
#include "live/link.h"
#include "util/metrics.h"
#include "util/span.h"

struct sl_refusal;
struct sl_shard;

/* May `principal` (NULL: nobody) do so to `channel`, a legal name? */
static inline bool
sl_permit_allows(const struct sl_principal *principal, enum sl_act act, struct sl_span channel)
{
	return principal == &sl_principal_everybody || sl_principal_may(principal, act, channel);
}

/* Says why it may not: fills `*refusal`, which names the channel: `forbidden`, or `unauthorized` where it has
 * no token, since whoever has none may get one. Returns the counter for it. */
enum sl_counter sl_permit_refuse(const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal);

/* Whom limits count (core/owners.h): the principal's subject, else the client's address. Both may be NULL, and
 * so may the result be: nobody. Borrowed. */
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

/* 0 when it may, else SL_EFORBIDDEN, counted, with `*refusal` filled as above. */
int sl_permit_check(struct sl_shard *shard, const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal);

/* The same for a publish by a client of another library (SL_ASKS_CLIENT_PUBLISH): without a token it also
 * needs a pattern of --client-publish, or --demo. */
int sl_permit_check_client_publish(struct sl_shard *shard, const struct sl_principal *principal,
	struct sl_span channel, struct sl_refusal *refusal);

/* The same for each; the first that is forbidden is named. */
int sl_permit_check_subscribe(struct sl_shard *shard, const struct sl_principal *principal,
	const struct sl_span *channels, unsigned count, struct sl_refusal *refusal);

#endif
