#include "live/heartbeat.h"

#include "config/config.h"
#include "live/connection.h"
#include "live/control.h"
#include "shard.h"

#define PROBE_MARK_MS 150
#define PROBE_SILENCE_MS 2000

void
sl_heartbeat_begin(struct sl_connection *c)
{
	uint64_t first_ms = c->state == SL_PROBING ? PROBE_MARK_MS : c->heartbeat_s * 1000u;
	sl_connection_set_timer(c, c->shard->loop.now_ms + first_ms);
}

static void
go_on_probing(struct sl_connection *c)
{
	uint64_t now_ms = c->shard->loop.now_ms;
	if (!c->probe_marked) {
		c->probe_marked = true;
		sl_control_send_mark(c);
		if (c->state == SL_PROBING)
			sl_connection_set_timer(c, now_ms + PROBE_SILENCE_MS);
		return;
	}
	c->state = SL_BEHIND;
	sl_connection_set_timer(c, now_ms + c->heartbeat_s * 1000u);
	sl_connection_add_work(c);
}

/* Queued bytes break the silence by themselves. A client that verifies gets its count all
 * the same, as long as its outbox is within the limit. */
static bool
has_room(const struct sl_connection *c)
{
	return c->outbox.queued_bytes <= (c->verifies ? c->shard->config->outbox_bytes : 0);
}

/* Silence of one interval is broken: by a heartbeat when we have not written, by a ping
 * when the client has not. */
static void
beat(struct sl_connection *c)
{
	uint64_t now_ms = c->shard->loop.now_ms;
	uint64_t interval_ms = c->heartbeat_s * 1000u;
	uint64_t next_ms = now_ms + interval_ms;
	bool may_beat = has_room(c); /* asked before a ping is queued */
	if (c->transport->ping) {
		uint64_t drop_ms = c->last_read_ms + interval_ms * 5 / 2;
		if (now_ms >= drop_ms) {
			sl_metrics_add(&c->shard->metrics, SL_COUNTER_SILENT_DROPPED, 1);
			sl_socket_set_abort(c->socket);
			sl_connection_close(c);
			return;
		}
		if (now_ms >= c->last_read_ms + interval_ms && !c->pinged) {
			c->pinged = true;
			c->transport->ping(c);
		}
		uint64_t due_ms = c->pinged ? drop_ms : c->last_read_ms + interval_ms;
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	if (c->state < SL_ENDING && may_beat) {
		uint64_t due_ms = c->quiet_since_ms + interval_ms;
		if (now_ms >= due_ms)
			sl_control_send_heartbeat(c);
		else if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (c->state < SL_ENDING)
		sl_connection_set_timer(c, next_ms > now_ms ? next_ms : now_ms + 1);
}

void
sl_heartbeat_on_timer(struct sl_connection *c)
{
	if (c->state == SL_PROBING)
		go_on_probing(c);
	else
		beat(c);
}
