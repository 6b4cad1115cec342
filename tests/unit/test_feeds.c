#include "demo/feeds.h"

#include <string.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/memory.h"
#include "bus/message.h"
#include "demo/cluster.h"
#include "live/shard.h"
#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/script.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

#define STEP_MS 16
#define SEEN_MAX 1024

static struct sl_shard shard;
static struct sl_feeds *feeds;
static struct sl_message *seen[SEEN_MAX]; /* references, of one channel */
static size_t seen_count;

/* A shard that wants what `channel` gets. */
static void
open_shard(const char *channel)
{
	static const struct sl_bus_config config = { .history_messages = 1000,
		.history_bytes = 1 << 20, .history_age_ms = 300000, .history_total_bytes = 1 << 24,
		.channels_max = 1000 };
	struct sl_backend *backend;
	struct sl_channel *wanted;
	uint64_t since;
	memset(&shard, 0, sizeof shard);
	set_wall_us = SET_CLOCK_START_US;
	shard.loop.now_ms = set_monotonic_ms;
	sl_timer_wheel_init(&shard.loop.timers, shard.loop.now_ms);
	if (sl_mailbox_init(&shard.mailbox, SEEN_MAX) != 0 ||
			sl_memory_create(&backend, &(struct sl_config){ .idempotency_keys = 10 }) != 0 ||
			sl_bus_create(&shard.bus, &config, backend) != 0)
		abort();
	sl_bus_attach(shard.bus, 0, &shard.mailbox, NULL);
	if (sl_bus_want(shard.bus, 0, channel, strlen(channel), 0, &wanted, &since) != 0)
		abort();
}

static void
close_shard(void)
{
	while (seen_count)
		sl_message_unref(seen[--seen_count]);
	sl_feeds_destroy(feeds);
	feeds = NULL;
	sl_bus_detach(shard.bus, 0);
	sl_bus_destroy(shard.bus);
	sl_mailbox_finish(&shard.mailbox);
}

/* Lets time run and takes what comes. */
static void
pass(uint64_t ms)
{
	for (uint64_t at = 0; at < ms; at += STEP_MS) {
		set_wall_us += STEP_MS * 1000;
		set_monotonic_ms += STEP_MS;
		shard.loop.now_ms = set_monotonic_ms;
		sl_timer_wheel_run(&shard.loop.timers, shard.loop.now_ms);
		seen_count += sl_mailbox_pop(&shard.mailbox, seen + seen_count, SEEN_MAX - seen_count);
	}
}

static const char *
payload(size_t at)
{
	static char text[512];
	snprintf(text, sizeof text, "%.*s", (int)seen[at]->payload_len, seen[at]->payload);
	return text;
}

static void
test_clock_tells_the_time_once_a_second(void)
{
	open_shard("demo.clock");
	CU_ASSERT_EQUAL_FATAL(sl_feeds_create(&feeds, &shard, NULL), 0);
	pass(10500);
	CU_ASSERT_TRUE_FATAL(seen_count >= 9 && seen_count <= 11);
	long long last = 0, ms;
	for (size_t i = 0; i < seen_count; i++) {
		char utc[16];
		CU_ASSERT_EQUAL_FATAL(sscanf(payload(i), "{\"utc\":\"%15[0-9:]\",\"ms\":%lld}", utc, &ms), 2);
		CU_ASSERT_EQUAL(strlen(utc), 8);
		CU_ASSERT_TRUE(i == 0 || (ms / 1000 == last / 1000 + 1 && ms % 1000 < 40));
		last = ms;
	}
	close_shard();
}

static void
test_ticker_walks_ten_times_a_second(void)
{
	open_shard("demo.ticker");
	CU_ASSERT_EQUAL_FATAL(sl_feeds_create(&feeds, &shard, NULL), 0);
	pass(5000);
	CU_ASSERT_TRUE(seen_count >= 40 && seen_count <= 50);
	for (size_t i = 0; i < seen_count; i++) {
		char symbol[8];
		double price, change;
		CU_ASSERT_EQUAL_FATAL(sscanf(payload(i), "{\"symbol\":\"%7[A-Z]\",\"price\":%lf,"
			"\"change\":%lf}", symbol, &price, &change), 3);
		CU_ASSERT_TRUE(price > 40 && price < 200 && change > -1 && change < 1);
	}
	close_shard();
}

