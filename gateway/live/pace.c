#include "live/pace.h"

#include <assert.h>
#include <stdlib.h>

#include "core/owners.h"
#include "live/link.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "util/table.h"

#define READS_PER_TURN 64
#define LOOK_AGAIN_MS 1000 /* the limit may have been raised */

/* The line of one owner. */
struct sl_pace {
	struct sl_shard *shard;
	struct sl_owner *owner; /* a reference */
	TAILQ_HEAD(, sl_subscriber) waiting; /* longest first */
	struct sl_timer timer;
	bool is_serving;        /* and so stays, though it may be empty */
	UT_hash_handle hh;
};

static void
destroy(struct sl_pace *pace)
{
	sl_timer_cancel(&pace->shard->loop.timers, &pace->timer);
	HASH_DEL(pace->shard->paces, pace);
	sl_owner_unref(pace->owner);
	free(pace);
}

/* Ends a service, or destroys the line. */
static void
set_timer(struct sl_pace *pace)
{
	uint64_t now_ms = pace->shard->loop.now_ms;
	uint64_t wait_ms = sl_owner_get_wait(pace->owner, SL_LIMIT_HISTORY_BYTES, now_ms);
	if (TAILQ_EMPTY(&pace->waiting))
		destroy(pace);
	else
		sl_timer_set(&pace->shard->loop.timers, &pace->timer,
			now_ms + (wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS));
}

/* One whose outbox is not empty, since a heartbeat is on its way, keeps its turn until it is. */
static void
serve(struct sl_subscriber *s)
{
	sl_pace_leave(s);
	s->has_turn = true;
	if (!s->link || sl_link_has_output(s->link))
		sl_subscriber_add_work(s);
	else
		sl_subscriber_on_idle(s);
}

/* Each read is paid before the next stream is asked for. */
static void
on_due(struct sl_timer *timer)
{
	struct sl_pace *pace = (struct sl_pace *)((char *)timer - offsetof(struct sl_pace, timer));
	uint64_t now_ms = pace->shard->loop.now_ms;
	pace->is_serving = true;
	for (unsigned i = 0; i < READS_PER_TURN && !TAILQ_EMPTY(&pace->waiting) &&
			sl_owner_get_wait(pace->owner, SL_LIMIT_HISTORY_BYTES, now_ms) == 0; i++)
		serve(TAILQ_FIRST(&pace->waiting));
	pace->is_serving = false;
	set_timer(pace);
}

/* Returns NULL without memory. */
static struct sl_pace *
create(struct sl_shard *shard, struct sl_owner *owner)
{
	struct sl_pace *pace = calloc(1, sizeof *pace);
	if (!pace)
		return NULL;
	pace->shard = shard;
	pace->owner = owner;
	TAILQ_INIT(&pace->waiting);
	sl_timer_init(&pace->timer, on_due);
	HASH_ADD_PTR(shard->paces, owner, pace);
	if (!sl_table_holds(pace, hh)) {
		free(pace);
		return NULL;
	}
	sl_owner_ref(owner);
	return pace;
}

bool
sl_pace_may_read(struct sl_subscriber *s)
{
	struct sl_shard *shard = s->shard;
	struct sl_pace *pace;
	if (!s->owner || s->has_turn) {
		s->has_turn = false;
		return true;
	}
	if (s->pace)
		return false;
	HASH_FIND_PTR(shard->paces, &s->owner, pace);
	if (!pace && sl_owner_get_wait(s->owner, SL_LIMIT_HISTORY_BYTES, shard->loop.now_ms) == 0)
		return true;
	if (!pace)
		pace = create(shard, s->owner);
	if (!pace)
		return true;
	s->pace = pace;
	TAILQ_INSERT_TAIL(&pace->waiting, s, paced);
	if (!pace->is_serving && !sl_timer_is_set(&pace->timer))
		set_timer(pace);
	sl_metrics_add(&shard->metrics, SL_COUNTER_HISTORY_WAITS, 1);
	sl_metrics_add(&shard->metrics, sl_limit_counter(SL_LIMIT_HISTORY_BYTES), 1);
	return false;
}

void
sl_pace_leave(struct sl_subscriber *s)
{
	struct sl_pace *pace = s->pace;
	s->has_turn = false;
	if (!pace)
		return;
	s->pace = NULL;
	TAILQ_REMOVE(&pace->waiting, s, paced);
	if (TAILQ_EMPTY(&pace->waiting) && !pace->is_serving)
		destroy(pace);
}
