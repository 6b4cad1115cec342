#include "http/visit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/connection.h"
#include "http/front.h"
#include "http/http.h"
#include "live/framing.h"
#include "live/shard.h"
#include "util/err.h"

#define from_member(pointer, member) \
	((struct sl_visit *)((char *)(pointer) - offsetof(struct sl_visit, member)))

/* ---- life ---- */

static void
unref(struct sl_visit *visit)
{
	if (atomic_fetch_sub_explicit(&visit->refs, 1, memory_order_acq_rel) > 1)
		return;
	sl_reply_finish(&visit->reply);
	free(visit->copy);
	free(visit);
}

/* ---- the way home ---- */

static void
give(struct sl_visit *visit, struct sl_connection *connection, struct sl_wire *wire)
{
	connection->visit = NULL;
	connection->phase = SL_PHASE_SERVING;
	if (!visit->ops->on_answer) {
		sl_connection_send_reply_with(connection, &visit->reply, wire);
		return;
	}
	visit->ops->on_answer(visit, connection);
	sl_connection_read_on(connection);
}

/* Whoever is there takes the answer. */
static void
come_home(struct sl_visit *visit)
{
	struct sl_connection *connection = visit->connection;
	struct sl_wire *wire = visit->wire;
	visit->connection = NULL;
	visit->wire = NULL;
	if (!connection && visit->result)
		visit->ops->drop(visit);
	if (connection)
		give(visit, connection, wire);
	sl_wire_unref(wire);
	unref(visit);
}

static void
run_come_home(struct sl_task *task)
{
	come_home(from_member(task, task));
}

static void
send_home(struct sl_visit *visit)
{
	assert(!visit->is_answered);
	visit->is_answered = true;
	if (!sl_visit_crosses(visit)) {
		come_home(visit);
		return;
	}
	visit->task.run = run_come_home;
	sl_mailbox_post(&visit->home->mailbox, &visit->task);
}

void
sl_visit_answer(struct sl_visit *visit)
{
	send_home(visit);
}

/* Wires are a shard's own. */
void
sl_visit_answer_wire(struct sl_visit *visit, struct sl_wire *wire)
{
	if (sl_visit_crosses(visit))
		sl_buffer_append(&visit->reply.body, wire->bytes, wire->len);
	else
		visit->wire = sl_wire_ref(wire);
	send_home(visit);
}

/* ---- the way there ---- */

static void
arrive(struct sl_visit *visit)
{
	visit->ops->arrive(visit, visit->owner);
}

/* It may be home and gone before the body is let go of. */
static void
run_arrive(struct sl_task *task)
{
	struct sl_visit *visit = from_member(task, task);
	char *copy = visit->copy;
	visit->copy = NULL;
	arrive(visit);
	free(copy);
}

/* The connection's leave, not the session's; one that was answered before is on its way. */
static void
leave(struct sl_visit *visit)
{
	if (visit->is_answered)
		return;
	visit->ops->leave(visit, visit->owner);
	send_home(visit);
}

static void
run_leave(struct sl_task *task)
{
	struct sl_visit *visit = from_member(task, leave_task);
	leave(visit);
	unref(visit);
}

void
sl_visit_forget(struct sl_connection *connection)
{
	struct sl_visit *visit = connection->visit;
	if (!visit)
		return;
	connection->visit = NULL;
	visit->connection = NULL;
	if (!sl_visit_crosses(visit)) {
		leave(visit);
		return;
	}
	atomic_fetch_add_explicit(&visit->refs, 1, memory_order_relaxed);
	visit->leave_task.run = run_leave;
	sl_mailbox_post(&visit->owner->mailbox, &visit->leave_task);
}

/* Its bytes are read on another thread while the connection's buffers go on to something else. */
static bool
copy_body(struct sl_visit *visit)
{
	if (visit->body.len == 0)
		return true;
	visit->copy = malloc(visit->body.len);
	if (!visit->copy)
		return false;
	memcpy(visit->copy, visit->body.bytes, visit->body.len);
	visit->body.bytes = visit->copy;
	return true;
}

/* Returns new. */
static struct sl_visit *
create(struct sl_shard *home, const struct sl_visit_call *call)
{
	struct sl_visit *visit = calloc(1, sizeof *visit);
	if (!visit)
		return NULL;
	assert(call->id.len <= SL_VISIT_ID_MAX && call->owner < home->count);
	visit->ops = call->ops;
	visit->home = home;
	visit->owner = call->owner == home->index ? home : home->front->http->shards[call->owner];
	visit->kind = call->kind;
	visit->is_brief = call->is_brief;
	if (call->id.len)
		memcpy(visit->id_bytes, call->id.bytes, call->id.len);
	visit->id = (struct sl_span){ visit->id_bytes, call->id.len };
	visit->body = call->body;
	atomic_init(&visit->refs, 1);
	if (!sl_visit_crosses(visit) || copy_body(visit))
		return visit;
	unref(visit);
	return NULL;
}

static void
set_out(struct sl_visit *visit)
{
	if (!sl_visit_crosses(visit)) {
		arrive(visit);
		return;
	}
	sl_metrics_add(&visit->home->metrics, SL_COUNTER_SESSION_REQUESTS_FORWARDED, 1);
	visit->task.run = run_arrive;
	sl_mailbox_post(&visit->owner->mailbox, &visit->task);
}

int
sl_visit_begin(struct sl_connection *connection, const struct sl_visit_call *call)
{
	assert(!connection->visit);
	struct sl_visit *visit = create(connection->link.shard, call);
	if (!visit)
		return SL_ENOMEM;
	visit->connection = connection;
	connection->visit = visit;
	sl_connection_wait(connection);
	connection->phase = SL_PHASE_VISITING;
	set_out(visit);
	return 0;
}

int
sl_visit_send(struct sl_shard *home, const struct sl_visit_call *call)
{
	struct sl_visit *visit = create(home, call);
	if (!visit)
		return SL_ENOMEM;
	set_out(visit);
	return 0;
}
