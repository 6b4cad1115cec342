#include "live/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "config/config.h"
#include "core/owners.h"
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
			sl_subscriber_add_work(s);
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
	uint32_t now_ms = (uint32_t)s->shard->loop.now_ms;
	if (now_ms - s->beat_ms < FREE_BEAT_MS)
		return sl_verbs_ask(s, 1);
	s->beat_ms = now_ms;
	return sl_verbs_ask(s, 0);
}
