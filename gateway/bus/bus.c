#include "bus/bus.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "bus/records.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"

#define SWEEP_BUDGET 8192    /* records and messages a sweep */
#define SWEEP_BUDGET_HELD 512 /* of them without letting the lock go */

/* What the bus knows of a shard. Aligned so that shards do not share a cache line. */
struct shard_slot {
	struct sl_mailbox *mailbox; /* borrows; stays set after detach */
	bool attached;              /* under the lock */
	_Atomic bool is_overrun;    /* written under the lock */
	uint64_t lost_after;        /* under the lock */
	_Atomic unsigned wakers;    /* threads about to use the mailbox without the lock */
	_Atomic uint64_t published, failed, pending_now;
	_Atomic uint64_t overruns;
} __attribute__((aligned(64)));

struct sl_bus {
	struct sl_backend *backend; /* owns */
	struct sl_bus_config config;
	uint32_t epoch;             /* constant once start returned */
	_Atomic bool is_draining;
	_Atomic uint64_t head;      /* written under the lock */
	pthread_mutex_t lock;
	uint64_t to_wake;           /* under the lock: shards whose mailbox was empty */
	struct sl_records records;  /* under the lock */
	struct shard_slot slots[SL_SHARDS_MAX];
};

/* What the backend holds while a publish is pending: the caller's struct may go with its
 * shard, this does not. */
struct ticket {
	struct sl_publish publish; /* first: the backend's pointer is the ticket's */
	struct sl_publish *owner;  /* borrows; valid while its shard is attached */
};

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
	assert(bus->epoch != 0);
	*out = bus;
	return 0;
}

static void
drop_messages(struct shard_slot *slot)
{
	struct sl_message *message;
	while (sl_mailbox_pop(slot->mailbox, &message, 1))
		sl_message_unref(message);
}

void
sl_bus_destroy(struct sl_bus *bus)
{
	if (!bus)
		return;
	bus->backend->ops->destroy(bus->backend);
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++)
		if (bus->slots[shard].attached)
			drop_messages(&bus->slots[shard]);
	sl_records_finish(&bus->records);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
}

void
sl_bus_set_epoch(struct sl_bus *bus, uint32_t epoch)
{
	assert(epoch != 0);
	bus->epoch = epoch;
}

int
sl_bus_draw_epoch(struct sl_bus *bus)
{
	int err = 0;
	while (err == 0 && bus->epoch == 0)
		err = sl_crypto_random(&bus->epoch, sizeof bus->epoch);
	return err;
}

struct sl_cursor
sl_bus_head(const struct sl_bus *bus)
{
	return (struct sl_cursor){ .epoch = bus->epoch,
		.seq = atomic_load_explicit(&bus->head, memory_order_acquire) };
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
		struct shard_slot *slot = &bus->slots[__builtin_ctzll(left)];
		sl_mailbox_wake(slot->mailbox);
		atomic_fetch_sub(&slot->wakers, 1);
	}
	for (size_t i = 0; i < trash_count; i++)
		sl_message_unref(trash[i]);
}

/* ---- shards ---- */

void
sl_bus_attach(struct sl_bus *bus, unsigned shard, struct sl_mailbox *mailbox)
{
	assert(shard < SL_SHARDS_MAX && !bus->slots[shard].mailbox);
	sl_bus_lock(bus);
	bus->slots[shard].mailbox = mailbox;
	bus->slots[shard].attached = true;
	sl_bus_unlock(bus, -1);
}

void
sl_bus_detach(struct sl_bus *bus, unsigned shard)
{
	struct shard_slot *slot = &bus->slots[shard];
	sl_bus_lock(bus);
	slot->attached = false;
	sl_bus_unlock(bus, (int)shard);
	/* Others may be between releasing the lock and writing the eventfd: a moment. */
	while (atomic_load(&slot->wakers))
		sched_yield();
	drop_messages(slot);
}

int
sl_bus_want(struct sl_bus *bus, unsigned shard, const char *name, size_t name_len,
	uint64_t owner, struct sl_channel **out, uint64_t *since_seq)
{
	sl_bus_lock(bus);
	int err = sl_records_get(&bus->records, name, name_len, owner, out);
	if (!err) {
		sl_records_want(&bus->records, *out, shard);
		*since_seq = atomic_load_explicit(&bus->head, memory_order_relaxed);
	}
	sl_bus_unlock(bus, -1);
	return err;
}

