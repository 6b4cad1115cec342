#include "bench/obstacle/active.h"

#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* How often a fault that is not yet in force looks if it is. */
#define LOOK_AGAIN_MS 100

static bool
is_waiting(const struct ob_connection *conn)
{
	return conn->stage == OB_STAGE_OPENING || conn->stage == OB_STAGE_JUDGING;
}

static void
handle_timer(struct sl_timer *timer)
{
	struct ob_active *active = (void *)((char *)timer - offsetof(struct ob_active, timer));
	struct ob_connection *conn = active->conn;
	if (ob_active_is_on(active) || is_waiting(conn) || conn->stage == OB_STAGE_ORPHAN)
		active->fault->type->on_timer(active);
	else if (active->held.len)
		ob_active_release(active, false);
	else
		ob_active_set_timer(active, LOOK_AGAIN_MS);
	ob_connection_settle(conn);
}

static void
init_active(struct ob_active *active, struct ob_connection *conn, struct ob_fault *fault)
{
	*active = (struct ob_active){ .conn = conn, .fault = fault };
	sl_timer_init(&active->timer, handle_timer);
	active->is_hit = ob_proxy_draw(conn->proxy, fault->share);
	active->is_matched = !ob_fault_is_of_requests(fault);
}

static void
finish_active(struct ob_active *active)
{
	sl_timer_cancel(&active->conn->proxy->loop.timers, &active->timer);
	sl_buffer_finish(&active->held);
	sl_buffer_finish(&active->kept);
}

int
ob_actives_create(struct ob_connection *conn)
{
	struct ob_fault_set *faults = conn->proxy->faults;
	conn->actives = calloc(faults->count + 1, sizeof *conn->actives);
	if (!conn->actives)
		return SL_ENOMEM;
	conn->faults = ob_fault_set_ref(faults);
	conn->active_count = faults->count;
	for (unsigned i = 0; i < faults->count; i++)
		init_active(&conn->actives[i], conn, &faults->faults[i]);
	return 0;
}

void
ob_actives_destroy(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++)
		finish_active(&conn->actives[i]);
	free(conn->actives);
	conn->actives = NULL;
	conn->active_count = 0;
	ob_fault_set_unref(conn->faults);
	conn->faults = NULL;
}

bool
ob_active_is_on(const struct ob_active *active)
{
	const struct ob_fault *fault = active->fault;
	const struct ob_connection *conn = active->conn;
	uint64_t now_ms = conn->proxy->loop.now_ms;
	if (!active->is_hit || !active->is_matched)
		return false;
	if (fault->until_ms && now_ms >= fault->set_ms + fault->until_ms)
		return false;
	return now_ms >= fault->set_ms + fault->after_ms && now_ms >= conn->opened_ms + fault->age_ms
		&& conn->carried >= fault->bytes;
}

static bool
is_match(const struct ob_fault *fault, const struct ob_exchange *exchange)
{
	struct sl_span path = ob_exchange_path(exchange);
	size_t len = strlen(fault->path);
	if (len && (path.len < len || memcmp(path.bytes, fault->path, len) != 0))
		return false;
	if (fault->transport[0] && strcmp(fault->transport, exchange->transport) != 0)
		return false;
	return !fault->method[0]
		|| sl_span_equals(ob_head_part(&exchange->request, OB_METHOD), fault->method);
}

void
ob_actives_match(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		sl_timer_cancel(&conn->proxy->loop.timers, &active->timer);
		sl_buffer_clear(&active->held);
		sl_buffer_clear(&active->kept);
		active->count = 0;
		active->is_counted = false;
		active->is_matched = is_match(active->fault, &conn->exchange);
	}
	memset(conn->exchange.frames, 0, sizeof conn->exchange.frames);
	conn->exchange.events = (struct ob_events){ .form = OB_NO_EVENTS };
	ob_actives_follow(conn);
}