static void
test_tokens_are_the_words_of_sentences_one_after_the_other(void)
{
	char text[512] = "";
	size_t i = 0, len = 0;
	open_shard("demo.tokens");
	CU_ASSERT_EQUAL_FATAL(sl_feeds_create(&feeds, &shard, NULL), 0);
	pass(6000);
	for (bool is_last = false; i < seen_count && !is_last; i++) {
		unsigned sentence, word;
		int at = 0;
		sscanf(payload(i), "{\"sentence\":%u,\"word\":%u,\"text\":\"%n", &sentence, &word, &at);
		CU_ASSERT_TRUE_FATAL(at > 0 && sentence == 0 && word == i);
		const char *piece = payload(i) + at, *end = strchr(piece, '"');
		len += (size_t)snprintf(text + len, sizeof text - len, "%.*s", (int)(end - piece), piece);
		is_last = strcmp(end, "\",\"last\":true}") == 0;
	}
	CU_ASSERT_STRING_EQUAL(text,
		"A push gateway keeps a connection open, so that news can travel the moment it exists.");
	CU_ASSERT_TRUE_FATAL(i < seen_count);
	CU_ASSERT_PTR_NOT_NULL(strstr(payload(i), "{\"sentence\":1,\"word\":0,\"text\":\"WebSocket \""));
	close_shard();
}

static void
test_feeds_are_silent_once_destroyed_and_while_the_bus_drains(void)
{
	open_shard("demo.ticker");
	CU_ASSERT_EQUAL_FATAL(sl_feeds_create(&feeds, &shard, NULL), 0);
	sl_bus_drain(shard.bus);
	pass(1000);
	CU_ASSERT_EQUAL(seen_count, 0);
	sl_feeds_destroy(feeds);
	feeds = NULL;
	pass(1000);
	CU_ASSERT_EQUAL(sl_timer_wheel_wait_ms(&shard.loop.timers, shard.loop.now_ms), -1);
	close_shard();
}

/* Of a cluster's gateways one feeds. */
static void
test_feeds_are_silent_while_another_gateway_feeds(void)
{
	struct sl_cluster *board, *second;
	unlink(script);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_create(&board, script), 0);
	sl_cluster_add(board, "a", SL_CLUSTER_GATEWAY, 1);
	sl_cluster_add(board, "b", SL_CLUSTER_GATEWAY, 2);
	CU_ASSERT_EQUAL_FATAL(sl_cluster_open(&second, script, 2), 0);
	sl_cluster_set_state(sl_cluster_at(board, 0), SL_CLUSTER_READY);
	sl_cluster_set_state(sl_cluster_at(board, 1), SL_CLUSTER_READY);
	open_shard("demo.ticker");
	CU_ASSERT_EQUAL_FATAL(sl_feeds_create(&feeds, &shard, second), 0);
	pass(1000);
	CU_ASSERT_EQUAL(seen_count, 0);
	sl_cluster_set_state(sl_cluster_at(board, 0), SL_CLUSTER_DOWN);
	pass(1000);
	CU_ASSERT_TRUE(seen_count >= 9);
	close_shard();
	sl_cluster_close(second);
	sl_cluster_close(board);
}

/* What cannot be published is left out, and the feed goes on. */
static void
test_feeds_without_memory_are_an_error_or_pause(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		open_shard("demo.ticker");
		failing_alloc_set(failing.n, failing.is_lasting);
		int err = sl_feeds_create(&feeds, &shard, NULL);
		bool is_first = failing_alloc_has_failed();
		if (err == 0)
			pass(300);
		failing_alloc_off();
		CU_ASSERT_EQUAL(err, is_first ? SL_ENOMEM : 0);
		if (err == 0) {
			size_t before = seen_count;
			pass(300);
			CU_ASSERT_TRUE(seen_count > before);
		}
		close_shard();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_clock_tells_the_time_once_a_second),
		UNIT_TEST(test_ticker_walks_ten_times_a_second),
		UNIT_TEST(test_tokens_are_the_words_of_sentences_one_after_the_other),
		UNIT_TEST(test_feeds_are_silent_once_destroyed_and_while_the_bus_drains),
		UNIT_TEST(test_feeds_are_silent_while_another_gateway_feeds),
		UNIT_TEST(test_feeds_without_memory_are_an_error_or_pause),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	return script_main("feeds", tests);
}
