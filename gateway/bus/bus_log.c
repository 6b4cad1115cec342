/* What the log does: it goes on, loses numbers, is purged, is another one, is away. */
#include <assert.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus_state.h"
#include "bus/message.h"
#include "util/clock.h"
#include "util/crypto.h"

/* ---- its place ---- */

/* With the lock held, or before there is traffic. Whoever reads meanwhile sees another version before and
 * after, or an odd one: the stores of epoch and head keep those of the version on their sides. */
static void
set_place(struct sl_bus *bus, struct sl_cursor place)
{
	struct sl_bus_place *at = &bus->place;
	uint32_t version = atomic_load_explicit(&at->version, memory_order_relaxed);
	atomic_store_explicit(&at->version, version + 1, memory_order_relaxed);
	atomic_store_explicit(&at->epoch, place.epoch, memory_order_release);
	atomic_store_explicit(&at->head, place.seq, memory_order_release);
	atomic_store_explicit(&at->version, version + 2, memory_order_release);
}

struct sl_cursor
sl_bus_head(const struct sl_bus *bus)
{
	const struct sl_bus_place *at = &bus->place;
	for (;;) {
		uint32_t version = atomic_load_explicit(&at->version, memory_order_acquire);
		struct sl_cursor place = {
			.epoch = atomic_load_explicit(&at->epoch, memory_order_acquire),
			.seq = atomic_load_explicit(&at->head, memory_order_acquire),
		};
		if (!(version & 1) &&
				atomic_load_explicit(&at->version, memory_order_relaxed) == version)
			return place;
	}
}

void
sl_bus_set_epoch(struct sl_bus *bus, uint32_t epoch)
{
	assert(epoch != 0);
	set_place(bus, (struct sl_cursor){ epoch, sl_bus_get_seq(bus) });
}

int
sl_bus_draw_epoch(struct sl_bus *bus)
{
	uint32_t epoch = 0;
	int err = 0;
	while (err == 0 && epoch == 0)
		err = sl_crypto_random(&epoch, sizeof epoch);
	if (err == 0)
		sl_bus_set_epoch(bus, epoch);
	return err;
}

/* ---- delivering ---- */

static void
push_to_shard(struct sl_bus *bus, unsigned shard, struct sl_message *message)
{
	struct sl_bus_slot *slot = &bus->slots[shard];
	if (!slot->attached || atomic_load_explicit(&slot->is_overrun, memory_order_relaxed))
		return;
	bool was_empty;
	if (sl_mailbox_push(slot->mailbox, sl_message_ref(message), &was_empty) == 0) {
		if (was_empty)
			bus->to_wake |= UINT64_C(1) << shard;
		return;
	}
	sl_message_unref(message);
	sl_bus_overrun(bus, shard);
	sl_bus_count(&slot->overruns, 1);
}

void
sl_bus_deliver(struct sl_bus *bus, struct sl_message *message)
{
	assert(message->seq > sl_bus_get_seq(bus) && message->epoch == sl_bus_get_epoch(bus));
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
	atomic_store_explicit(&bus->place.head, message->seq, memory_order_release);
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

/* ---- what is gone ---- */

static void
overrun_all(struct sl_bus *bus)
{
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++)
		sl_bus_overrun(bus, shard);
}

void
sl_bus_lose(struct sl_bus *bus, uint64_t through)
{
	uint64_t head = sl_bus_get_seq(bus);
	if (through <= head)
		return;
	if (bus->is_started)
		bus->lost += through - head;
	overrun_all(bus); /* before the head rises: that is what they have */
	sl_records_lose_through(&bus->records, through);
	atomic_store_explicit(&bus->place.head, through, memory_order_release);
}

void
sl_bus_purge(struct sl_bus *bus, uint64_t through)
{
	sl_bus_lock(bus);
	uint64_t head = sl_bus_get_seq(bus);
	sl_records_lose_through(&bus->records, through < head ? through : head);
	sl_bus_unlock(bus, -1);
	sl_bus_sweep_all(bus);
}

void
sl_bus_reset(struct sl_bus *bus, uint32_t epoch)
{
	assert(epoch != 0);
	sl_bus_lock(bus);
	overrun_all(bus);
	for (unsigned shard = 0; shard < SL_SHARDS_MAX; shard++)
		bus->slots[shard].is_reset = bus->slots[shard].attached;
	sl_records_begin_log(&bus->records);
	set_place(bus, (struct sl_cursor){ epoch, 0 });
	bus->resets++;
	sl_bus_unlock(bus, -1);
	sl_bus_tell_news(bus);
	sl_bus_sweep_all(bus);
}

/* ---- away and back ---- */

void
sl_bus_set_away(struct sl_bus *bus, bool away)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	sl_bus_lock(bus);
	bool is_news = bus->is_away != away;
	if (is_news && away)
		bus->away_since_ms = now_ms;
	else if (is_news)
		bus->away_ms += now_ms - bus->away_since_ms;
	bus->is_away = away;
	sl_bus_unlock(bus, -1);
	if (is_news)
		sl_bus_tell_news(bus);
}
