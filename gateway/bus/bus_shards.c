/* What the bus does with shards: their interest, their mailboxes, what they are told. */
#include <assert.h>
#include <sched.h>

#include "bus/backend.h"
#include "bus/bus_state.h"
#include "bus/message.h"

/* ---- coming and going ---- */

static void
run_news(struct sl_task *task)
{
	struct sl_bus_slot *slot =
		(struct sl_bus_slot *)((char *)task - offsetof(struct sl_bus_slot, news));
	struct sl_bus *bus = slot->bus;
	sl_bus_lock(bus);
	struct sl_bus_events events = slot->events;
	uint32_t epoch = sl_bus_get_epoch(bus);
	bool away = bus->is_away;
	bool is_other_log = slot->attached && slot->told_epoch != epoch;
	bool is_other_state = slot->attached && slot->told_away != away;
	slot->told_epoch = epoch;
	slot->told_away = away;
	slot->has_news = false;
	sl_bus_unlock(bus, -1);
	if (is_other_log && events.on_reset)
		events.on_reset(events.arg, epoch);
	if (is_other_state && events.on_away)
		events.on_away(events.arg, away);
}

void
sl_bus_tell_news(struct sl_bus *bus)
{
	uint64_t to_tell = 0;
	sl_bus_lock(bus);
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++) {
		struct sl_bus_slot *slot = &bus->slots[shard];
		bool knows = slot->told_epoch == sl_bus_get_epoch(bus) && slot->told_away == bus->is_away;
		if (!slot->attached || slot->has_news || knows)
			continue;
		slot->has_news = true;
		atomic_fetch_add(&slot->wakers, 1);
		to_tell |= UINT64_C(1) << shard;
	}
	sl_bus_unlock(bus, -1);
	for (; to_tell; to_tell &= to_tell - 1) {
		struct sl_bus_slot *slot = &bus->slots[__builtin_ctzll(to_tell)];
		sl_mailbox_post(slot->mailbox, &slot->news);
		atomic_fetch_sub(&slot->wakers, 1);
	}
}

void
sl_bus_attach(struct sl_bus *bus, unsigned shard, struct sl_mailbox *mailbox,
	const struct sl_bus_events *events)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	assert(shard < SL_SHARDS_MAX && !slot->mailbox);
	sl_bus_lock(bus);
	slot->mailbox = mailbox;
	slot->bus = bus;
	slot->news.run = run_news;
	if (events)
		slot->events = *events;
	slot->told_epoch = sl_bus_get_epoch(bus);
	slot->attached = true;
	sl_bus_unlock(bus, -1);
	sl_bus_tell_news(bus);
}

static void
drop_messages(struct sl_bus_slot *slot)
{
	struct sl_message *message;
	while (sl_mailbox_pop(slot->mailbox, &message, 1))
		sl_message_unref(message);
}

void
sl_bus_detach(struct sl_bus *bus, unsigned shard)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	sl_bus_lock(bus);
	slot->attached = false;
	sl_bus_unlock(bus, (int)shard);
	/* Others may be between releasing the lock and writing the eventfd: a moment. */
	while (atomic_load(&slot->wakers))
		sched_yield();
	drop_messages(slot);
}

void
sl_bus_drop_mail(struct sl_bus *bus)
{
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++)
		if (bus->slots[shard].attached)
			drop_messages(&bus->slots[shard]);
}

/* ---- interest ---- */

int
sl_bus_want(struct sl_bus *bus, unsigned shard, const char *name, size_t name_len,
	uint64_t owner, struct sl_channel **out, uint64_t *since_seq)
{
	sl_bus_lock(bus);
	int err = sl_records_get(&bus->records, name, name_len, owner, out);
	if (!err) {
		sl_records_want(&bus->records, *out, shard);
		*since_seq = sl_bus_get_seq(bus);
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

/* ---- what a mailbox lacks ---- */

void
sl_bus_overrun(struct sl_bus *bus, unsigned shard)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	if (!slot->attached)
		return;
	bus->to_wake |= UINT64_C(1) << shard;
	if (atomic_load_explicit(&slot->is_overrun, memory_order_relaxed))
		return;
	slot->lost_after = sl_bus_get_seq(bus);
	atomic_store_explicit(&slot->is_overrun, true, memory_order_release);
}

/* An overrun between the shard's last pop and here left a full mailbox, with messages at or below
 * lost_after: those come first. Nothing is pushed meanwhile. */
static bool
is_to_resume(const struct sl_bus_slot *slot)
{
	return atomic_load_explicit(&slot->is_overrun, memory_order_acquire) &&
		sl_mailbox_is_empty(slot->mailbox);
}

bool
sl_bus_take_overrun(struct sl_bus *bus, unsigned shard, uint64_t *lost_after,
	uint64_t *resumed)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	if (!is_to_resume(slot))
		return false;
	sl_bus_lock(bus);
	bool is_taken = !slot->is_reset;
	if (is_taken) {
		*lost_after = slot->lost_after;
		*resumed = sl_bus_get_seq(bus);
		atomic_store_explicit(&slot->is_overrun, false, memory_order_relaxed);
	}
	sl_bus_unlock(bus, -1);
	return is_taken;
}

bool
sl_bus_take_reset(struct sl_bus *bus, unsigned shard, struct sl_cursor *resumed)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	if (!is_to_resume(slot))
		return false;
	sl_bus_lock(bus);
	bool is_taken = slot->is_reset;
	if (is_taken) {
		*resumed = (struct sl_cursor){ sl_bus_get_epoch(bus), sl_bus_get_seq(bus) };
		slot->is_reset = false;
		atomic_store_explicit(&slot->is_overrun, false, memory_order_relaxed);
	}
	sl_bus_unlock(bus, -1);
	return is_taken;
}
