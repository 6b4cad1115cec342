#include "bus/memory.h"

#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/message.h"
#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* What all backends do alike is in test_backend_contract.c. */

static const struct sl_bus_config config = { .history_messages = 100, .history_bytes = 1 << 20,
	.history_age_ms = 300000, .history_total_bytes = 1 << 24, .channels_max = 100 };

static int
create(struct sl_bus **bus, size_t keys_max)
{
	struct sl_backend *backend;
	int err = sl_memory_create(&backend, &(struct sl_config){ .idempotency_keys = keys_max });
	return err ? err : sl_bus_create(bus, &config, backend);
}

static struct sl_bus *
create_bus(size_t keys_max)
{
	struct sl_bus *bus;
	CU_ASSERT_EQUAL_FATAL(create(&bus, keys_max), 0);
	return bus;
}

static int
publish(struct sl_bus *bus, const char *key, struct sl_cursor *id)
{
	struct sl_publish pending = { 0 };
	struct sl_message *message;
	int err = sl_message_create(&message, "a", 1, SL_TEXT, "x", 1);
	return err ? err : sl_bus_publish(bus, 0, message, key, key ? strlen(key) : 0, &pending, id);
}

static struct sl_bus_stats
stats_of(struct sl_bus *bus)
{
	struct sl_bus_stats stats;
	sl_bus_get_stats(bus, &stats);
	return stats;
}

static void
test_memory_numbers_from_one_without_holes(void)
{
	struct sl_bus *bus = create_bus(10);
	struct sl_cursor id;
	CU_ASSERT_EQUAL(sl_bus_head(bus).seq, 0);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		CU_ASSERT_EQUAL(publish(bus, NULL, &id), 0);
		CU_ASSERT_EQUAL(id.seq, seq);
		CU_ASSERT_EQUAL(sl_bus_head(bus).seq, seq);
		CU_ASSERT_EQUAL(id.epoch, sl_bus_head(bus).epoch);
	}
	CU_ASSERT_TRUE(sl_bus_is_above_log(bus, 21)); /* its head is its log's end */
	CU_ASSERT_FALSE(sl_bus_is_above_log(bus, 20));
	CU_ASSERT_TRUE(sl_bus_ready(bus));
	sl_bus_destroy(bus);
}

static void
test_memory_each_has_an_epoch_of_its_own(void)
{
	uint32_t epochs[8];
	for (size_t i = 0; i < 8; i++) {
		struct sl_bus *bus = create_bus(0);
		epochs[i] = sl_bus_head(bus).epoch;
		CU_ASSERT_NOT_EQUAL(epochs[i], 0);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(epochs[i], epochs[j]);
		sl_bus_destroy(bus);
	}
}

static void
test_memory_answers_a_repeated_key_at_once_and_uses_no_number_for_it(void)
{
	struct sl_bus *bus = create_bus(10);
	struct sl_cursor first, again;
	CU_ASSERT_EQUAL(publish(bus, "key-0001", &first), 0);
	CU_ASSERT_EQUAL(publish(bus, "key-0001", &again), 0);
	CU_ASSERT_EQUAL(again.seq, first.seq);
	CU_ASSERT_EQUAL(publish(bus, "key-0002", &again), 0);
	CU_ASSERT_EQUAL(again.seq, first.seq + 1);
	CU_ASSERT_EQUAL(stats_of(bus).duplicates, 1);
	CU_ASSERT_EQUAL(stats_of(bus).dedupe_now, 2);
	CU_ASSERT_EQUAL(stats_of(bus).published, 3);
	sl_bus_destroy(bus);
}

static void
test_memory_takes_a_new_limit_of_keys(void)
{
	struct sl_bus *bus = create_bus(2);
	struct sl_cursor id;
	CU_ASSERT_EQUAL(publish(bus, "key-0001", &id), 0);
	sl_bus_set_limits(bus, &config, 1);
	CU_ASSERT_EQUAL(publish(bus, "key-0002", &id), 0);
	CU_ASSERT_EQUAL(stats_of(bus).dedupe_evicted, 1);
	sl_bus_set_limits(bus, &config, 2);
	CU_ASSERT_EQUAL(publish(bus, "key-0003", &id), 0);
	CU_ASSERT_EQUAL(publish(bus, "key-0002", &id), 0);
	CU_ASSERT_EQUAL(id.seq, 2);
	CU_ASSERT_EQUAL(stats_of(bus).dedupe_evicted, 1);
	sl_bus_destroy(bus);
}

static void
test_memory_backend_and_bus_are_made_whole_or_not_at_all(void)
{
	for_each_failing_allocation(failing) {
		struct sl_bus *bus = NULL;
		int err = create(&bus, 10);
		failing_expect(err);
		CU_ASSERT_EQUAL(bus != NULL, err == 0);
		sl_bus_destroy(bus);
	}
}

/* Without memory for its key a message gets no number; without memory for history alone it does,
 * and who reads history is told of it. */
static void
test_memory_publishing_without_memory_is_refused_or_a_gap(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		struct sl_bus *bus = create_bus(10);
		struct sl_channel *a;
		struct sl_cursor id = { 0 };
		uint64_t since;
		failing_again(&failing);
		int err = publish(bus, "key-0001", &id);
		failing_alloc_off();
		bool has_failed = failing_alloc_has_failed();
		CU_ASSERT(err == 0 || (err == SL_ENOMEM && has_failed));
		CU_ASSERT_EQUAL(sl_bus_head(bus).seq, err == 0);
		CU_ASSERT_EQUAL_FATAL(sl_bus_want(bus, 0, "a", 1, 0, &a, &since), 0);
		struct sl_read_channel wanted = { .channel = a };
		struct sl_message *messages[2];
		struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 2,
			.max_bytes = SIZE_MAX, .messages = messages };
		sl_bus_read(bus, &read);
		CU_ASSERT_EQUAL(read.count + wanted.gap_resumed, err == 0);
		CU_ASSERT(has_failed || read.count == 1);
		if (read.count)
			sl_message_unref(messages[0]);
		struct sl_cursor again;
		CU_ASSERT_EQUAL(publish(bus, "key-0001", &again), 0);
		CU_ASSERT_EQUAL(again.seq, 1); /* as if nothing had been, or the same */
		sl_bus_destroy(bus);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_memory_numbers_from_one_without_holes),
		UNIT_TEST(test_memory_each_has_an_epoch_of_its_own),
		UNIT_TEST(test_memory_answers_a_repeated_key_at_once_and_uses_no_number_for_it),
		UNIT_TEST(test_memory_takes_a_new_limit_of_keys),
		UNIT_TEST(test_memory_backend_and_bus_are_made_whole_or_not_at_all),
		UNIT_TEST(test_memory_publishing_without_memory_is_refused_or_a_gap),
		{ NULL, NULL },
	};
	return unit_main("memory", tests);
}
