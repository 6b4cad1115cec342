/* How a connection ends. */
#include "live/connection.h"

#include <sys/epoll.h>

#include "live/control.h"
#include "live/fanout.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/log.h"

#define END_MS 5000 /* to take the last bytes, else RST; the same to end in order */

void
sl_connection_end_quietly(struct sl_connection *c)
{
	if (c->state >= SL_ENDING)
		return;
	sl_fanout_unsubscribe_all(c);
	c->state = SL_ENDING;
	sl_connection_set_timer(c, c->shard->loop.now_ms + END_MS);
	sl_connection_add_work(c);
}

/* A held request is answered, with nothing; between two there is nothing to say. */
static void
end_one_shot(struct sl_connection *c)
{
	struct sl_answer nothing = {
		.through = sl_connection_get_cursor(c).seq,
		.is_last = true,
	};
	if (c->state == SL_PARKED)
		sl_connection_end_quietly(c);
	else
		c->transport->answer(c, &nothing);
}

/* The head has told a cursor already: a shortened answer must not look complete. */
static void
cut_answer(struct sl_connection *c)
{
	sl_socket_set_abort(c->socket);
	sl_connection_close(c);
}

void
sl_connection_end(struct sl_connection *c, enum sl_end_reason reason)
{
	if (c->state >= SL_ENDING)
		return;
	char peer[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&c->socket->peer, peer);
	bool usual = reason == SL_END_DRAINING || reason == SL_END_CLIENT;
	sl_log_limited(usual ? SL_LOG_DEBUG : SL_LOG_INFO, "connection.end",
		"transport=%s peer=%s reason=%s queued=%u", c->transport->name, peer,
		sl_control_get_reason(reason), c->outbox.queued_bytes);
	if (reason == SL_END_SLOW_CONSUMER) {
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_SLOW_CONSUMERS, 1);
		if (c->transport->answer) {
			cut_answer(c);
			return;
		}
		c->sent -= sl_outbox_drop_unbegun(&c->outbox);
	}
	if (reason == SL_END_PROTOCOL)
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	if (c->transport->answer) {
		end_one_shot(c);
		return;
	}
	sl_connection_end_quietly(c);
	struct sl_buffer out = SL_BUFFER_INIT;
	if (reason != SL_END_PROTOCOL && reason != SL_END_CLIENT)
		sl_control_send_bye(c, reason);
	c->transport->frame_end(c, reason, &out);
	if (c->state != SL_CLOSED && sl_buffer_status(&out) == 0)
		sl_connection_send(c, out.bytes, out.len);
	sl_buffer_finish(&out);
}

void
sl_connection_end_in_order(struct sl_connection *c, enum sl_end_reason reason)
{
	if (c->state >= SL_ENDING || c->conclusion)
		return;
	c->conclusion = (uint8_t)(reason + 1);
	if (c->state == SL_PROBING)
		c->state = SL_BEHIND; /* nobody will tell what came of the probe */
	sl_connection_set_timer(c, c->shard->loop.now_ms + END_MS);
	sl_connection_add_work(c);
}

void
sl_connection_conclude(struct sl_connection *c)
{
	if (c->pending)
		return; /* its answer is work */
	if (sl_connection_get_cursor(c).seq >= c->published)
		sl_connection_end(c, (enum sl_end_reason)(c->conclusion - 1));
	else if (!(c->watch.events & EPOLLOUT))
		sl_connection_add_work(c); /* it is in the mailbox, or in history */
}
