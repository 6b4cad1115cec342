#include "live/permit.h"


#include "auth/pattern.h"
#include "bus/message.h"
#include "config/config.h"
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
	sl_refusal_format(refusal, is_known ? "forbidden" : "unauthorized", is_known ? "this token may not %s %.*s" : "without a token a client may not %s %.*s; use a token", acts[act].deed,
		(int)channel.len, channel.bytes);
	refusal->is_final = true;
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

/* The lease of a lent channel is the permission. */
static bool
is_for_clients(const struct sl_config *config, struct sl_span channel)
{
	if (config->demo || sl_channel_name_is_leased(channel.bytes))
		return true;
	for (size_t i = 0; i < config->client_publish.count; i++)
		if (sl_pattern_matches(config->client_publish.texts[i], channel))
			return true;
	return false;
}

int
sl_permit_check_client_publish(struct sl_shard *shard, const struct sl_principal *principal,
	struct sl_span channel, struct sl_refusal *refusal)
{
	int err = sl_permit_check(shard, principal, SL_ACT_PUBLISH, channel, refusal);
	bool has_token = principal && principal != &sl_principal_everybody &&
		!sl_principal_is_anonymous(principal);
	if (err != 0 || has_token || is_for_clients(shard->config, channel))
		return err;
	sl_refusal_format(refusal, "forbidden", "a client of another library may not publish to %.*s; use a token, or --client-publish at the gateway",
		(int)channel.len, channel.bytes);
	refusal->is_final = true;
	sl_metrics_add(&shard->metrics, SL_COUNTER_FORBIDDEN_PUBLISH, 1);
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
