#include "live/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/fanout.h"
#include "live/lease.h"
#include "live/permit.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "util/err.h"

#define FREE_BEAT_MS 1000
#define PENDING_MAX 64 /* publishes of a subscriber waiting for the backend */

struct sl_pending_publish {
	struct sl_publishing publishing;   /* first: on_done gets it */
	struct sl_subscriber *subscriber;  /* NULL once it has left */
	sl_verbs_answer_fn answer;
	LIST_ENTRY(sl_pending_publish) entry;
	size_t ref_len;
	char ref[SL_REF_MAX];
};

/* ---- publish ---- */

static void
conclude(struct sl_subscriber *s, struct sl_span ref, const struct sl_refusal *refusal,
	struct sl_cursor id, sl_verbs_answer_fn answer)
{
	if (refusal)
		sl_metrics_add(&s->shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
	else if (id.seq > s->published)
		s->published = id.seq;
	answer(s, ref, refusal, id);
}

static void
on_published(struct sl_publishing *publishing)
{
	struct sl_pending_publish *pending = (struct sl_pending_publish *)publishing;
	const struct sl_publish *publish = &publishing->publish;
	struct sl_subscriber *s = pending->subscriber;
	struct sl_refusal refusal;
	if (s) {
		LIST_REMOVE(pending, entry);
		if (publish->err != 0)
			sl_refusal_set_err(&refusal, publish->err);
		if (!sl_subscriber_is_ending(s))
			conclude(s, (struct sl_span){ pending->ref, pending->ref_len },
				publish->err != 0 ? &refusal : NULL, publish->id, pending->answer);
		if (s->conclusion)
			sl_link_add_work(s->link);
	}
	free(pending);
}

void
sl_verbs_forget(struct sl_subscriber *s)
{
	struct sl_pending_publish *pending;
	LIST_FOREACH(pending, &s->pending, entry)
		pending->subscriber = NULL;
	LIST_INIT(&s->pending);
}

static struct sl_pending_publish *
create_pending(struct sl_subscriber *s, struct sl_span ref, sl_verbs_answer_fn answer)
{
	unsigned count = 0;
	struct sl_pending_publish *pending;
	LIST_FOREACH(pending, &s->pending, entry)
		count++;
	pending = count < PENDING_MAX ? calloc(1, sizeof *pending) : NULL;
	if (!pending)
		return NULL;
	pending->publishing.on_done = on_published;
	pending->subscriber = s;
	pending->answer = answer;
	pending->ref_len = ref.len;
	if (ref.len)
		memcpy(pending->ref, ref.bytes, ref.len);
	LIST_INSERT_HEAD(&s->pending, pending, entry);
	return pending;
}

void
sl_verbs_publish(struct sl_subscriber *s, struct sl_publication *publication,
	struct sl_span ref, sl_verbs_answer_fn answer)
{
	struct sl_cursor id = { 0 };
	struct sl_refusal refusal;
	struct sl_pending_publish *pending = create_pending(s, ref, answer);
	if (!pending) {
		sl_message_unref(publication->message);
		sl_refusal_set_err(&refusal, SL_EFULL);
		conclude(s, ref, &refusal, id, answer);
		return;
	}
	publication->class = s->encoder->class;
	publication->publisher = s->holder.principal;
	publication->owner = s->owner;
	publication->asks_client_publish = s->encoder->capabilities & SL_ASKS_CLIENT_PUBLISH;
	int result = sl_publication_publish(s->shard, publication, &pending->publishing, &id,
		&refusal);
	if (result == SL_PENDING)
		return;
	LIST_REMOVE(pending, entry);
	free(pending);
	conclude(s, ref, result != 0 ? &refusal : NULL, id, answer);
}

/* ---- what is no publish ---- */

bool
sl_verbs_ask(struct sl_subscriber *s, uint64_t count)
{
	if (sl_subscriber_is_ending(s) || s->conclusion)
		return false;
	uint64_t wait_ms = count == 0 ? 0 :
		sl_owner_take(s->owner, SL_LIMIT_REQUESTS, count, s->shard->loop.now_ms);
	if (wait_ms == 0)
		return true;
	sl_metrics_add(&s->shard->metrics, sl_limit_counter(SL_LIMIT_REQUESTS), 1);
	sl_subscriber_end_limited(s, wait_ms);
	return false;
}

bool
sl_verbs_beat(struct sl_subscriber *s)
{
	uint64_t now_ms = s->shard->loop.now_ms;
	if (now_ms - s->beat_ms < FREE_BEAT_MS)
		return sl_verbs_ask(s, 1);
	s->beat_ms = now_ms;
	return sl_verbs_ask(s, 0);
}

/* ---- channels ---- */

const struct sl_refusal sl_verbs_too_many_channels = {
	"too_many_channels", "more channels than a connection may have",
};

static int
pay_for_channels(struct sl_subscriber *s, unsigned added, struct sl_refusal *refusal)
{
	if (added == 0) {
		if (sl_verbs_ask(s, 1))
			return 0;
		sl_refusal_set_err(refusal, SL_ELIMITED);
		return SL_ELIMITED;
	}
	uint64_t wait_ms = sl_owner_take(s->owner, SL_LIMIT_SUBSCRIBES, added, s->shard->loop.now_ms);
	if (wait_ms == 0)
		return 0;
	sl_metrics_add(&s->shard->metrics, sl_limit_counter(SL_LIMIT_SUBSCRIBES), 1);
	sl_refusal_set_limit(refusal, SL_LIMIT_SUBSCRIBES, wait_ms);
	return SL_ELIMITED;
}

int
sl_verbs_subscribe(struct sl_subscriber *s, const struct sl_span *channels, unsigned count,
	struct sl_refusal *refusal)
{
	unsigned added = 0;
	for (unsigned i = 0; i < count; i++)
		added += sl_fanout_find(s, channels[i].bytes, channels[i].len) < 0;
	if (s->subscription_count + added > s->shard->config->max_channels) {
		*refusal = sl_verbs_too_many_channels;
		return SL_EFULL;
	}
	int err = sl_permit_check_subscribe(s->shard, s->holder.principal, channels, count, refusal);
	if (err == 0)
		err = pay_for_channels(s, added, refusal);
	if (err != 0)
		return err;
	unsigned before = s->subscription_count;
	err = sl_lease_find_all(s->shard, channels, count);
	if (err == 0 && s->state == SL_SUBSCRIBER_LIVE)
		sl_subscriber_fall_behind(s, sl_subscriber_get_cursor(s).seq);
	for (unsigned i = 0; i < count && err == 0; i++)
		err = sl_fanout_subscribe(s, channels[i].bytes, channels[i].len);
	if (err == 0)
		return 0;
	while (s->subscription_count > before) /* all of them or none */
		sl_fanout_unsubscribe(s, s->subscription_count - 1u);
	sl_refusal_set_err(refusal, err);
	return err;
}

void
sl_verbs_unsubscribe(struct sl_subscriber *s, const struct sl_span *channels, unsigned count)
{
	if (!sl_verbs_ask(s, 1))
		return;
	for (unsigned i = 0; i < count; i++) {
		int index = sl_fanout_find(s, channels[i].bytes, channels[i].len);
		if (index >= 0)
			sl_fanout_unsubscribe(s, (size_t)index);
	}
}
