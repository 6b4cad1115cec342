/* Somebody: a principal as no token has to be signed for, who may use the channels that a test says.
 * Owner: the caller's struct; nobody counts its references. Thread: main. Errors: abort without memory. */
#ifndef SL_TESTS_SOMEBODY_H
#define SL_TESTS_SOMEBODY_H

#include <stdlib.h>
#include <string.h>

#include "auth/principal_state.h"

/* `subscribe` and `publish` are one pattern each, or NULL. */
static inline void
somebody_init(struct sl_principal *somebody, const char *subject, const char *subscribe,
	const char *publish)
{
	const char *const may[SL_ACTS] = { subscribe, publish };
	*somebody = (struct sl_principal){ .claims.expires_s = SL_NEVER_S };
	memcpy(somebody->claims.subject, subject, strlen(subject) + 1);
	for (int act = 0; act < SL_ACTS; act++)
		if (may[act] && sl_patterns_add(&somebody->claims.may[act],
				(struct sl_span){ may[act], strlen(may[act]) }) != 0)
			abort();
}

/* Whoever lives by its leave is ended by those of a shard, until `expires_s`; the test keeps the one
 * reference that is never given back. */
static inline void
somebody_be_known(struct sl_principal *somebody, struct sl_principals *principals, int64_t expires_s)
{
	somebody->owner = principals;
	somebody->refs = 1;
	somebody->claims.expires_s = expires_s;
	TAILQ_INIT(&somebody->holders);
	sl_timer_init(&somebody->expiry, sl_principal_on_expiry);
}

static inline void
somebody_finish(struct sl_principal *somebody)
{
	sl_claims_finish(&somebody->claims);
}

#endif
