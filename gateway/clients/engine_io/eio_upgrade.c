#include "clients/engine_io/eio_upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "auth/principal.h"
#include "clients/engine_io/eio_moved.h"
#include "clients/engine_io/eio_reply.h"
#include "clients/engine_io/eio_session.h"
#include "core/owners.h"
#include "http/visit.h"
#include "live/session_table.h"
#include "live/shard.h"

#define LOOK_AGAIN_MS 10 /* whether publishes have their acks */

/* ---- the steps ---- */

/* On the WebSocket it would be a stream of its subject's. Where that came with the request of the handshake it comes
 * with the WebSocket's, too, and was counted there. */
static bool
may_be_stream(const struct sl_eio_session *s)
{
	const struct sl_principal *principal = s->session.subscriber.holder.principal;
	struct sl_owner *subject = principal ? sl_principal_get_owner(principal) : NULL;
	if (!subject || subject == s->session.opener)
		return true;
	enum sl_owner_verdict verdict = sl_owner_enter(subject);
	if (verdict != SL_OWNER_HARD)
		sl_owner_leave(subject);
	return verdict == SL_OWNER_OK;
}

static void
probe(struct sl_visit *visit, struct sl_shard *shard, const struct sl_eio_user *user)
{
	enum sl_eio_error error;
	struct sl_eio_session *s = sl_eio_session_find(visit, shard, user, &error);
	if (!s && error == SL_EIO_SESSION_UNKNOWN)
		sl_eio_reply_set_error(&visit->reply, error);
	else if (s && !may_be_stream(s)) /* it stays on polling */
		sl_eio_reply_set_error(&visit->reply, SL_EIO_FORBIDDEN);
	else
		visit->reply.head.status = 101;
	if (s && visit->reply.head.status == 101 && !s->prober && !s->taking) {
		s->prober = visit->home;
		sl_session_touch(&s->session);
		visit->result = s; /* never followed: whoever is not there any more has to say so (UNPROBE) */
	}
	sl_visit_answer(visit);
}

/* A GET that is held has come before the `5`, or in spite of it. */
static void
end_get(struct sl_eio_session *s)
{
	struct sl_visit *get = s->held;
	if (!get)
		return;
	if (!s->is_asking) {
		sl_eio_session_answer_with(s, '6');
		return;
	}
	s->held = NULL;
	s->is_asking = false;
	sl_eio_reply_set_error(&get->reply, SL_EIO_BAD_REQUEST);
	sl_visit_answer(get);
}

static void
take(struct sl_visit *visit, struct sl_shard *shard, const struct sl_eio_user *user)
{
	enum sl_eio_error error;
	struct sl_eio_session *s = sl_eio_session_find(visit, shard, user, &error);
	if (!s || s->taking) {
		sl_visit_answer(visit);
		return;
	}
	end_get(s);
	s->taking = visit;
	visit->user = s;
	sl_eio_upgrade_go_on(s);
}

void
sl_eio_upgrade_arrive(struct sl_visit *visit, struct sl_shard *shard, const struct sl_eio_user *user)
{
	enum sl_eio_error error;
	struct sl_eio_session *s;
	switch ((enum sl_eio_upgrade_step)visit->kind) {
	case SL_EIO_PROBE:
		probe(visit, shard, user);
		return;
	case SL_EIO_TAKE:
		take(visit, shard, user);
		return;
	case SL_EIO_PROBED:
	case SL_EIO_UNPROBE:
		s = sl_eio_session_find(visit, shard, user, &error);
		if (s && visit->kind == SL_EIO_PROBED)
			sl_eio_session_begin_probed(s);
		else if (s)
			sl_eio_session_end_probe(s);
		sl_metrics_add(&shard->metrics, SL_COUNTER_EIO_UPGRADES_FAILED, visit->kind == SL_EIO_UNPROBE);
		break;
	case SL_EIO_FORGET:
		sl_session_forget_moved(shard, visit->id);
		break;
	}
	sl_visit_answer(visit);
}

/* ---- the move ---- */

void
sl_eio_upgrade_refuse(struct sl_eio_session *s)
{
	struct sl_visit *visit = s->taking;
	s->taking = NULL;
	sl_visit_answer(visit);
}

void
sl_eio_upgrade_go_on(struct sl_eio_session *s)
{
	struct sl_subscriber *subscriber = &s->session.subscriber;
	if (sl_subscriber_try_conclude(subscriber)) /* it ends, and was to have its acks first */
		return;
	if (!LIST_EMPTY(&subscriber->pending)) {
		sl_session_set_timer(&s->session, subscriber->shard->loop.now_ms + LOOK_AGAIN_MS);
		return;
	}
	struct sl_visit *visit = s->taking;
	struct sl_eio_moved *moved = sl_eio_moved_create(s);
	if (!moved || sl_session_move_away(&s->session) != 0) {
		sl_eio_moved_abandon(moved);
		sl_session_end(&s->session, SL_END_REFUSED);
		return;
	}
	sl_eio_moved_lift(moved, s);
	s->taking = NULL;
	visit->result = moved;
	sl_visit_answer(visit);
}

/* ---- what the WebSocket has said ---- */

/* It goes twice through the WebSocket's shard: what is in its socket now is read in the turn between the two. */
struct question {
	struct sl_task task;
	struct sl_shard *prober, *asker;
	unsigned turns;
	char id[SL_SESSION_ID_LEN];
};

static void
hear(struct sl_task *task)
{
	struct question *question = (struct question *)task;
	struct sl_span id = { question->id, sizeof question->id };
	struct sl_session *session = sl_session_find(question->asker, id);
	if (session)
		sl_eio_session_go_on((struct sl_eio_session *)session);
	free(question);
}

static void
look(struct sl_task *task)
{
	struct question *question = (struct question *)task;
	bool is_last = --question->turns == 0;
	if (is_last)
		task->run = hear;
	sl_mailbox_post(&(is_last ? question->asker : question->prober)->mailbox, task);
}

bool
sl_eio_upgrade_ask(struct sl_eio_session *s)
{
	struct question *question = calloc(1, sizeof *question);
	if (!question)
		return false;
	*question = (struct question){ { .run = look }, s->prober, s->session.subscriber.shard, 2, { 0 } };
	memcpy(question->id, s->session.id, sizeof question->id);
	sl_mailbox_post(&question->prober->mailbox, &question->task);
	return true;
}
