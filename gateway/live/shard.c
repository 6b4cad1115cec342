#include "live/shard.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "auth/principals.h"
#include "bus/bus.h"
#include "config/config.h"
#include "core/tls_shard.h"
#include "live/delivery.h"
#include "live/intake.h"
#include "live/link.h"
#include "live/outage.h"
#include "live/session.h"
#include "live/subscriber.h"
#include "util/clock.h"
#include "util/err.h"

#define WORK_PER_TURN 256 /* links served before events are asked for again */
#define WORK_US 1500 /* for those that send much: of those that are late, and of the others */
#define SMALL_WORK_BYTES 16384
#define PINNED_ENDS_PER_TURN 16

/* ---- start and end ---- */

static void
on_mail(struct sl_watch *watch, uint32_t events)
{
	struct sl_shard *shard = (struct sl_shard *)
		((char *)watch - offsetof(struct sl_shard, mailbox_watch));
	(void)events;
	sl_mailbox_rest(&shard->mailbox);
}

static void
on_reset(void *arg, uint32_t epoch)
{
	(void)epoch;
	sl_delivery_follow(arg); /* before requests of this turn */
}

static void
on_away(void *arg, bool is_away)
{
	sl_outage_set(arg, is_away);
}

static int
open_mailbox(struct sl_shard *shard)
{
	int err = sl_mailbox_init(&shard->mailbox, shard->config->mailbox_messages);
	if (err != 0)
		return err;
	const struct sl_bus_events events = { .on_reset = on_reset, .on_away = on_away, .arg = shard };
	sl_bus_attach(shard->bus, shard->index, &shard->mailbox, &events);
	shard->mailbox_watch = (struct sl_watch){ .on_ready = on_mail, .fd = -1 };
	return sl_loop_add(&shard->loop, &shard->mailbox_watch, shard->mailbox.event_fd, EPOLLIN);
}

/* Clients that have agreed on compression take messages without it too: so one reload ends it. */
void
sl_shard_set_config(struct sl_shard *shard, const struct sl_config *config)
{
	shard->config = config;
	shard->framer.compression.least_bytes = config->deflate ? config->deflate_threshold : UINT64_MAX;
}

int
sl_shard_init(struct sl_shard *shard, unsigned index, unsigned count, struct sl_bus *bus,
	const struct sl_config *config)
{
	*shard = (struct sl_shard){
		.index = index,
		.count = count,
		.config = config,
		.bus = bus,
		.loop = { .epoll_fd = -1 },
		.mailbox = { .event_fd = -1 },
	};
	STAILQ_INIT(&shard->work);
	STAILQ_INIT(&shard->late);
	sl_fanout_init(&shard->fanout);
	sl_session_table_init(&shard->sessions);
	sl_shares_init(&shard->shares, &shard->metrics, sl_intake_go_on);
	shard->read_buffer = malloc(SL_READ_BUFFER);
	int err = shard->read_buffer ? sl_loop_init(&shard->loop) : SL_ENOMEM;
	if (err == 0)
		sl_kernel_memory_init(shard);
	if (err == 0)
		err = sl_framer_init(&shard->framer);
	if (err == 0) {
		shard->framer.compression.metrics = &shard->metrics;
		sl_shard_set_config(shard, config);
		err = sl_tls_shard_create(&shard->tls, &shard->metrics, &shard->framer.pinned_bytes);
	}
	if (err == 0)
		err = sl_principals_create(&shard->principals, &shard->loop.timers, &shard->metrics, NULL,
			sl_subscriber_end_leave);
	if (err == 0)
		err = open_mailbox(shard);
	if (err != 0) {
		sl_shard_finish(shard);
		return err;
	}
	struct sl_cursor head = sl_bus_head(bus);
	sl_bus_take_reset(bus, index, &head); /* the log may have changed since it was attached */
	shard->fanout.epoch = head.epoch;
	shard->fanout.position = head.seq;
	return 0;
}

void
sl_shard_close_links(struct sl_shard *shard)
{
	sl_session_table_close_all(shard);
	while (shard->links)
		sl_link_close(shard->links);
	sl_loop_end_turn(&shard->loop); /* which frees them, while what they count in is still there */
}

void
sl_shard_finish(struct sl_shard *shard)
{
	sl_session_table_finish(&shard->sessions);
	sl_fanout_finish(shard);
	if (shard->loop.epoll_fd >= 0)
		sl_loop_finish(&shard->loop);
	if (shard->mailbox.event_fd >= 0) {
		sl_bus_detach(shard->bus, shard->index);
		sl_mailbox_run_tasks(&shard->mailbox); /* whose memory is theirs to free */
		sl_mailbox_finish(&shard->mailbox);
	}
	sl_principals_destroy(shard->principals);
	sl_tls_shard_destroy(shard->tls);
	sl_framer_finish(&shard->framer);
	free(shard->read_buffer);
}

