#include "auth/auth.h"

bool
sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	*refusal = (struct sl_auth_refusal){ "unauthorized", "no ticket is known" };
	return false;
}
