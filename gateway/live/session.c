#include "live/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/owners.h"
#include "live/answer.h"
#include "live/framing.h"
#include "live/permit.h"
#include "live/session_table.h"
#include "live/shard.h"
#include "util/err.h"

/* ---- the timer, which the wait for the first GET, its user and an end in order share ---- */

static void
reset_timer(struct sl_session *session)
{
	struct sl_timer_wheel *wheel = &session->subscriber.shard->loop.timers;
	uint64_t first_ms = session->first_by_ms, due_ms = session->due_ms;
	if (session->subscriber.conclusion)
		return;
	if (!due_ms || (first_ms && first_ms < due_ms))
		due_ms = first_ms;
	if (due_ms)
		sl_timer_set(wheel, &session->timer, due_ms);
	else
		sl_timer_cancel(wheel, &session->timer);
}

static void
on_due(struct sl_timer *timer)
{
	struct sl_session *session = (struct sl_session *)
		((char *)timer - offsetof(struct sl_session, timer));
	uint64_t now_ms = session->subscriber.shard->loop.now_ms;
	if (session->subscriber.conclusion) {
		sl_subscriber_on_timer(&session->subscriber);
		return;
	}
	if (session->first_by_ms && now_ms >= session->first_by_ms) {
		sl_session_expire(session);
		return;
	}
	if (session->due_ms && now_ms >= session->due_ms) {
		session->due_ms = 0;
		session->ops->on_timer(session);
	}
	if (session->is_open)
		reset_timer(session);
}

void
sl_session_set_timer(struct sl_session *session, uint64_t due_ms)
{
	session->due_ms = due_ms;
	if (session->is_open)
		reset_timer(session);
}

/* ---- what its subscriber needs in the place of a link ---- */

static void
handle_answer(struct sl_subscriber *s, const struct sl_answer *answer)
{
	struct sl_session *session = sl_session_of_subscriber(s);
	assert(session->is_held);
	if (!answer->count && !answer->gap_count)
		return; /* its log is over, which its shard finds in this turn */
	sl_metrics_add(&s->shard->metrics, SL_COUNTER_GAPS_TOLD, answer->gap_count);
	if (answer->gap_count && !(s->encoder->capabilities & SL_CAN_TELL_GAP)) {
		sl_subscriber_end(s, SL_END_GAP);
		return;
	}
	session->ops->answer(session, answer);
	assert(!session->is_held);
}

static void
add_work(struct sl_subscriber *s)
{
	struct sl_session *session = sl_session_of_subscriber(s);
	if (session->has_work || !session->is_open)
		return;
	session->has_work = true;
	TAILQ_INSERT_TAIL(&s->shard->sessions.work, session, work);
}

static void
set_conclusion_timer(struct sl_subscriber *s, uint64_t due_ms)
{
	sl_timer_set(&s->shard->loop.timers, &sl_session_of_subscriber(s)->timer, due_ms);
}

static void
handle_end(struct sl_subscriber *s, enum sl_end_reason reason)
{
	sl_session_end(sl_session_of_subscriber(s), reason);
}

static const struct sl_subscriber_ops subscriber_ops = {
	.answer = handle_answer,
	.add_work = add_work,
	.set_timer = set_conclusion_timer,
	.end = handle_end,
};

/* ---- life ---- */

static void
leave_owner(struct sl_session *session)
{
	sl_owner_leave_session(session->opener);
	sl_owner_unref(session->opener);
	sl_owner_unref(session->address);
	session->opener = session->address = NULL;
}

static int
enter_owner(struct sl_session *session, struct sl_shard *shard, struct sl_principal *principal, struct sl_owner *address)
{
	struct sl_owner *owner = sl_permit_choose_owner(principal, address);
	if (!sl_owner_enter_session(owner)) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_SESSIONS_LIMITED, 1);
		return SL_ELIMITED;
	}
	session->opener = sl_owner_ref(owner);
	session->address = sl_owner_ref(address);
	return 0;
}

int
sl_session_open(struct sl_session *session, struct sl_shard *shard, const struct sl_session_ops *ops,
	const struct sl_encoder *encoder, struct sl_principal *principal, struct sl_owner *address)
{
	if (shard->draining)
		return SL_EDRAINING;
	int err = enter_owner(session, shard, principal, address);
	if (err != 0)
		return err;
	sl_subscriber_admit_without_link(&session->subscriber, shard, principal, address);
	err = sl_subscriber_init_detached(&session->subscriber, encoder, &subscriber_ops);
	if (err == 0)
		err = sl_session_table_add(shard, session);
	if (err != 0) {
		sl_subscriber_leave(&session->subscriber);
		leave_owner(session);
		return err;
	}
	session->ops = ops;
	session->is_open = true;
	session->first_by_ms = shard->loop.now_ms + SL_SESSION_FIRST_MS;
	sl_timer_init(&session->timer, on_due);
	reset_timer(session);
	sl_metrics_add(&shard->metrics, SL_COUNTER_SESSIONS_OPENED, 1);
	return 0;
}

static void
destroy(struct sl_deferred *deferred)
{
	free((char *)deferred - offsetof(struct sl_session, deferred));
}