static void
begin_active(struct ob_active *active)
{
	if (active->fault->type->on_begin && active->is_hit && active->is_matched)
		active->fault->type->on_begin(active);
}

void
ob_actives_begin(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++)
		begin_active(&conn->actives[i]);
}

/* ---- where frames and events begin ---- */

static bool
has_frames(const struct ob_connection *conn)
{
	return conn->stage == OB_STAGE_TUNNEL && strcmp(conn->exchange.transport, "websocket") == 0;
}

bool
ob_active_has_frames(const struct ob_active *active)
{
	return has_frames(active->conn);
}

static void
follow(struct ob_active *active)
{
	memcpy(active->frames, active->conn->exchange.frames, sizeof active->frames);
	active->events = active->conn->exchange.events;
}

void
ob_actives_follow(struct ob_connection *conn)
{
	for (unsigned i = 0; i < conn->active_count; i++)
		follow(&conn->actives[i]);
}

static void
note_messages(struct ob_connection *conn, const struct ob_piece *piece)
{
	const char *bytes = piece->bytes, *part;
	size_t len = piece->len, part_len;
	if (has_frames(conn))
		while (ob_frames_next(&conn->exchange.frames[piece->way], &bytes, &len, &part, &part_len)
			!= OB_FRAME_MORE)
			;
	else if (piece->way == OB_DOWN)
		while (ob_events_next(&conn->exchange.events, &bytes, &len, &part, &part_len)
			!= OB_EVENT_MORE)
			;
}

void
ob_actives_take(struct ob_connection *conn, const struct ob_piece *piece)
{
	note_messages(conn, piece);
	ob_actives_pass(conn, 0, piece);
}

/* ---- what passes ---- */

void
ob_actives_pass(struct ob_connection *conn, unsigned from, const struct ob_piece *piece)
{
	for (unsigned i = from; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		const struct ob_fault_type *type = active->fault->type;
		void (*hook)(struct ob_active *, const struct ob_piece *) =
			piece->way == OB_UP ? type->on_up : type->on_down;
		if (!hook || (type->is_of_bodies && conn->stage == OB_STAGE_TUNNEL))
			continue;
		if (ob_active_is_on(active)) {
			hook(active, piece);
			return;
		}
		follow(active);
		if (piece->way == OB_DOWN && active->held.len)
			ob_active_release(active, false);
	}
	ob_exchange_emit(conn, piece);
}

static unsigned
index_of(const struct ob_active *active)
{
	return (unsigned)(active - active->conn->actives);
}

void
ob_active_count(struct ob_active *active)
{
	if (!active->is_counted)
		active->fault->applied++;
	active->is_counted = true;
}

void
ob_active_pass(struct ob_active *active, const struct ob_piece *piece)
{
	if (piece->len || piece->end)
		ob_actives_pass(active->conn, index_of(active) + 1, piece);
}

void
ob_active_pass_bytes(struct ob_active *active, enum ob_way way, const void *bytes, size_t len)
{
	ob_active_pass(active, &(struct ob_piece){ .way = way, .bytes = bytes, .len = len });
}

void
ob_active_hold(struct ob_active *active, const struct ob_piece *piece)
{
	if (piece->len)
		ob_active_count(active);
	sl_buffer_append(&active->held, piece->bytes, piece->len);
	if (active->held.len > OB_HELD_MAX || sl_buffer_status(&active->held) != 0)
		ob_active_release(active, false);
}

void
ob_active_release(struct ob_active *active, bool end)
{
	struct ob_piece piece = { OB_DOWN, active->held.bytes, active->held.len, end };
	size_t len = active->held.len;
	active->held.len = 0; /* the bytes stay where they are while they pass */
	if (len || end)
		ob_actives_pass(active->conn, index_of(active) + 1, &piece);
}

uint64_t
ob_active_now_ms(const struct ob_active *active)
{
	return active->conn->proxy->loop.now_ms;
}

