#include "shard.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "app.h"
#include "bus/bus.h"
#include "config/config.h"
#include "http/front.h"
#include "live/connection.h"
#include "http/settings.h"
#include "util/err.h"
#include "util/log.h"

#define SECOND_MS 1000
#define WORK_PER_TURN 256     /* connections served before events are asked for again */
#define PINNED_ENDS_PER_TURN 16

#define from_member(pointer, member) \
	((struct sl_shard *)((char *)(pointer) - offsetof(struct sl_shard, member)))

/* ---- once a second ---- */

static void
on_second(struct sl_timer *timer)
{
	struct sl_shard *shard = from_member(timer, second);
	if (shard->index == 0)
		sl_bus_sweep(shard->bus);
	sl_fanout_sweep(shard);
	sl_front_sweep(shard->front);
	sl_timer_set(&shard->loop.timers, timer, shard->loop.now_ms + SECOND_MS);
}

/* ---- start and end ---- */

static void
on_mail(struct sl_watch *watch, uint32_t events)
{
	(void)events;
	sl_mailbox_rest(&from_member(watch, mailbox_watch)->mailbox);
}

static int
open_mailbox(struct sl_shard *shard)
{
	int err = sl_mailbox_init(&shard->mailbox, shard->config->mailbox_messages);
	if (err != 0)
		return err;
	sl_bus_attach(shard->bus, shard->index, &shard->mailbox);
	shard->mailbox_watch = (struct sl_watch){ .on_ready = on_mail, .fd = -1 };
	return sl_loop_add(&shard->loop, &shard->mailbox_watch, shard->mailbox.event_fd, EPOLLIN);
}

int
sl_shard_init(struct sl_shard *shard, struct sl_app *app, unsigned index)
{
	*shard = (struct sl_shard){
		.index = index,
		.app = app,
		.bus = app->bus,
		.settings = sl_settings_ref(app->settings),
		.config = &app->settings->config,
		.loop = { .epoll_fd = -1 },
		.mailbox = { .event_fd = -1 },
	};
	shard->work_end = &shard->work;
	sl_timer_init(&shard->second, on_second);
	sl_fanout_init(&shard->fanout);
	shard->read_buffer = malloc(SL_READ_BUFFER);
	int err = shard->read_buffer ? sl_loop_init(&shard->loop) : SL_ENOMEM;
	if (err == 0)
		err = sl_framer_init(&shard->framer);
	if (err == 0)
		err = open_mailbox(shard);
	if (err == 0)
		err = sl_front_create(&shard->front, shard);
	if (err != 0) {
		sl_shard_finish(shard);
		return err;
	}
	shard->fanout.position = sl_bus_head(shard->bus).seq;
	sl_timer_set(&shard->loop.timers, &shard->second, shard->loop.now_ms + SECOND_MS);
	return 0;
}

void
sl_shard_finish(struct sl_shard *shard)
{
	while (shard->connections)
		sl_connection_close(shard->connections);
	sl_fanout_finish(shard);
	sl_front_destroy(shard->front);
	shard->front = NULL;
	if (shard->loop.epoll_fd >= 0)
		sl_loop_finish(&shard->loop);
	if (shard->mailbox.event_fd >= 0) {
		sl_bus_detach(shard->bus, shard->index);
		sl_mailbox_run_tasks(&shard->mailbox); /* whose memory is theirs to free */
		sl_mailbox_finish(&shard->mailbox);
	}
	sl_framer_finish(&shard->framer);
	free(shard->read_buffer);
	sl_settings_unref(shard->settings);
}

void
sl_shard_set_settings(struct sl_shard *shard, struct sl_settings *settings)
{
	sl_settings_unref(shard->settings);
	shard->settings = settings;
	shard->config = &settings->config;
}

/* ---- draining ---- */