static void
close_session(struct sl_session *session)
{
	struct sl_shard *shard = session->subscriber.shard;
	session->is_open = session->is_held = false;
	if (session->has_work)
		TAILQ_REMOVE(&shard->sessions.work, session, work);
	session->has_work = false;
	sl_timer_cancel(&shard->loop.timers, &session->timer);
	sl_session_table_remove(shard, session);
	sl_subscriber_leave(&session->subscriber);
	sl_session_clear_queue(session);
	leave_owner(session);
	sl_metrics_add(&shard->metrics, SL_COUNTER_SESSIONS_CLOSED, 1);
	session->deferred.run = destroy;
	sl_loop_defer(&shard->loop, &session->deferred);
}

void
sl_session_close(struct sl_session *session)
{
	if (!session->is_open)
		return;
	close_session(session);
	session->ops->on_close(session);
}

int
sl_session_move_away(struct sl_session *session)
{
	struct sl_shard *shard = session->subscriber.shard;
	int err = sl_session_note_moved(shard, (struct sl_span){ session->id, SL_SESSION_ID_LEN });
	if (err != 0)
		return err;
	sl_metrics_add(&shard->metrics, SL_COUNTER_SESSIONS_MOVED, 1);
	close_session(session);
	return 0;
}

void
sl_session_end(struct sl_session *session, enum sl_end_reason reason)
{
	if (!session->is_open)
		return;
	session->ops->end(session, reason);
	sl_session_close(session);
}

void
sl_session_expire(struct sl_session *session)
{
	sl_metrics_add(&session->subscriber.shard->metrics, SL_COUNTER_SESSIONS_EXPIRED, 1);
	sl_session_close(session);
}

/* ---- answers to its own client ---- */

/* A first answer gets the room that it needs, since most go out before there is a second. */
static int
grow_queue(struct sl_session *session, size_t needed)
{
	size_t cap = session->queue.cap * 2u > needed ? session->queue.cap * 2u : needed;
	char *more = cap <= UINT32_MAX ? realloc(session->queue.bytes, cap) : NULL;
	if (!more)
		return SL_ENOMEM;
	session->queue.bytes = more;
	session->queue.cap = (uint32_t)cap;
	return 0;
}

int
sl_session_queue(struct sl_session *session, const char *bytes, size_t len)
{
	size_t needed = session->queue.len + len;
	if (session->queue.len && needed > SL_SESSION_QUEUE_MAX)
		return SL_EFULL;
	if (len == 0)
		return 0;
	if (needed > session->queue.cap && grow_queue(session, needed) != 0)
		return SL_ENOMEM;
	struct sl_shard *shard = session->subscriber.shard;
	memcpy(session->queue.bytes + session->queue.len, bytes, len);
	if (!session->queue.len)
		TAILQ_INSERT_TAIL(&shard->sessions.queued, session, queued);
	session->queue.len = (uint32_t)needed;
	shard->sessions.queued_bytes += len;
	shard->framer.pinned_bytes += len;
	if (session->is_held)
		add_work(&session->subscriber);
	return 0;
}

struct sl_span
sl_session_get_queue(const struct sl_session *session)
{
	return (struct sl_span){ session->queue.bytes, session->queue.len };
}

/* Most sessions have nothing to say most of the time: no memory is kept for it. */
void
sl_session_clear_queue(struct sl_session *session)
{
	struct sl_shard *shard = session->subscriber.shard;
	if (!session->queue.len)
		return;
	TAILQ_REMOVE(&shard->sessions.queued, session, queued);
	shard->sessions.queued_bytes -= session->queue.len;
	shard->framer.pinned_bytes -= session->queue.len;
	free(session->queue.bytes);
	session->queue.bytes = NULL;
	session->queue.len = session->queue.cap = 0;
}

/* ---- GETs ---- */

static void
answer_queue(struct sl_session *session)
{
	struct sl_subscriber *s = &session->subscriber;
	struct sl_answer nothing = { .framing = s->framing, .through = sl_subscriber_get_cursor(s).seq };
	if (!session->is_held || !session->queue.len)
		return;
	session->ops->answer(session, &nothing);
	assert(!session->is_held);
}

/* Messages first, since what is queued goes out with them. */
static void
pull(struct sl_session *session)
{
	struct sl_subscriber *s = &session->subscriber;
	if (s->state == SL_SUBSCRIBER_DETACHED)
		sl_subscriber_attach(s);
	else
		sl_subscriber_pull(s);
	answer_queue(session);
	if (session->is_held && s->state == SL_SUBSCRIBER_BEHIND && !s->pace)
		add_work(s);
}

bool
sl_session_hold(struct sl_session *session)
{
	struct sl_subscriber *s = &session->subscriber;
	assert(session->is_open && !session->is_held);
	session->is_held = true;
	session->first_by_ms = 0;
	reset_timer(session);
	sl_session_touch(session);
	if (sl_subscriber_is_outdated(s))
		sl_subscriber_end_in_order(s, SL_END_EPOCH, 0);
	else
		pull(session);
	return session->is_held;
}

void
sl_session_work(struct sl_session *session)
{
	if (!sl_subscriber_try_conclude(&session->subscriber) && session->is_held)
		pull(session);
}

void
sl_session_advance(struct sl_session *session, const struct sl_answer *answer, size_t count)
{
	sl_answer_settle(&session->subscriber, answer, count);
	if (count)
		sl_subscriber_count_messages(&session->subscriber, count,
			sl_run_sum_payload(answer->messages, count));
}

void
sl_session_release(struct sl_session *session)
{
	if (!session->is_held)
		return;
	session->is_held = false;
	sl_subscriber_detach(&session->subscriber);
	sl_session_touch(session);
}

void
sl_session_touch(struct sl_session *session)
{
	sl_tally_list(&session->subscriber.shard->sessions.tally, &session->tally);
}
