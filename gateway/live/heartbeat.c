#include "live/heartbeat.h"

#include "config/config.h"
#include "live/control.h"
#include "live/shard.h"
#include "live/subscriber.h"

#define PROBE_MARK_MS 150
#define PROBE_SILENCE_MS 2000

void
sl_heartbeat_begin(struct sl_subscriber *s)
{
	bool is_probing = s->state == SL_SUBSCRIBER_PROBING;
	uint64_t first_ms = is_probing ? PROBE_MARK_MS : s->beat_interval_ms;
	if (is_probing || s->encoder->beats != SL_BEATS_NEVER)
		sl_link_set_timer(s->link, s->shard->loop.now_ms + first_ms);
}

static void
go_on_probing(struct sl_subscriber *s)
{
	uint64_t now_ms = s->shard->loop.now_ms;
	if (!s->probe_marked) {
		s->probe_marked = true;
		sl_control_send_mark(s);
		if (s->state == SL_SUBSCRIBER_PROBING)
			sl_link_set_timer(s->link, now_ms + PROBE_SILENCE_MS);
		return;
	}
	sl_subscriber_fall_behind(s, s->position);
	sl_link_set_timer(s->link, now_ms + s->beat_interval_ms);
}

/* Queued bytes break the silence by themselves. A client that verifies gets its count all
 * the same, as long as its outbox is within the limit. */
static bool
has_room(const struct sl_subscriber *s)
{
	return s->link->outbox.queued_bytes <= (s->verifies ? s->shard->config->outbox_bytes : 0);
}

/* Since when nothing was written; where the client verifies, since the last heartbeat. */
static uint64_t
get_quiet_since(const struct sl_subscriber *s)
{
	bool has_written = !s->verifies && s->link->last_write_ms > s->last_beat_ms;
	return has_written ? s->link->last_write_ms : s->last_beat_ms;
}

/* The client has been silent for one interval: it is pinged, and dropped if it stays silent.
 * Returns when to look again, or 0 when it was dropped. */
static uint64_t
watch_silence(struct sl_subscriber *s, uint64_t interval_ms)
{
	uint64_t now_ms = s->shard->loop.now_ms, heard_ms = s->link->last_read_ms;
	uint64_t drop_ms = heard_ms + interval_ms * 5 / 2;
	if (now_ms >= drop_ms) {
		sl_metrics_add(&s->shard->metrics, SL_COUNTER_SILENT_DROPPED, 1);
		sl_link_abort(s->link);
		return 0;
	}
	if (now_ms >= heard_ms + interval_ms && s->pinged_ms <= heard_ms) {
		s->pinged_ms = now_ms;
		s->ops->ping(s);
	}
	return s->pinged_ms > heard_ms ? drop_ms : heard_ms + interval_ms;
}

/* Silence of one interval is broken: by a heartbeat when we have not written, by a ping
 * when the client has not. */
static void
beat_when_quiet(struct sl_subscriber *s)
{
	uint64_t now_ms = s->shard->loop.now_ms;
	uint64_t interval_ms = s->beat_interval_ms;
	uint64_t next_ms = now_ms + interval_ms;
	bool may_beat = has_room(s); /* asked before a ping is queued */
	if (s->ops->ping) {
		uint64_t due_ms = watch_silence(s, interval_ms);
		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (may_beat && !sl_subscriber_is_ending(s)) {
		uint64_t due_ms = get_quiet_since(s) + interval_ms;
		if (now_ms >= due_ms)
			sl_control_send_heartbeat(s);
		else if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (!sl_subscriber_is_ending(s))
		sl_link_set_timer(s->link, next_ms > now_ms ? next_ms : now_ms + 1);
}

/* True while the last beat has no answer. Whatever the client says is one. */
static bool
awaits_answer(const struct sl_subscriber *s)
{
	return s->beat_timeout_ms && s->pinged_ms && s->link->last_read_ms < s->pinged_ms;
}

/* Beats are counted from when they were due, so that the lateness of timers does not add up. */
static void
send_due_beat(struct sl_subscriber *s, uint64_t due_ms)
{
	uint64_t now_ms = s->shard->loop.now_ms;
	s->pinged_ms = now_ms;
	sl_control_send_heartbeat(s);
	s->last_beat_ms = now_ms - due_ms < s->beat_interval_ms ? due_ms : now_ms;
}

/* A client without an answer gets no further beat: it is ended once its time is over. */
static void
beat_always(struct sl_subscriber *s)
{
	uint64_t now_ms = s->shard->loop.now_ms;
	uint64_t due_ms = s->last_beat_ms + s->beat_interval_ms, drop_ms = s->last_beat_ms + s->beat_timeout_ms;
	bool awaits = awaits_answer(s);
	if (awaits && now_ms >= drop_ms) {
		sl_subscriber_end(s, SL_END_SILENT);
		return;
	}
	if (!awaits && now_ms >= due_ms) {
		send_due_beat(s, due_ms);
		due_ms = s->last_beat_ms + s->beat_interval_ms;
		drop_ms = s->last_beat_ms + s->beat_timeout_ms;
		awaits = s->beat_timeout_ms > 0;
	}
	uint64_t next_ms = awaits && (drop_ms < due_ms || now_ms >= due_ms) ? drop_ms : due_ms;
	if (!sl_subscriber_is_ending(s))
		sl_link_set_timer(s->link, next_ms);
}

void
sl_heartbeat_on_timer(struct sl_subscriber *s)
{
	if (s->state == SL_SUBSCRIBER_PROBING)
		go_on_probing(s);
	else if (s->encoder->beats == SL_BEATS_ALWAYS)
		beat_always(s);
	else if (s->encoder->beats == SL_BEATS_WHEN_QUIET)
		beat_when_quiet(s);
}
