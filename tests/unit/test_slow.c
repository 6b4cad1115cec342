#include "tests/backend/slow.h"

#include <poll.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/message.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* What all backends do alike is in test_backend_contract.c. */

#define POLL_TIMEOUT_MS 30000 /* only a lost wake-up takes as long */
#define FOR_EVER UINT32_MAX   /* 70 minutes of some second of it: longer than any test */

static const struct sl_bus_config config = { .history_messages = 1000, .history_bytes = 1 << 20,
	.history_age_ms = 300000, .history_total_bytes = 1 << 24, .channels_max = 100 };

struct stage {
	struct sl_bus *bus;
	struct sl_mailbox mailbox; /* of shard 0 */
	unsigned done_count;
};

struct publication {
	struct sl_publish publish; /* first */
	struct stage *stage;
	int result;
	struct sl_cursor id;
};

static int
create(struct sl_bus **bus, const struct sl_slow_config *slow_config)
{
	struct sl_backend *backend;
	int err = sl_slow_create(&backend, slow_config);
	return err ? err : sl_bus_create(bus, &config, backend);
}

static void
open_stage(struct stage *stage, const struct sl_slow_config *slow_config)
{
	*stage = (struct stage){ 0 };
	CU_ASSERT_EQUAL_FATAL(create(&stage->bus, slow_config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&stage->mailbox, 1024), 0);
	sl_bus_attach(stage->bus, 0, &stage->mailbox, NULL);
}

static void
close_stage(struct stage *stage)
{
	sl_bus_destroy(stage->bus);
	sl_mailbox_run_tasks(&stage->mailbox);
	sl_mailbox_finish(&stage->mailbox);
}

static void
handle_done(struct sl_publish *publish)
{
	struct publication *publication = (struct publication *)publish;
	publication->stage->done_count++;
	publication->result = publish->err;
	publication->id = publish->id;
}

static int
publish(struct stage *stage, struct publication *publication, const char *key)
{
	struct sl_message *message;
	*publication = (struct publication){ .publish = { .on_done = handle_done }, .stage = stage };
	int err = sl_message_create(&message, "a", 1, SL_TEXT, "x", 1);
	if (err == 0)
		err = sl_bus_publish(stage->bus, 0, message, key, key ? strlen(key) : 0,
			&publication->publish, &publication->id);
	return publication->result = err;
}

static void
wait_for(struct stage *stage, struct publication *publication)
{
	while (publication->result == SL_PENDING) {
		struct pollfd fd = { .fd = stage->mailbox.event_fd, .events = POLLIN };
		CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS), 1);
		sl_mailbox_rest(&stage->mailbox);
		sl_mailbox_run_tasks(&stage->mailbox);
	}
}

/* ---- what is drawn ---- */

static void
test_slow_the_same_seed_leaves_the_same_holes(void)
{
	struct sl_slow_config slow = { .seed = 7, .immediate_percent = 100, .hole_max = 3 };
	uint64_t numbers[2][50], highest = 0;
	for (int life = 0; life < 2; life++) {
		struct stage stage;
		open_stage(&stage, &slow);
		for (size_t i = 0; i < 50; i++) {
			struct publication publication;
			CU_ASSERT_EQUAL(publish(&stage, &publication, NULL), 0);
			numbers[life][i] = publication.id.seq;
			uint64_t before = i ? numbers[life][i - 1] : 0;
			CU_ASSERT(publication.id.seq > before && publication.id.seq <= before + 4);
		}
		highest = sl_bus_head(stage.bus).seq;
		close_stage(&stage);
	}
	CU_ASSERT_EQUAL(memcmp(numbers[0], numbers[1], sizeof numbers[0]), 0);
	CU_ASSERT(highest > 60); /* of 50 messages */
	slow.seed = 8;
	struct stage stage;
	open_stage(&stage, &slow);
	bool differs = false;
	for (size_t i = 0; i < 50; i++) {
		struct publication publication;
		publish(&stage, &publication, NULL);
		differs |= publication.id.seq != numbers[0][i];
	}
	CU_ASSERT_TRUE(differs);
	close_stage(&stage);
}

static void
test_slow_answers_in_the_call_as_often_as_it_is_told(void)
{
	for (unsigned percent = 0; percent <= 100; percent += 50) {
		struct stage stage;
		struct publication publications[60];
		open_stage(&stage, &(struct sl_slow_config){ .seed = 3, .immediate_percent = percent });
		unsigned immediate = 0;
		for (size_t i = 0; i < 60; i++)
			immediate += publish(&stage, &publications[i], NULL) == 0;
		CU_ASSERT_EQUAL(immediate == 0, percent == 0);
		CU_ASSERT_EQUAL(immediate == 60, percent == 100);
		for (size_t i = 0; i < 60; i++)
			wait_for(&stage, &publications[i]);
		CU_ASSERT_EQUAL(stage.done_count, 60 - immediate);
		close_stage(&stage);
	}
}

