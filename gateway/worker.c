#include "worker.h"

#include <stdatomic.h>
#include <stddef.h>

#include "auth/principals.h"
#include "bus/bus.h"
#include "http/http.h"
#include "http/relay.h"
#include "http/settings.h"
#include "live/link.h"
#include "util/clock.h"
#include "util/log.h"

#define SECOND_MS 1000

#define from_member(pointer, member) \
	((struct sl_worker *)((char *)(pointer) - offsetof(struct sl_worker, member)))

static void
on_second(struct sl_timer *timer)
{
	struct sl_worker *worker = from_member(timer, second);
	struct sl_shard *shard = &worker->shard;
	if (shard->index == 0)
		sl_bus_sweep(shard->bus);
	sl_fanout_sweep(shard);
	sl_front_sweep(&worker->front);
	sl_timer_set(&shard->loop.timers, timer, shard->loop.now_ms + SECOND_MS);
}

int
sl_worker_init(struct sl_worker *worker, unsigned index, unsigned count, struct sl_bus *bus,
	struct sl_http *http, struct sl_settings *settings)
{
	struct sl_shard *shard = &worker->shard;
	int err = sl_shard_init(shard, index, count, bus, &settings->config);
	if (err != 0)
		return err;
	sl_principals_set_revocations(shard->principals, http->revocations);
	sl_principals_set_auth(shard->principals, settings->auth);
	err = sl_front_init(&worker->front, http, shard, settings);
	if (err != 0) {
		sl_shard_finish(shard);
		return err;
	}
	sl_timer_init(&worker->second, on_second);
	sl_timer_set(&shard->loop.timers, &worker->second, shard->loop.now_ms + SECOND_MS);
	return 0;
}

static void
close_all(struct sl_worker *worker)
{
	sl_shard_close_links(&worker->shard);
	sl_loop_end_turn(&worker->shard.loop); /* they are counted out by the front */
}

/* What one has posted the other may answer by a post of its own. */
static bool
run_tasks(struct sl_worker *workers, unsigned count)
{
	bool has_run = false;
	for (unsigned i = 0; i < count; i++) {
		struct sl_mailbox *mailbox = &workers[i].shard.mailbox;
		has_run |= sl_mailbox_has_tasks(mailbox);
		sl_mailbox_run_tasks(mailbox);
		sl_loop_end_turn(&workers[i].shard.loop);
	}
	return has_run;
}

void
sl_workers_close(struct sl_worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close_all(&workers[i]);
	while (run_tasks(workers, count))
		;
}

void
sl_worker_finish(struct sl_worker *worker)
{
	close_all(worker);
	sl_front_finish(&worker->front);
	sl_shard_finish(&worker->shard);
	sl_settings_unref(worker->offered);
}

/* ---- what main has for it ---- */

static void
take_settings(struct sl_task *task)
{
	struct sl_worker *worker = from_member(task, settings_task);
	if (!worker->front.relay)
		return; /* it has finished already */
	struct sl_settings *settings = atomic_exchange(&worker->offered, NULL);
	sl_front_set_settings(&worker->front, settings);
	sl_principals_set_auth(worker->shard.principals, settings->auth);
}

void
sl_worker_set_settings(struct sl_worker *worker, struct sl_settings *settings)
{
	struct sl_settings *untaken = atomic_exchange(&worker->offered, settings);
	sl_settings_unref(untaken);
	if (untaken)
		return; /* the task is still to run */
	worker->settings_task.run = take_settings;
	sl_mailbox_post(&worker->shard.mailbox, &worker->settings_task);
}

static void
begin_drain(struct sl_task *task)
{
	struct sl_worker *worker = from_member(task, drain_task);
	if (!worker->front.relay)
		return; /* it has finished already */
	sl_front_drain(&worker->front);
	sl_shard_drain(&worker->shard);
}

void
sl_worker_drain(struct sl_worker *worker, uint64_t drain_until_ms)
{
	worker->drain_until_ms = drain_until_ms;
	worker->drain_task.run = begin_drain;
	sl_mailbox_post(&worker->shard.mailbox, &worker->drain_task);
}

static bool
has_nothing(const struct sl_worker *worker)
{
	const struct sl_shard *shard = &worker->shard;
	return !shard->links && !sl_session_table_has_any(&shard->sessions) &&
		sl_relay_count_busy(worker->front.relay) == 0;
}

/* Those that wait for it may go. */
static void
note_drained(struct sl_shard *shard)
{
	const struct sl_http *http = shard->front->http;
	if (atomic_load_explicit(&shard->has_drained, memory_order_relaxed))
		return;
	atomic_store(&shard->has_drained, true);
	for (unsigned i = 0; i < http->shard_count; i++)
		if (http->shards[i] != shard)
			sl_mailbox_wake(&http->shards[i]->mailbox);
}

/* Clients of another may have requests here (http/visit.h). */
static bool
have_others_drained(const struct sl_shard *shard)
{
	const struct sl_http *http = shard->front->http;
	for (unsigned i = 0; i < http->shard_count; i++)
		if (http->shards[i] != shard && !atomic_load(&http->shards[i]->has_drained))
			return false;
	return true;
}

static bool
is_over(struct sl_worker *worker)
{
	struct sl_shard *shard = &worker->shard;
	if (!shard->draining)
		return false;
	if (shard->loop.now_ms >= worker->drain_until_ms)
		return true;
	if (!has_nothing(worker))
		return false;
	note_drained(shard);
	return have_others_drained(shard);
}

/* ---- turns ---- */

/* Requests first, since they publish; then what was published; then the outboxes. */
bool
sl_worker_take_turn(struct sl_worker *worker, bool more)
{
	struct sl_shard *shard = &worker->shard;
	sl_loop_poll(&shard->loop, more ? 0 : -1);
	sl_mailbox_run_tasks(&shard->mailbox);
	more = sl_relay_run(worker->front.relay);
	more |= sl_shard_work(shard);
	sl_loop_end_turn(&shard->loop);
	sl_metrics_note_turn(&shard->metrics, sl_clock_monotonic_us() - shard->loop.woke_us);
	/* Work may have gone on with requests that were kept. */
	return more || sl_relay_has_work(worker->front.relay) || sl_shard_has_work(shard) ||
		!sl_mailbox_is_empty(&shard->mailbox);
}

void
sl_worker_run(struct sl_worker *worker)
{
	bool more = true;
	unsigned left = 0;
	while (!is_over(worker))
		more = sl_worker_take_turn(worker, more);
	for (struct sl_link *link = worker->shard.links; link; link = link->next)
		left++;
	if (left)
		sl_log(SL_LOG_WARNING, "drain.cut", "shard=%u connections=%u", worker->shard.index, left);
}