void
ob_active_set_timer(struct ob_active *active, uint64_t delay_ms)
{
	struct sl_loop *loop = &active->conn->proxy->loop;
	sl_timer_set(&loop->timers, &active->timer, loop->now_ms + delay_ms);
}

void
ob_active_resume(struct ob_active *active)
{
	struct ob_connection *conn = active->conn;
	if (conn->stage == OB_STAGE_OPENING)
		ob_connection_begin(conn, index_of(active) + 1);
	else if (conn->stage == OB_STAGE_JUDGING)
		ob_exchange_judge(conn, index_of(active) + 1);
}

/* ---- another set of faults ---- */

/* The place of `fault` in the new set; active_count if it is gone. */
static unsigned
find_same(const struct ob_connection *conn, const struct ob_fault *fault)
{
	unsigned i = 0;
	while (i < conn->active_count && strcmp(conn->actives[i].fault->text, fault->text) != 0)
		i++;
	return i;
}

static void
carry_over(struct ob_active *to, struct ob_active *from)
{
	struct sl_timer_wheel *timers = &from->conn->proxy->loop.timers;
	struct ob_fault *fault = to->fault;
	struct sl_timer timer = to->timer;
	bool was_set = sl_timer_is_set(&from->timer);
	uint64_t due_ms = from->timer.due_ms;
	sl_timer_cancel(timers, &from->timer);
	*to = *from;
	to->fault = fault;
	to->timer = timer;
	sl_buffer_init(&from->held);
	sl_buffer_init(&from->kept);
	if (was_set)
		sl_timer_set(timers, &to->timer, due_ms);
}

/* Faults later in the chain hold what came earlier: the last goes first. */
static void
let_go(struct ob_connection *conn, struct ob_active *old, unsigned old_count)
{
	unsigned behind = conn->active_count; /* the next fault that is still there */
	for (unsigned i = old_count; i-- > 0;) {
		unsigned same = find_same(conn, old[i].fault);
		if (same < conn->active_count) {
			behind = same;
			continue;
		}
		if (old[i].held.len) {
			struct ob_piece piece = { OB_DOWN, old[i].held.bytes, old[i].held.len, false };
			ob_actives_pass(conn, behind, &piece);
		}
		if (conn->stage == OB_STAGE_FORWARDING && conn->exchange.holds_head)
			ob_exchange_release_head(conn);
	}
}

static void
start_new(struct ob_connection *conn, const struct ob_active *old, unsigned old_count)
{
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		bool is_new = true;
		for (unsigned j = 0; j < old_count; j++)
			is_new = is_new && strcmp(old[j].fault->text, active->fault->text) != 0;
		if (is_new && conn->stage == OB_STAGE_FORWARDING)
			active->is_matched = is_match(active->fault, &conn->exchange);
		else if (is_new && conn->stage == OB_STAGE_TUNNEL)
			active->is_matched = is_match(active->fault, &conn->exchange);
		if (is_new && (conn->stage == OB_STAGE_FORWARDING || conn->stage == OB_STAGE_TUNNEL)) {
			follow(active);
			begin_active(active);
		}
		if (active->fault->type->on_set && ob_active_is_on(active))
			active->fault->type->on_set(active);
	}
}

int
ob_actives_change(struct ob_connection *conn)
{
	struct ob_active *old = conn->actives;
	unsigned old_count = conn->active_count;
	struct ob_fault_set *old_faults = conn->faults;
	int err = ob_actives_create(conn);
	if (err) {
		conn->actives = old;
		return err;
	}
	for (unsigned i = 0; i < old_count; i++) {
		unsigned same = find_same(conn, old[i].fault);
		if (same < conn->active_count)
			carry_over(&conn->actives[same], &old[i]);
	}
	let_go(conn, old, old_count);
	start_new(conn, old, old_count);
	for (unsigned i = 0; i < old_count; i++)
		finish_active(&old[i]);
	free(old);
	ob_fault_set_unref(old_faults);
	return 0;
}