static void
begin_drain(struct sl_task *task)
{
	struct sl_shard *shard = from_member(task, drain_task);
	struct sl_connection *next;
	if (!shard->front)
		return; /* it has finished already */
	shard->draining = true;
	if (shard->index == 0)
		sl_bus_drain(shard->bus);
	sl_front_drain(shard->front);
	for (struct sl_connection *c = shard->connections; c; c = next) {
		next = c->next;
		sl_connection_end(c, SL_END_DRAINING);
	}
}

void
sl_shard_drain(struct sl_shard *shard, uint64_t drain_until_ms)
{
	shard->drain_until_ms = drain_until_ms;
	shard->drain_task.run = begin_drain;
	sl_mailbox_post(&shard->mailbox, &shard->drain_task);
}

static bool
is_drained(const struct sl_shard *shard)
{
	if (!shard->draining)
		return false;
	return shard->loop.now_ms >= shard->drain_until_ms ||
		(!shard->connections && !sl_front_has_work(shard->front) &&
			sl_front_count_busy(shard->front) == 0);
}

/* ---- turns ---- */

/* Sending to one connection takes long enough to fetch what the next ones need: by the
 * time they are reached, the kernel's own work has pushed them out of the caches. */
static void
prefetch_work(const struct sl_connection *c)
{
	const struct sl_connection *next = c->next_work;
	if (!next)
		return;
	__builtin_prefetch(next->socket);
	if (!next->next_work)
		return;
	const char *bytes = (const char *)next->next_work;
	__builtin_prefetch(bytes);
	__builtin_prefetch(bytes + 64);
	__builtin_prefetch(bytes + 128);
}

static bool
do_work(struct sl_shard *shard)
{
	for (unsigned i = 0; i < WORK_PER_TURN && shard->work; i++) {
		struct sl_connection *c = shard->work;
		prefetch_work(c);
		shard->work = c->next_work;
		if (!shard->work)
			shard->work_end = &shard->work;
		c->has_work = false;
		sl_connection_do_work(c);
	}
	return shard->work != NULL;
}

/* All outboxes together hold more than they may: the fullest goes first. */
static void
limit_pinned(struct sl_shard *shard)
{
	uint64_t limit = shard->config->outbox_total_bytes / shard->app->shard_count;
	for (unsigned i = 0; i < PINNED_ENDS_PER_TURN && shard->framer.pinned_bytes > limit; i++) {
		struct sl_connection *fullest = NULL;
		for (struct sl_connection *c = shard->connections; c; c = c->next)
			if (c->state < SL_ENDING && c->outbox.queued_bytes &&
					(!fullest || c->outbox.queued_bytes > fullest->outbox.queued_bytes))
				fullest = c;
		if (!fullest)
			return;
		sl_metrics_add(&shard->metrics, SL_COUNTER_OUTBOX_PINNED_EVICTIONS, 1);
		sl_connection_end(fullest, SL_END_SLOW_CONSUMER);
	}
}

/* Requests first, since they publish; then what was published; then the outboxes. */
static bool
take_turn(struct sl_shard *shard, bool more)
{
	sl_loop_poll(&shard->loop, more ? 0 : -1);
	sl_mailbox_run_tasks(&shard->mailbox);
	more = sl_front_run(shard->front);
	more |= sl_fanout_drain(shard);
	more |= do_work(shard);
	limit_pinned(shard);
	sl_loop_end_turn(&shard->loop);
	/* Work may have given sockets back, or ended in publishes answered at once. */
	return more || sl_front_has_work(shard->front) || shard->work ||
		!sl_mailbox_is_empty(&shard->mailbox);
}

void
sl_shard_run(struct sl_shard *shard)
{
	bool more = true;
	while (!is_drained(shard))
		more = take_turn(shard, more);
	unsigned left = sl_front_count_busy(shard->front);
	for (struct sl_connection *c = shard->connections; c; c = c->next)
		left++;
	if (left)
		sl_log(SL_LOG_WARNING, "drain.cut", "shard=%u connections=%u", shard->index, left);
}