void
sl_bus_unwant(struct sl_bus *bus, unsigned shard, struct sl_channel *channel)
{
	sl_bus_lock(bus);
	sl_records_unwant(&bus->records, channel, shard);
	sl_bus_unlock(bus, -1);
}

bool
sl_bus_take_overrun(struct sl_bus *bus, unsigned shard, uint64_t *lost_after,
	uint64_t *resumed)
{
	struct shard_slot *slot = &bus->slots[shard];
	if (!atomic_load_explicit(&slot->is_overrun, memory_order_acquire))
		return false;
	/* An overrun between the caller's last pop and here left a full mailbox, with messages
	 * at or below lost_after: those come first. Nothing is pushed meanwhile. */
	if (!sl_mailbox_is_empty(slot->mailbox))
		return false;
	sl_bus_lock(bus);
	*lost_after = slot->lost_after;
	*resumed = atomic_load_explicit(&bus->head, memory_order_relaxed);
	atomic_store_explicit(&slot->is_overrun, false, memory_order_relaxed);
	sl_bus_unlock(bus, -1);
	return true;
}

/* ---- delivering ---- */

static void
count(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static void
push_to_shard(struct sl_bus *bus, unsigned shard, struct sl_message *message)
{
	struct shard_slot *slot = &bus->slots[shard];
	if (!slot->attached || atomic_load_explicit(&slot->is_overrun, memory_order_relaxed))
		return;
	bool was_empty;
	if (sl_mailbox_push(slot->mailbox, sl_message_ref(message), &was_empty) == 0) {
		if (was_empty)
			bus->to_wake |= UINT64_C(1) << shard;
		return;
	}
	sl_message_unref(message);
	slot->lost_after = atomic_load_explicit(&bus->head, memory_order_relaxed);
	atomic_store_explicit(&slot->is_overrun, true, memory_order_release);
	count(&slot->overruns, 1);
}

void
sl_bus_deliver(struct sl_bus *bus, struct sl_message *message)
{
	assert(message->seq > atomic_load_explicit(&bus->head, memory_order_relaxed));
	message->arrived_ms = sl_clock_monotonic_ms();
	struct sl_channel *channel;
	int err = sl_records_get(&bus->records, message->channel, message->channel_len, message->owner,
		&channel);
	if (err) {
		sl_records_lose(&bus->records, message); /* no record, so nobody wants it */
	} else {
		message->receivers = atomic_load_explicit(&channel->receivers, memory_order_relaxed);
		for (uint64_t left = channel->interest; left; left &= left - 1)
			push_to_shard(bus, (unsigned)__builtin_ctzll(left), message);
		sl_records_append(&bus->records, channel, message);
	}
	/* Last: who sees this head finds the message in its mailbox. */
	atomic_store_explicit(&bus->head, message->seq, memory_order_release);
}

struct sl_cursor
sl_bus_append(struct sl_bus *bus, struct sl_message *message, uint64_t holes, int shard)
{
	sl_bus_lock(bus);
	struct sl_cursor id = sl_bus_head(bus);
	id.seq += 1 + holes;
	sl_message_stamp(message, id, sl_clock_wall_us());
	sl_bus_deliver(bus, message);
	sl_bus_unlock(bus, shard);
	return id;
}

/* ---- publishing ---- */

static int
publish_with_ticket(struct sl_bus *bus, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *owner, struct sl_cursor *id)
{
	struct shard_slot *slot = &bus->slots[owner->shard];
	struct ticket *ticket = malloc(sizeof *ticket);
	if (!ticket) {
		sl_message_unref(message);
		return SL_ENOMEM;
	}
	*ticket = (struct ticket){ .publish = *owner, .owner = owner };
	count(&slot->pending_now, 1);
	sl_bus_lock(bus);
	owner->foreseen = sl_records_count_receivers(&bus->records, message);
	sl_bus_unlock(bus, -1);
	int result = bus->backend->ops->publish(bus->backend, message, key, key_len,
		&ticket->publish, id);
	if (result != SL_PENDING) {
		owner->receivers = ticket->publish.receivers;
		count(&slot->pending_now, (uint64_t)-1);
		free(ticket);
	}
	return result;
}

int
sl_bus_publish(struct sl_bus *bus, unsigned shard, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	int result;
	pending->shard = shard;
	message->owner = pending->owner;
	pending->receivers = 0;
	if (atomic_load_explicit(&bus->is_draining, memory_order_relaxed)) {
		sl_message_unref(message);
		result = SL_EDRAINING;
	} else if (ops->answers_later) {
		result = publish_with_ticket(bus, message, key, key_len, pending, id);
	} else {
		result = ops->publish(bus->backend, message, key, key_len, pending, id);
	}
	if (result <= 0)
		count(result == 0 ? &bus->slots[shard].published : &bus->slots[shard].failed, 1);
	return result;
}

static void
run_on_done(struct sl_task *task)
{
	struct sl_publish *publish =
		(struct sl_publish *)((char *)task - offsetof(struct sl_publish, task));
	publish->on_done(publish);
}

void
sl_bus_complete(struct sl_bus *bus, struct sl_publish *pending, int err, struct sl_cursor id)
{
	struct ticket *ticket = (struct ticket *)pending;
	struct sl_publish *owner = ticket->owner;
	struct shard_slot *slot = &bus->slots[pending->shard];
	uint32_t receivers = pending->receivers;
	free(ticket);
	count(&slot->pending_now, (uint64_t)-1);
	count(err == 0 ? &slot->published : &slot->failed, 1);

	sl_bus_lock(bus);
	bool attached = slot->attached;
	if (attached)
		atomic_fetch_add(&slot->wakers, 1);
	sl_bus_unlock(bus, -1);
	owner->err = err;
	owner->id = id;
	owner->receivers = receivers;
	if (!attached) {
		owner->on_done(owner);
		return;
	}
	owner->task.run = run_on_done;
	sl_mailbox_post(slot->mailbox, &owner->task);
	atomic_fetch_sub(&slot->wakers, 1);
}

/* ---- the rest ---- */

void
sl_bus_forget(struct sl_bus *bus, const char *name, size_t name_len)
{
	sl_bus_lock(bus);
	sl_records_forget(&bus->records, name, name_len);
	sl_bus_unlock(bus, -1);
}

/* One hold of the lock; true at the end of the records. */
static bool
sweep_some(struct sl_bus *bus)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	size_t budget = SWEEP_BUDGET_HELD;
	sl_bus_lock(bus);
	bool is_done = sl_records_sweep(&bus->records, now_ms, &budget);
	sl_bus_unlock(bus, -1);
	return is_done;
}

