#include "http/api_probe.h"

#include <string.h>

#include "http/exchange.h"
#include "http/http.h"
#include "live/shard.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/unit.h"

#define NOW_MS 1000000
#define KEPT_MS 60000

static struct sl_http http;
static struct sl_shard shard;

static int
announce(struct sl_backend *backend, const struct sl_notice *told, struct sl_publish *pending)
{
	return 0;
}

/* Another bus, which others may share or not. */
static void
begin_bus(bool has_siblings)
{
	static const struct sl_bus_config config = { .channels_max = 10 };
	struct held_backend *held = held_create();
	static struct sl_backend_ops ops;
	ops = *held->base.ops;
	ops.announce = has_siblings ? announce : NULL;
	held->base.ops = &ops;
	if (shard.bus)
		sl_bus_destroy(shard.bus);
	if (sl_bus_create(&shard.bus, &config, &held->base) != 0)
		abort();
}

static bool
note_of(uint64_t owner, const char *nonce, enum sl_probe_seen seen, uint64_t now_ms)
{
	return sl_probe_note(http.probes, (struct sl_span){ nonce, strlen(nonce) }, seen, owner, now_ms);
}

static bool
note(const char *nonce, enum sl_probe_seen seen, uint64_t now_ms)
{
	return note_of(0, nonce, seen, now_ms);
}

static void
expect_seen(const char *nonce, uint64_t now_ms, const char *seen)
{
	struct sl_exchange exchange = { .shard = &shard, .http = &http };
	char expected[64];
	snprintf(expected, sizeof expected, "{\"seen\":\"%s\"}\n", seen);
	shard.loop.now_ms = now_ms;
	exchange.params.nonce = (struct sl_span){ nonce, strlen(nonce) };
	sl_api_probe_seen(&exchange);
	CU_ASSERT_EQUAL_FATAL(exchange.reply.body.len, strlen(expected));
	CU_ASSERT_EQUAL(memcmp(exchange.reply.body.bytes, expected, strlen(expected)), 0);
	sl_reply_finish(&exchange.reply);
}

static void
test_probe_note_only_gets_better(void)
{
	expect_seen("nonce-01", NOW_MS, "nothing");
	note("nonce-01", SL_PROBE_UPGRADED_NO_FRAME, NOW_MS);
	note("nonce-01", SL_PROBE_UPGRADED, NOW_MS);
	note("nonce-01", SL_PROBE_PLAIN_GET, NOW_MS);
	expect_seen("nonce-01", NOW_MS, "upgraded");
}

static void
test_probe_note_is_kept_for_a_minute(void)
{
	note("nonce-02", SL_PROBE_PLAIN_GET, NOW_MS);
	expect_seen("nonce-02", NOW_MS + KEPT_MS, "plain_get");
	expect_seen("nonce-02", NOW_MS + KEPT_MS + 1, "nothing");
}

static void
test_probe_note_of_a_shard_whose_clock_is_ahead_is_kept(void)
{
	note("nonce-03", SL_PROBE_UPGRADED, NOW_MS + 1);
	note("nonce-04", SL_PROBE_UPGRADED, NOW_MS);
	expect_seen("nonce-03", NOW_MS, "upgraded");
	expect_seen("nonce-04", NOW_MS, "upgraded");
}

static void
test_probe_table_that_is_full_forgets_the_oldest(void)
{
	char nonce[32];
	for (int i = 0; i <= 4096; i++) {
		snprintf(nonce, sizeof nonce, "many-%08d", i);
		note(nonce, SL_PROBE_PLAIN_GET, NOW_MS);
	}
	expect_seen("many-00000000", NOW_MS, "nothing");
	expect_seen("many-00000001", NOW_MS, "plain_get");
	expect_seen("many-00004096", NOW_MS, "plain_get");
}

static void
test_probe_table_filled_by_one_owner_keeps_the_notes_of_others(void)
{
	char nonce[32];
	unsigned evicted = 0;
	uint64_t now_ms = NOW_MS + 10 * KEPT_MS;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(nonce, sizeof nonce, "honest-%08u", i);
		note_of(100 + i, nonce, SL_PROBE_PLAIN_GET, now_ms);
	}
	for (unsigned i = 0; i < 6000; i++) {
		snprintf(nonce, sizeof nonce, "greedy-%08u", i);
		evicted += note_of(7, nonce, SL_PROBE_PLAIN_GET, now_ms);
	}
	CU_ASSERT_EQUAL(evicted, 20 + 6000 - 4096);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(nonce, sizeof nonce, "honest-%08u", i);
		expect_seen(nonce, now_ms, "plain_get");
	}
	expect_seen("greedy-00005999", now_ms, "plain_get");
	expect_seen("greedy-00000000", now_ms, "nothing");
}

static void
test_probe_needs_a_nonce_of_a_length_that_is_kept(void)
{
	struct sl_exchange exchange = { .shard = &shard, .http = &http };
	char nonce[66] = "";
	sl_api_probe_seen(&exchange);
	CU_ASSERT_EQUAL(exchange.reply.head.status, 400);
	sl_reply_finish(&exchange.reply);
	memset(nonce, 'n', 65);
	note(nonce, SL_PROBE_UPGRADED, NOW_MS);
	expect_seen(nonce, NOW_MS, "nothing");
	nonce[64] = '\0';
	note(nonce, SL_PROBE_UPGRADED, NOW_MS);
	expect_seen(nonce, NOW_MS, "upgraded");
}

/* The upgrade may have reached a gateway that nobody has asked. */
static void
test_probe_knows_only_of_itself_where_the_bus_has_siblings(void)
{
	uint64_t now_ms = NOW_MS + 100 * KEPT_MS; /* when what other tests noted is over */
	begin_bus(true);
	expect_seen("nonce-06", now_ms, "unknown");
	note("nonce-06", SL_PROBE_PLAIN_GET, now_ms);
	expect_seen("nonce-06", now_ms, "plain_get");
	expect_seen("nonce-06", now_ms + KEPT_MS + 1, "unknown");
	begin_bus(false);
	expect_seen("nonce-06", now_ms + KEPT_MS + 1, "nothing");
}

static void
test_probe_note_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		struct sl_probe_table *table = sl_probe_table_create();
		if (table)
			sl_probe_note(table, (struct sl_span){ "nonce-05", 8 }, SL_PROBE_UPGRADED, 1, NOW_MS);
		sl_probe_table_destroy(table);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_probe_note_only_gets_better),
		UNIT_TEST(test_probe_note_is_kept_for_a_minute),
		UNIT_TEST(test_probe_note_of_a_shard_whose_clock_is_ahead_is_kept),
		UNIT_TEST(test_probe_table_that_is_full_forgets_the_oldest),
		UNIT_TEST(test_probe_table_filled_by_one_owner_keeps_the_notes_of_others),
		UNIT_TEST(test_probe_needs_a_nonce_of_a_length_that_is_kept),
		UNIT_TEST(test_probe_knows_only_of_itself_where_the_bus_has_siblings),
		UNIT_TEST(test_probe_note_without_memory_is_none),
		{ NULL, NULL },
	};
	http.probes = sl_probe_table_create();
	begin_bus(false);
	int status = unit_main("api_probe", tests);
	sl_bus_destroy(shard.bus);
	sl_probe_table_destroy(http.probes);
	return status;
}
