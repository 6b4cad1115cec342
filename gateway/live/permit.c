#include "live/permit.h"

#include <stdio.h>

#include "live/refusal.h"
#include "live/shard.h"
#include "util/err.h"

static const struct {
	const char *deed;
	enum sl_counter counter;
} acts[SL_ACTS] = {
	[SL_ACT_SUBSCRIBE] = { "subscribe to", SL_COUNTER_FORBIDDEN_SUBSCRIBE },
	[SL_ACT_PUBLISH] = { "publish to", SL_COUNTER_FORBIDDEN_PUBLISH },
};

int
sl_permit_check(struct sl_shard *shard, const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal)
{
	if (sl_permit_allows(principal, act, channel))
		return 0;
	int len = (int)channel.len;
	bool is_known = principal && !sl_principal_is_anonymous(principal);
	sl_metrics_add(&shard->metrics,
		is_known ? acts[act].counter : SL_COUNTER_PRINCIPALS_MISSING, 1);
	refusal->code = is_known ? "forbidden" : "unauthorized";
	refusal->is_final = true;
	/* Whoever has no token may get one; whoever has one has the wrong one. */
	if (is_known)
		snprintf(refusal->message, sizeof refusal->message, "this token may not %s %.*s",
			acts[act].deed, len, channel.bytes);
	else
		snprintf(refusal->message, sizeof refusal->message, "to %s %.*s needs a token",
			acts[act].deed, len, channel.bytes);
	return SL_EFORBIDDEN;
}

int
sl_permit_check_subscribe(struct sl_shard *shard, const struct sl_principal *principal,
	const struct sl_span *channels, unsigned count, struct sl_refusal *refusal)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < count; i++)
		err = sl_permit_check(shard, principal, SL_ACT_SUBSCRIBE, channels[i], refusal);
	return err;
}
