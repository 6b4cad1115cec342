/* Publishing, and what nodes announce to each other. */
#include <stdlib.h>

#include "bus/backend.h"
#include "bus/bus_state.h"
#include "bus/message.h"
#include "bus/records.h"
#include "util/clock.h"
#include "util/err.h"

/* What the backend holds while a publish is pending: the caller's struct may go with its
 * shard, this does not. */
struct ticket {
	struct sl_publish publish; /* first: the backend's pointer is the ticket's */
	struct sl_publish *owner;  /* borrows; valid while its shard is attached */
	uint64_t began_us;
	bool is_notice;            /* which counts as no publish */
};

/* ---- how long it took ---- */

const uint32_t sl_latency_bounds_us[SL_LATENCY_BUCKETS] = { 100, 250, 500, 1000, 2500, 5000, 10000,
	25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 20000000 };

static void
count_outcome(struct sl_bus_slot *slot, int err, uint64_t began_us)
{
	if (err) {
		sl_bus_count(&slot->failed, 1);
		sl_bus_count(&slot->unknown, err == SL_EUNKNOWN);
		return;
	}
	uint64_t took_us = sl_clock_monotonic_us() - began_us;
	unsigned bucket = 0;
	while (bucket < SL_LATENCY_BUCKETS && took_us > sl_latency_bounds_us[bucket])
		bucket++;
	sl_bus_count(&slot->latency[bucket], 1);
	if (took_us) /* mostly none where the log is memory */
		sl_bus_count(&slot->latency_us, took_us);
}

/* ---- publishing ---- */

static struct ticket *
create_ticket(struct sl_publish *owner, bool is_notice)
{
	struct ticket *ticket = malloc(sizeof *ticket);
	if (ticket)
		*ticket = (struct ticket){ .publish = *owner, .owner = owner, .is_notice = is_notice };
	return ticket;
}

static int
publish_with_ticket(struct sl_bus *bus, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *owner, struct sl_cursor *id, uint64_t began_us)
{
	struct sl_bus_slot *slot = &bus->slots[owner->shard];
	struct ticket *ticket = create_ticket(owner, false);
	if (!ticket) {
		sl_message_unref(message);
		return SL_ENOMEM;
	}
	ticket->began_us = began_us;
	sl_bus_count(&slot->pending_now, 1);
	sl_bus_lock(bus);
	owner->foreseen = ticket->publish.foreseen = sl_records_count_receivers(&bus->records, message);
	sl_bus_unlock(bus, -1);
	int result = bus->backend->ops->publish(bus->backend, message, key, key_len,
		&ticket->publish, id);
	if (result != SL_PENDING) {
		owner->receivers = ticket->publish.receivers;
		sl_bus_count(&slot->pending_now, (uint64_t)-1);
		free(ticket);
	}
	return result;
}

int
sl_bus_publish(struct sl_bus *bus, unsigned shard, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	uint64_t began_us = sl_clock_monotonic_us();
	int result;
	pending->shard = shard;
	message->owner = pending->owner;
	pending->receivers = 0;
	if (atomic_load_explicit(&bus->is_draining, memory_order_relaxed)) {
		sl_message_unref(message);
		result = SL_EDRAINING;
	} else if (ops->answers_later) {
		result = publish_with_ticket(bus, message, key, key_len, pending, id, began_us);
	} else {
		result = ops->publish(bus->backend, message, key, key_len, pending, id);
	}
	if (result <= 0)
		count_outcome(&bus->slots[shard], result, began_us);
	return result;
}

static void
run_on_done(struct sl_task *task)
{
	struct sl_publish *publish =
		(struct sl_publish *)((char *)task - offsetof(struct sl_publish, task));
	publish->on_done(publish);
}

/* Has `owner` told on its shard's thread, or here and now where that has gone. */
static void
answer(struct sl_bus *bus, struct sl_bus_slot *slot, struct sl_publish *owner)
{
	sl_bus_lock(bus);
	bool attached = slot->attached;
	if (attached)
		atomic_fetch_add(&slot->wakers, 1);
	sl_bus_unlock(bus, -1);
	if (!attached) {
		owner->on_done(owner);
		return;
	}
	owner->task.run = run_on_done;
	sl_mailbox_post(slot->mailbox, &owner->task);
	atomic_fetch_sub(&slot->wakers, 1);
}

void
sl_bus_complete(struct sl_bus *bus, struct sl_publish *pending, int err, struct sl_cursor id)
{
	struct ticket *ticket = (struct ticket *)pending;
	struct sl_publish *owner = ticket->owner;
	struct sl_bus_slot *slot = &bus->slots[pending->shard];
	if (!ticket->is_notice) {
		sl_bus_count(&slot->pending_now, (uint64_t)-1);
		count_outcome(slot, err, ticket->began_us);
	}
	owner->err = err;
	owner->id = id;
	owner->receivers = pending->receivers;
	free(ticket);
	answer(bus, slot, owner);
}

/* ---- notices ---- */

int
sl_bus_announce(struct sl_bus *bus, unsigned shard, const struct sl_notice *notice,
	struct sl_publish *pending)
{
	const struct sl_backend_ops *ops = bus->backend->ops;
	pending->shard = shard;
	if (!ops->announce) {
		sl_bus_hear(bus, notice);
		return 0;
	}
	struct ticket *ticket = create_ticket(pending, true);
	if (!ticket)
		return SL_ENOMEM;
	int result = ops->announce(bus->backend, notice, &ticket->publish);
	if (result != SL_PENDING)
		free(ticket);
	return result;
}

void
sl_bus_hear(struct sl_bus *bus, const struct sl_notice *notice)
{
	if (bus->on_notice)
		bus->on_notice(bus->notice_arg, notice);
}
