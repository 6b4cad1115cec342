#include "bus/nats_stream_info.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static enum sl_nats_info
read_text(struct sl_nats_stream_state *state, const char *text)
{
	return sl_nats_stream_info_read(state, (struct sl_span){ text, strlen(text) });
}

#define HEAD "{\"type\":\"io.nats.jetstream.api.v1.stream_info_response\"," \
	"\"config\":{\"name\":\"sluice-main\",\"description\":\"sluice generation=7\"}," \
	"\"created\":\"2026-01-02T03:04:05.000000006Z\"," \
	"\"state\":{\"messages\":3,\"first_seq\":9,\"last_seq\":11}"

static void
test_nats_stream_info_tells_the_state_of_a_log(void)
{
	struct sl_nats_stream_state state;
	CU_ASSERT_EQUAL_FATAL(read_text(&state, HEAD "}"), SL_NATS_INFO_STATE);
	CU_ASSERT_EQUAL(state.created_ns, INT64_C(1767323045000000006));
	CU_ASSERT_EQUAL(state.generation, 7);
	CU_ASSERT_EQUAL(state.first, 9);
	CU_ASSERT_EQUAL(state.last, 11);
	CU_ASSERT_TRUE(state.has_leader);
}

/* A leader that hears from one of its two peers has a majority with it. */
static void
test_nats_stream_info_a_leader_is_one_that_most_follow(void)
{
	static const struct row {
		const char *cluster;
		bool has_leader, is_cut_off;
	} rows[] = {
		{ "{\"leader\":\"a\"}", true },
		{ "{\"leader\":\"\"}", false },
		{ "{}", false },
		{ "{\"leader\":\"a\",\"replicas\":[{\"active\":9},{\"active\":2999999999}]}", true },
		{ "{\"leader\":\"a\",\"replicas\":[{\"active\":9},{\"active\":3000000000}]}", true },
		{ "{\"leader\":\"a\",\"replicas\":[{\"active\":9},{\"active\":9,\"offline\":true}]}", true },
		{ "{\"leader\":\"a\",\"replicas\":[{\"active\":3000000000},{\"active\":3000000000}]}", false, true },
		{ "{\"leader\":\"a\",\"replicas\":[{\"active\":9,\"offline\":true},{\"active\":9,\"offline\":true}]}", false,
			true },
		{ "{\"replicas\":[{\"active\":9},{\"active\":9}]}", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_nats_stream_state state;
		char text[1024];
		snprintf(text, sizeof text, HEAD ",\"cluster\":%s}", rows[i].cluster);
		CU_ASSERT_EQUAL(read_text(&state, text),
			rows[i].is_cut_off ? SL_NATS_INFO_CUT_OFF : SL_NATS_INFO_STATE);
		CU_ASSERT_EQUAL(state.has_leader, rows[i].has_leader);
	}
}

static void
test_nats_stream_info_knows_a_missing_log_from_a_server_that_cannot_say(void)
{
	struct sl_nats_stream_state state;
	CU_ASSERT_EQUAL(read_text(&state, "{\"error\":{\"code\":404,\"err_code\":10059}}"), SL_NATS_INFO_MISSING);
	static const char *const others[] = { "", "{", "[]", "7", "{}", "{\"error\":{\"code\":503,\"err_code\":10008}}",
		"{\"error\":7}", "{\"error\":null}", "{\"state\":{}}", "{\"state\":{},\"created\":\"yesterday\"}",
		"{\"created\":\"2026-01-02T03:04:05Z\"}" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_EQUAL(read_text(&state, others[i]), SL_NATS_INFO_AGAIN);
	CU_ASSERT_EQUAL(sl_nats_stream_info_read(&state, (struct sl_span){ NULL, 0 }), SL_NATS_INFO_AGAIN);
}

static void
test_nats_stream_info_finds_the_generation(void)
{
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation("sluice generation=12"), 12);
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation("ours; sluice generation=12 (do not edit)"), 12);
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation("sluice generation="), 0);
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation("generation=99999999999999999999"), 0);
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation(""), 0);
	CU_ASSERT_EQUAL(sl_nats_stream_info_generation(NULL), 0);
}

static void
test_nats_stream_info_reads_times_to_the_nanosecond(void)
{
	static const struct row {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "1970-01-01T00:00:01Z", 1000000000 }, { "1970-01-01T00:00:00.1Z", 100000000 },
		{ "1970-01-01T00:00:00.123456789Z", 123456789 }, { "1970-01-01T01:00:01+01:00", 1000000000 },
		{ "1969-12-31T23:30:01.5-00:30", 1500000000 }, { "", 0 }, { "1970-01-01T00:00:01", 0 },
		{ "1970-01-01T00:00:01+x", 0 }, { "1970-01-01 00:00:01Z", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CU_ASSERT_EQUAL(sl_nats_stream_info_time(rows[i].text), rows[i].ns);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_stream_info_tells_the_state_of_a_log),
		UNIT_TEST(test_nats_stream_info_a_leader_is_one_that_most_follow),
		UNIT_TEST(test_nats_stream_info_knows_a_missing_log_from_a_server_that_cannot_say),
		UNIT_TEST(test_nats_stream_info_finds_the_generation),
		UNIT_TEST(test_nats_stream_info_reads_times_to_the_nanosecond),
		{ NULL, NULL },
	};
	return unit_main("nats_stream_info", tests);
}