void
sl_shard_drain(struct sl_shard *shard)
{
	struct sl_link *next;
	shard->draining = true;
	if (shard->index == 0)
		sl_bus_drain(shard->bus);
	for (struct sl_link *link = shard->links; link; link = next) {
		next = link->next;
		if (link->state == SL_LINK_OPEN)
			link->ops->end(link, SL_END_DRAINING);
	}
	sl_session_table_drain(shard);
}

/* ---- turns ---- */

/* Sending to one link takes long enough to fetch what the next one needs: by the time it is
 * reached, the kernel's own work has pushed it out of the caches. */
static void
prefetch_work(const struct sl_link *link)
{
	const char *bytes = (const char *)STAILQ_NEXT(link, work);
	if (!bytes)
		return;
	__builtin_prefetch(bytes);
	__builtin_prefetch(bytes + 64);
	__builtin_prefetch(bytes + 128);
}

/* What sends little takes no time worth speaking of. One without output may be about to read history. */
static bool
is_small(const struct sl_link *link)
{
	return link->outbox.queued_bytes - 1 < SMALL_WORK_BYTES;
}

static struct sl_link *
pop(struct sl_work_list *list)
{
	struct sl_link *link = STAILQ_FIRST(list);
	prefetch_work(link);
	STAILQ_REMOVE_HEAD(list, work);
	return link;
}

static void
serve(struct sl_link *link)
{
	link->has_work = link->is_late = false;
	sl_link_do_work(link);
}

static void
put_late(struct sl_shard *shard, struct sl_link *link)
{
	link->is_late = true;
	STAILQ_INSERT_TAIL(&shard->late, link, work);
}

static void
put_all_late(struct sl_shard *shard)
{
	while (!STAILQ_EMPTY(&shard->work))
		put_late(shard, pop(&shard->work));
}

/* Those that have more to do at once, such as the next of many requests, come again in the same turn. */
static void
serve_late(struct sl_shard *shard)
{
	if (STAILQ_EMPTY(&shard->late))
		return;
	uint64_t until_us = sl_clock_monotonic_us() + WORK_US;
	for (unsigned i = 0; i < WORK_PER_TURN && !STAILQ_EMPTY(&shard->late); i++) {
		if (!is_small(STAILQ_FIRST(&shard->late)) && sl_clock_monotonic_us() >= until_us)
			return;
		serve(pop(&shard->late));
		put_all_late(shard);
	}
}

/* A message to thousands, or large answers to many, is more than a turn's work. What is left of it is late: it has as
 * much of the next turns as what they bring, so that whoever comes then does not wait behind it. */
static bool
do_work(struct sl_shard *shard)
{
	uint64_t until_us = sl_clock_monotonic_us() + WORK_US;
	for (unsigned i = 0; i < WORK_PER_TURN && !STAILQ_EMPTY(&shard->work); i++) {
		struct sl_link *link = pop(&shard->work);
		if (!is_small(link) && sl_clock_monotonic_us() >= until_us)
			put_late(shard, link);
		else
			serve(link);
	}
	serve_late(shard);
	put_all_late(shard);
	return sl_shard_has_work(shard);
}

static bool
end_fullest(struct sl_shard *shard)
{
	struct sl_link *fullest = NULL;
	for (struct sl_link *link = shard->links; link; link = link->next)
		if (link->state == SL_LINK_OPEN && sl_link_count_pinned(link) > 0 &&
				(!fullest || sl_link_count_pinned(link) > sl_link_count_pinned(fullest)))
			fullest = link;
	if (fullest)
		fullest->ops->end(fullest, SL_END_SLOW_CONSUMER);
	return fullest != NULL;
}

/* All outboxes together, and what waits in sessions, hold more than they may: of those that hold most of it one goes,
 * the fullest link, or the session whose client was away for longest. */
static void
limit_pinned(struct sl_shard *shard)
{
	uint64_t limit = shard->config->outbox_total_bytes / shard->count;
	for (unsigned i = 0; i < PINNED_ENDS_PER_TURN && shard->framer.pinned_bytes > limit; i++) {
		bool is_sessions = shard->sessions.queued_bytes > shard->framer.pinned_bytes / 2;
		if (!(is_sessions ? sl_session_table_end_queued(shard) : end_fullest(shard)))
			return;
		sl_metrics_add(&shard->metrics, SL_COUNTER_OUTBOX_PINNED_EVICTIONS, 1);
	}
}

bool
sl_shard_work(struct sl_shard *shard)
{
	/* First, as the requests of others were: they may publish. */
	sl_shares_take_turns(&shard->shares);
	bool more = sl_delivery_drain(shard);
	/* Before the links' work, which sends what these two had to say. */
	more |= sl_outage_work(shard);
	more |= sl_principals_work(shard->principals);
	more |= sl_session_table_work(shard);
	more |= do_work(shard);
	limit_pinned(shard);
	more |= sl_kernel_memory_limit(shard);
	/* Last, since a step takes as long as a hundred sends. */
	more |= sl_tls_shard_take_steps(shard->tls);
	more |= sl_shares_end_turn(&shard->shares);
	return more;
}
