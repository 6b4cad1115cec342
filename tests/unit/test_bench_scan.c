#include "bench/load/scan.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char delivery[] =
	"id: 9f3a1c07-7\nevent: open\ndata: {\"type\":\"open\",\"cursor\":\"9f3a1c07-7\"}\n\n"
	"id: 9f3a1c07-8\ndata: {\"id\":\"9f3a1c07-8\",\"channel\":\"a\",\"data\":\"^01000002$xx\"}\n\n"
	"id: 9f3a1c07-11\ndata: {\"\"id\":\"9f3a1c07-11\",\"channel\":\"a\",\"data\":\"^01000003$xx\"}\n\n"
	"data: {\"type\":\"heartbeat\",\"\"cursor\":\"9f3a1c07-12\"}\n\n";

static void
test_scan_finds_cursors_and_messages_wherever_reads_end(void)
{
	static const struct {
		enum bench_found found;
		const char *cursor;
		uint32_t seq;
	} wanted[] = {
		{ BENCH_FOUND_CURSOR, "9f3a1c07-7", 0 },
		{ BENCH_FOUND_MESSAGE, "9f3a1c07-8", 1000002 },
		{ BENCH_FOUND_MESSAGE, "9f3a1c07-11", 1000003 },
		{ BENCH_FOUND_CURSOR, "9f3a1c07-12", 0 },
	};
	size_t len = sizeof delivery - 1;
	for (size_t step = 1; step <= len; step++) {
		struct bench_scan scan = { 0 };
		size_t count = 0;
		for (size_t from = 0; from < len; from += step) {
			const char *at = delivery + from;
			const char *end = delivery + (from + step < len ? from + step : len);
			enum bench_found found;
			while ((found = bench_scan_next(&scan, &at, end)) != BENCH_FOUND_NOTHING) {
				CU_ASSERT_FATAL(count < sizeof wanted / sizeof *wanted);
				CU_ASSERT_EQUAL(found, wanted[count].found);
				CU_ASSERT_STRING_EQUAL(scan.cursor, wanted[count].cursor);
				if (found == BENCH_FOUND_MESSAGE)
					CU_ASSERT_EQUAL(scan.seq, wanted[count].seq);
				count++;
			}
		}
		CU_ASSERT_EQUAL(count, 4);
	}
}

static void
test_scan_finds_no_message_that_is_cut(void)
{
	const char *cut = strstr(delivery, "$xx"), *at = delivery;
	struct bench_scan scan = { 0 };
	CU_ASSERT_EQUAL(bench_scan_next(&scan, &at, cut), BENCH_FOUND_CURSOR);
	CU_ASSERT_EQUAL(bench_scan_next(&scan, &at, cut), BENCH_FOUND_NOTHING);
}

static void
test_scan_reads_the_number_of_a_cursor(void)
{
	CU_ASSERT_EQUAL(bench_cursor_number("9f3a1c07-4182"), 4182);
	CU_ASSERT_EQUAL(bench_cursor_number("0"), 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_scan_finds_cursors_and_messages_wherever_reads_end),
		UNIT_TEST(test_scan_finds_no_message_that_is_cut),
		UNIT_TEST(test_scan_reads_the_number_of_a_cursor),
		{ NULL, NULL },
	};
	return unit_main("bench scan", tests);
}
