/* A bus whose backend does nothing by itself: the tests number and deliver. For programs linked
 * with --wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms.
 * Owner: the test destroys the bus. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_STUB_BUS_H
#define SL_TESTS_STUB_BUS_H

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/message.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

struct stub {
	struct sl_backend base;
	uint64_t last_seq;
};

static inline int
start_stub(struct sl_backend *backend)
{
	sl_bus_set_epoch(backend->bus, 7);
	return 0;
}

static inline void
destroy_stub(struct sl_backend *backend)
{
	free(backend);
}

static inline int
publish_stub(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	sl_message_unref(message);
	return SL_EBACKEND;
}

static inline uint64_t
last_seq_stub(struct sl_backend *backend)
{
	return ((struct stub *)backend)->last_seq;
}

static const struct sl_backend_ops stub_ops = { .name = "stub", .start = start_stub,
	.destroy = destroy_stub, .publish = publish_stub, .last_seq = last_seq_stub };

static const struct sl_bus_config default_config = { .history_messages = 1000,
	.history_bytes = 1 << 20, .history_age_ms = 300000, .history_total_bytes = 256 << 20,
	.channels_max = 1000 };

static inline struct sl_bus *
create_bus(const struct sl_bus_config *config, struct stub **out)
{
	struct stub *stub = calloc(1, sizeof *stub);
	struct sl_bus *bus;
	stub->base.ops = &stub_ops;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, config, &stub->base), 0);
	if (out)
		*out = stub;
	return bus;
}

static inline void
deliver_from(struct sl_bus *bus, int shard, const char *channel, uint64_t seq)
{
	struct sl_message *message;
	if (sl_message_create(&message, channel, strlen(channel), SL_TEXT, "some text", 9) != 0)
		abort();
	sl_bus_lock(bus);
	sl_message_stamp(message, (struct sl_cursor){ sl_bus_head(bus).epoch, seq }, set_wall_us);
	sl_bus_deliver(bus, message);
	sl_bus_unlock(bus, shard);
	sl_message_unref(message);
}

static inline void
deliver(struct sl_bus *bus, const char *channel, uint64_t seq)
{
	deliver_from(bus, -1, channel, seq);
}

static inline size_t
size_of_message(const char *channel)
{
	struct sl_message *message;
	if (sl_message_create(&message, channel, strlen(channel), SL_TEXT, "some text", 9) != 0)
		abort();
	size_t bytes = sl_message_bytes(message);
	sl_message_unref(message);
	return bytes;
}

/* Shard 63 looks at a channel: how many messages are held above `after`, and the gap. */
struct look {
	uint64_t count, first, gap_resumed, through;
};

static inline struct look
look_at(struct sl_bus *bus, const char *channel, uint64_t after)
{
	struct sl_message *messages[2000];
	struct sl_read_channel wanted = { .after = after };
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 2000,
		.max_bytes = SIZE_MAX, .messages = messages };
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(
		sl_bus_want(bus, 63, channel, strlen(channel), 0, &wanted.channel, &since), 0);
	sl_bus_read(bus, &read);
	sl_bus_unwant(bus, 63, wanted.channel);
	struct look look = { read.count, read.count ? messages[0]->seq : 0, wanted.gap_resumed,
		read.through };
	for (size_t i = 0; i < read.count; i++)
		sl_message_unref(messages[i]);
	return look;
}

/* And is not any more. */
static inline bool
is_woken(struct sl_mailbox *mailbox)
{
	struct pollfd fd = { .fd = mailbox->event_fd, .events = POLLIN };
	bool woken = poll(&fd, 1, 0) == 1;
	sl_mailbox_rest(mailbox);
	return woken;
}

/* Pops all; returns the last number, 0 when there was none. */
static inline uint64_t
drain(struct sl_mailbox *mailbox)
{
	struct sl_message *message;
	uint64_t last = 0;
	while (sl_mailbox_pop(mailbox, &message, 1)) {
		last = message->seq;
		sl_message_unref(message);
	}
	return last;
}

static inline struct sl_bus_stats
stats_of(struct sl_bus *bus)
{
	struct sl_bus_stats stats;
	sl_bus_get_stats(bus, &stats);
	return stats;
}

static inline void
deliver_many(struct sl_bus *bus, const char *channel, uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		deliver(bus, channel, seq);
}

#endif
