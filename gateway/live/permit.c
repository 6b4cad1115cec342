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

enum sl_counter
sl_permit_refuse(const struct sl_principal *principal, enum sl_act act, struct sl_span channel,
	struct sl_refusal *refusal)
{
	bool is_known = principal && !sl_principal_is_anonymous(principal);
	refusal->code = is_known ? "forbidden" : "unauthorized";
	refusal->is_final = true;
	refusal->retry_ms = 0;
	snprintf(refusal->message, sizeof refusal->message,
		is_known ? "this token may not %s %.*s" : "to %s %.*s needs a token", acts[act].deed,
		(int)channel.len, channel.bytes);
	return is_known ? acts[act].counter : SL_COUNTER_PRINCIPALS_MISSING;
}

int
sl_permit_check(struct sl_shard *shard, const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel, struct sl_refusal *refusal)
{
	if (sl_permit_allows(principal, act, channel))
		return 0;
	sl_metrics_add(&shard->metrics, sl_permit_refuse(principal, act, channel, refusal), 1);
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
