#include "live/outage.h"

#include "config/config.h"
#include "live/control.h"
#include "live/link.h"
#include "live/shard.h"
#include "live/subscriber.h"

#define TELLS_PER_TURN 256  /* as many links as a turn serves */
#define LINKS_PER_TURN 4096 /* looked at; most of them are told, unless they hold polls */

void
sl_outage_set(struct sl_shard *shard, bool is_away)
{
	if (shard->outage.is_away == is_away)
		return;
	shard->outage.is_away = is_away;
	sl_outage_tell_all(shard);
}

void
sl_outage_tell_all(struct sl_shard *shard)
{
	shard->outage.at = shard->links;
	sl_session_table_begin_log(shard); /* nothing else can be told to those that poll */
}

void
sl_outage_forget(struct sl_link *link)
{
	struct sl_outage *outage = &link->shard->outage;
	if (outage->at == link)
		outage->at = link->next;
}

/* One that has more to read than it may has no use for this now. */
static bool
has_room(const struct sl_subscriber *s)
{
	return s->link->outbox.queued_bytes <= s->shard->config->outbox_bytes;
}

void
sl_outage_tell(struct sl_subscriber *s)
{
	bool is_away = s->shard->outage.is_away;
	if (sl_subscriber_is_outdated(s)) {
		sl_subscriber_end_in_order(s, SL_END_EPOCH, 0);
		return;
	}
	if (s->told_away == is_away || s->encoder->capabilities & SL_ONE_SHOT ||
			s->state == SL_SUBSCRIBER_PROBING || sl_subscriber_is_ending(s) || !has_room(s))
		return;
	s->told_away = is_away;
	sl_control_send_backend(s, is_away);
}

/* Telling one may close its link, and no other. */
bool
sl_outage_work(struct sl_shard *shard)
{
	struct sl_outage *outage = &shard->outage;
	unsigned told = 0;
	for (unsigned i = 0; outage->at && i < LINKS_PER_TURN && told < TELLS_PER_TURN; i++) {
		struct sl_link *link = outage->at;
		outage->at = link->next;
		if (link->state == SL_LINK_OPEN)
			told += link->ops->on_outage(link);
	}
	return outage->at != NULL;
}
