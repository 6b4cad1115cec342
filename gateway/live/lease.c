#include "live/lease.h"

#include "live/shard.h"
#include "util/err.h"

int
sl_lease_find_all(struct sl_shard *shard, const struct sl_span *names, unsigned count)
{
	struct sl_lender *lender = shard->lender;
	int err = 0;
	for (unsigned i = 0; err == 0 && i < count; i++)
		if (sl_channel_name_is_leased(names[i].bytes))
			err = lender ? lender->ops->find(lender, shard, names[i]) : SL_ENOLEASE;
	return err;
}

int
sl_lease_join(struct sl_shard *shard, struct sl_span name)
{
	struct sl_lender *lender = shard->lender;
	return lender ? lender->ops->join(lender, shard, name) : SL_ENOLEASE;
}

void
sl_lease_leave(struct sl_shard *shard, struct sl_span name)
{
	struct sl_lender *lender = shard->lender;
	if (lender)
		lender->ops->leave(lender, shard, name);
}

int
sl_lease_spend(struct sl_shard *shard, const struct sl_message *message)
{
	struct sl_lender *lender = shard->lender;
	struct sl_span name = { message->channel, message->channel_len };
	return lender ? lender->ops->spend(lender, shard, name, message->payload_len) : SL_ENOLEASE;
}