void
sl_bus_sweep(struct sl_bus *bus)
{
	bool is_done = false;
	for (size_t spent = 0; !is_done && spent < SWEEP_BUDGET; spent += SWEEP_BUDGET_HELD)
		is_done = sweep_some(bus);
	if (bus->backend->dedupe)
		sl_dedupe_sweep(bus->backend->dedupe, sl_clock_monotonic_ms());
}

void
sl_bus_set_limits(struct sl_bus *bus, const struct sl_bus_config *config, size_t keys_max)
{
	sl_bus_lock(bus);
	bool is_same = memcmp(&bus->config, config, sizeof *config) == 0;
	bus->config = *config;
	sl_bus_unlock(bus, -1);
	if (bus->backend->dedupe)
		sl_dedupe_set_max(bus->backend->dedupe, keys_max);
	/* To the end from wherever the last sweep was, then once through. */
	for (unsigned ends = is_same ? 2 : 0; ends < 2;)
		ends += sweep_some(bus);
}

void
sl_bus_drain(struct sl_bus *bus)
{
	atomic_store(&bus->is_draining, true);
}

bool
sl_bus_ready(struct sl_bus *bus)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	return !ops->is_ready || ops->is_ready(bus->backend);
}

bool
sl_bus_is_above_log(struct sl_bus *bus, uint64_t seq)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	uint64_t last = ops->last_seq ? ops->last_seq(bus->backend) : 0;
	/* A message is in mailboxes a moment before it is the head: not while the lock is held. */
	sl_bus_lock(bus);
	uint64_t head = sl_bus_head(bus).seq;
	sl_bus_unlock(bus, -1);
	return seq > (last > head ? last : head);
}

void
sl_bus_get_stats(struct sl_bus *bus, struct sl_bus_stats *out)
{
	sl_bus_lock(bus);
	*out = bus->records.stats;
	sl_bus_unlock(bus, -1);
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++) {
		struct shard_slot *slot = &bus->slots[shard];
		out->published += slot->published;
		out->failed += slot->failed;
		out->pending_now += slot->pending_now;
		out->mailbox_overruns += slot->overruns;
	}
	if (bus->backend->dedupe)
		sl_dedupe_get_stats(bus->backend->dedupe, out);
}