static void
test_slow_failures_are_told_deliver_nothing_and_keep_no_key(void)
{
	struct stage stage;
	struct publication publication;
	struct sl_bus_stats stats;
	open_stage(&stage, &(struct sl_slow_config){ .seed = 3, .fail_percent = 100,
		.immediate_percent = 50, .keys_max = 4 });
	for (int i = 0; i < 20; i++) {
		publish(&stage, &publication, i % 2 ? "key-0001" : NULL);
		wait_for(&stage, &publication);
		CU_ASSERT_EQUAL(publication.result, SL_EBACKEND);
	}
	sl_bus_get_stats(stage.bus, &stats);
	CU_ASSERT_EQUAL(sl_bus_head(stage.bus).seq, 0);
	CU_ASSERT_EQUAL(stats.failed, 20);
	CU_ASSERT_EQUAL(stats.dedupe_now, 0);
	CU_ASSERT_EQUAL(stats.duplicates, 0);
	close_stage(&stage);
}

/* ---- two steps: delivered, answered ---- */

static void
test_slow_delivers_before_it_answers(void)
{
	struct stage stage;
	struct publication publication;
	open_stage(&stage, &(struct sl_slow_config){ .seed = 5, .ack_max_us = FOR_EVER });
	CU_ASSERT_EQUAL(publish(&stage, &publication, NULL), SL_PENDING);
	while (sl_bus_head(stage.bus).seq == 0)
		poll(NULL, 0, 1);
	CU_ASSERT_EQUAL(stage.done_count, 0);
	close_stage(&stage); /* it is stored, so the answer is a good one */
	CU_ASSERT_EQUAL(stage.done_count, 1);
	CU_ASSERT_EQUAL(publication.result, 0);
	CU_ASSERT_EQUAL(publication.id.seq, 1);
}

static void
test_slow_that_goes_answers_what_it_has_not_stored_as_draining(void)
{
	struct stage stage;
	struct publication publications[4];
	open_stage(&stage, &(struct sl_slow_config){ .seed = 5, .store_max_us = FOR_EVER,
		.keys_max = 4 });
	for (size_t i = 0; i < 4; i++) /* the third and the fourth wait for the second */
		CU_ASSERT_EQUAL(publish(&stage, &publications[i], i ? "key-0001" : NULL), SL_PENDING);
	close_stage(&stage);
	CU_ASSERT_EQUAL(stage.done_count, 4);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(publications[i].result, SL_EDRAINING);
}

static void
test_slow_serves_jobs_in_the_order_in_which_they_are_due(void)
{
	struct stage stage;
	struct publication publications[200];
	open_stage(&stage, &(struct sl_slow_config){ .seed = 5, .store_max_us = 20000,
		.ack_max_us = 20000, .late_percent = 5 });
	for (size_t i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(publish(&stage, &publications[i], NULL), SL_PENDING);
	bool is_mixed = false;
	for (size_t i = 0; i < 200; i++) {
		wait_for(&stage, &publications[i]);
		CU_ASSERT_EQUAL(publications[i].result, 0);
		is_mixed |= i && publications[i].id.seq < publications[i - 1].id.seq;
	}
	CU_ASSERT_TRUE(is_mixed); /* numbers are those of storing, not of publishing */
	CU_ASSERT_EQUAL(sl_bus_head(stage.bus).seq, 200);
	close_stage(&stage);
}

/* ---- without memory ---- */

static void
test_slow_backend_is_made_whole_or_not_at_all(void)
{
	for_each_failing_allocation(failing) {
		struct sl_bus *bus = NULL;
		int err = create(&bus, &(struct sl_slow_config){ .keys_max = 10 });
		failing_expect(err);
		CU_ASSERT_EQUAL(bus != NULL, err == 0);
		sl_bus_destroy(bus);
	}
}

static void
test_slow_publishing_without_memory_is_refused_and_never_answered(void)
{
	for_each_failing_allocation(failing) {
		struct stage stage;
		struct publication publication, again;
		failing_alloc_off();
		open_stage(&stage, &(struct sl_slow_config){ .seed = 5, .store_max_us = FOR_EVER,
			.keys_max = 10 });
		failing_again(&failing);
		int result = publish(&stage, &publication, "key-0001");
		failing_alloc_off();
		CU_ASSERT_EQUAL(result, failing_alloc_has_failed() ? SL_ENOMEM : SL_PENDING);
		/* Nothing is left of it that a repeat could wait for. */
		CU_ASSERT_EQUAL(publish(&stage, &again, "key-0001"), SL_PENDING);
		struct sl_bus_stats stats;
		sl_bus_get_stats(stage.bus, &stats);
		CU_ASSERT_EQUAL(stats.pending_now, result == SL_PENDING ? 2 : 1);
		CU_ASSERT_EQUAL(stats.duplicates, result == SL_PENDING);
		close_stage(&stage);
		CU_ASSERT_EQUAL(stage.done_count, result == SL_PENDING ? 2 : 1);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_slow_the_same_seed_leaves_the_same_holes),
		UNIT_TEST(test_slow_answers_in_the_call_as_often_as_it_is_told),
		UNIT_TEST(test_slow_failures_are_told_deliver_nothing_and_keep_no_key),
		UNIT_TEST(test_slow_delivers_before_it_answers),
		UNIT_TEST(test_slow_that_goes_answers_what_it_has_not_stored_as_draining),
		UNIT_TEST(test_slow_serves_jobs_in_the_order_in_which_they_are_due),
		UNIT_TEST(test_slow_backend_is_made_whole_or_not_at_all),
		UNIT_TEST(test_slow_publishing_without_memory_is_refused_and_never_answered),
		{ NULL, NULL },
	};
	return unit_main("slow", tests);
}
