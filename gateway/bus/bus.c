#include "bus/bus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/backend.h"
#include "bus/bus_state.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "util/clock.h"
#include "util/err.h"

#define SWEEP_BUDGET 8192    /* records and messages a sweep */
#define SWEEP_BUDGET_HELD 512 /* of them without letting the lock go */
#define SWEEP_REST_NS 20000

/* ---- life ---- */

int
sl_bus_create(struct sl_bus **out, const struct sl_bus_config *config,
	struct sl_backend *backend)
{
	struct sl_bus *bus = aligned_alloc(_Alignof(struct sl_bus), sizeof *bus);
	if (!bus) {
		backend->ops->destroy(backend);
		return SL_ENOMEM;
	}
	memset(bus, 0, sizeof *bus);
	bus->config = *config;
	bus->backend = backend;
	pthread_mutex_init(&bus->lock, NULL);
	sl_records_init(&bus->records, &bus->config);
	backend->bus = bus;
	int err = backend->ops->start(backend);
	if (err) {
		sl_bus_destroy(bus);
		return err;
	}
	assert(sl_bus_head(bus).epoch != 0);
	sl_bus_lock(bus);
	bus->is_started = true;
	sl_bus_unlock(bus, -1);
	*out = bus;
	return 0;
}

void
sl_bus_destroy(struct sl_bus *bus)
{
	if (!bus)
		return;
	bus->backend->ops->destroy(bus->backend);
	sl_bus_drop_mail(bus);
	sl_records_finish(&bus->records);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
}

void
sl_bus_drain(struct sl_bus *bus)
{
	atomic_store(&bus->is_draining, true);
}

/* ---- the lock, and what is left to do once it is released ---- */

void
sl_bus_lock(struct sl_bus *bus)
{
	pthread_mutex_lock(&bus->lock);
}

void
sl_bus_unlock(struct sl_bus *bus, int shard)
{
	struct sl_message *trash[SL_TRASH_MAX];
	size_t trash_count = bus->records.trash_count;
	memcpy(trash, bus->records.trash, trash_count * sizeof *trash);
	bus->records.trash_count = 0;
	uint64_t to_wake = bus->to_wake;
	bus->to_wake = 0;
	if (shard >= 0)
		to_wake &= ~(UINT64_C(1) << shard);
	for (uint64_t left = to_wake; left; left &= left - 1)
		atomic_fetch_add(&bus->slots[__builtin_ctzll(left)].wakers, 1);
	pthread_mutex_unlock(&bus->lock);

	for (uint64_t left = to_wake; left; left &= left - 1) {
		struct sl_bus_slot *slot = &bus->slots[__builtin_ctzll(left)];
		sl_mailbox_wake(slot->mailbox);
		atomic_fetch_sub(&slot->wakers, 1);
	}
	for (size_t i = 0; i < trash_count; i++)
		sl_message_unref(trash[i]);
}

/* ---- history's limits ---- */

void
sl_bus_forget(struct sl_bus *bus, const char *name, size_t name_len)
{
	sl_bus_lock(bus);
	sl_records_forget(&bus->records, name, name_len);
	sl_bus_unlock(bus, -1);
}

bool
sl_bus_sweep_some(struct sl_bus *bus)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	size_t budget = SWEEP_BUDGET_HELD;
	sl_bus_lock(bus);
	bool is_done = sl_records_sweep(&bus->records, now_ms, &budget);
	sl_bus_unlock(bus, -1);
	return is_done;
}

/* To the end from wherever the last sweep was, then once through. Whoever takes a lock right after it let it go has it
 * again before those who wait are awake: so it rests between two holds. */
void
sl_bus_sweep_all(struct sl_bus *bus)
{
	const struct timespec rest = { .tv_nsec = SWEEP_REST_NS };
	for (unsigned ends = 0; ends < 2; nanosleep(&rest, NULL))
		ends += sl_bus_sweep_some(bus);
}

void
sl_bus_sweep(struct sl_bus *bus)
{
	bool is_done = false;
	for (size_t spent = 0; !is_done && spent < SWEEP_BUDGET; spent += SWEEP_BUDGET_HELD)
		is_done = sl_bus_sweep_some(bus);
	if (bus->backend->dedupe)
		sl_dedupe_sweep(bus->backend->dedupe, sl_clock_monotonic_ms());
}

void
sl_bus_set_limits(struct sl_bus *bus, const struct sl_bus_config *config, size_t keys_max)
{
	struct sl_bus_config limits = *config;
	limits.on_notice = bus->config.on_notice; /* which stay, and are no limits */
	limits.notice_arg = bus->config.notice_arg;
	sl_bus_lock(bus);
	bool is_same = memcmp(&bus->config, &limits, sizeof limits) == 0;
	bus->config = limits;
	sl_bus_unlock(bus, -1);
	if (bus->backend->dedupe)
		sl_dedupe_set_max(bus->backend->dedupe, keys_max);
	if (!is_same)
		sl_bus_sweep_all(bus);
}

/* ---- what is known of the backend ---- */

bool
sl_bus_has_siblings(const struct sl_bus *bus)
{
	return bus->backend->ops->announce != NULL;
}

bool
sl_bus_ready(struct sl_bus *bus)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	return !bus->is_away && (!ops->is_ready || ops->is_ready(bus->backend));
}

bool
sl_bus_is_above_log(struct sl_bus *bus, uint64_t seq)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	uint64_t last = ops->last_seq ? ops->last_seq(bus->backend) : 0;
	/* A message is in mailboxes a moment before it is the head: not while the lock is held. */
	sl_bus_lock(bus);
	uint64_t head = sl_bus_get_seq(bus);
	sl_bus_unlock(bus, -1);
	return seq > (last > head ? last : head);
}

static void
add_slot(struct sl_bus_stats *out, const struct sl_bus_slot *slot)
{
	out->failed += slot->failed;
	out->pending_now += slot->pending_now;
	out->mailbox_overruns += slot->overruns;
	out->backend.unknown += slot->unknown;
	out->latency.sum_us += slot->latency_us;
	for (unsigned i = 0; i <= SL_LATENCY_BUCKETS; i++) {
		uint64_t count = slot->latency[i];
		out->latency.counts[i] += count;
		out->published += count;
	}
}

void
sl_bus_get_stats(struct sl_bus *bus, struct sl_bus_stats *out)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	uint64_t now_ms = sl_clock_monotonic_ms();
	sl_bus_lock(bus);
	*out = bus->records.stats;
	out->backend = (struct sl_backend_stats){ .connected = !bus->is_away, .lost = bus->lost,
		.resets = bus->resets, .away_ms = bus->away_ms };
	if (bus->is_away && now_ms > bus->away_since_ms)
		out->backend.away_ms += now_ms - bus->away_since_ms;
	sl_bus_unlock(bus, -1);
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++)
		add_slot(out, &bus->slots[shard]);
	if (ops->get_stats)
		ops->get_stats(bus->backend, &out->backend);
	if (bus->backend->dedupe)
		sl_dedupe_get_stats(bus->backend->dedupe, out);
}
