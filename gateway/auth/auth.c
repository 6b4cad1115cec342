#include "auth/auth.h"

#include <stdatomic.h>
#include <stdlib.h>

struct sl_auth {
	_Atomic unsigned refs;
	struct sl_patterns anonymous[SL_ACTS];
};

int
sl_auth_create(struct sl_auth **out, const struct sl_config *config,
	const struct sl_secret *secret, char *error, size_t error_size)
{
	(void)config, (void)secret, (void)error, (void)error_size;
	*out = NULL;
	return 0;
}

struct sl_auth *
sl_auth_ref(struct sl_auth *auth)
{
	atomic_fetch_add(&auth->refs, 1);
	return auth;
}

void
sl_auth_unref(struct sl_auth *auth)
{
	if (auth && atomic_fetch_sub(&auth->refs, 1) == 1)
		free(auth);
}

bool
sl_auth_verify_token(const struct sl_auth *auth, struct sl_span token, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	(void)auth, (void)token, (void)now_s, (void)out;
	*refusal = (struct sl_auth_refusal){ "unauthorized", "no key is known" };
	return false;
}

bool
sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	return sl_auth_verify_token(auth, ticket, now_s, out, refusal);
}

const struct sl_patterns *
sl_auth_get_anonymous(const struct sl_auth *auth, enum sl_act act)
{
	return &auth->anonymous[act];
}
