#include "bench/marker.h"

#include <string.h>

#include "tests/unit/unit.h"

#define MESSAGES 12
#define PAYLOAD_BYTES 64

/* MESSAGES payloads, each behind a WebSocket head whose length byte looks like a marker's
 * start ('^' is 94), and in a JSON object; returns the length. */
static size_t
make_stream(char *out)
{
	char *at = out;
	for (uint32_t seq = 0; seq < MESSAGES; seq++) {
		at = mempcpy(at, "\x81^{\"data\":\"", 11);
		bench_payload_fill(seq, at, PAYLOAD_BYTES);
		at = mempcpy(at + PAYLOAD_BYTES, "\"}", 2);
	}
	return (size_t)(at - out);
}

static void
test_counter_counts_each_message_once(void)
{
	char stream[MESSAGES * 100];
	size_t len = make_stream(stream);
	struct bench_counter counter = { 0 };
	CU_ASSERT_EQUAL(bench_counter_feed(&counter, stream, len), MESSAGES);
	CU_ASSERT_EQUAL(counter.seen, MESSAGES);
	CU_ASSERT_EQUAL(counter.skipped, 0);
	CU_ASSERT_EQUAL(counter.doubled, 0);
}

static void
test_counter_counts_the_same_wherever_reads_end(void)
{
	char stream[MESSAGES * 100];
	size_t len = make_stream(stream);
	for (size_t step = 1; step < 200; step++) {
		struct bench_counter counter = { 0 };
		unsigned fresh = 0;
		for (size_t at = 0; at < len; at += step)
			fresh += bench_counter_feed(&counter, stream + at, at + step < len ? step : len - at);
		CU_ASSERT_EQUAL(fresh, MESSAGES);
		CU_ASSERT_EQUAL(counter.next, MESSAGES);
	}
}

static void
test_counter_tells_skipped_doubled_and_reordered(void)
{
	static const uint32_t order[] = { 0, 1, 1, 4, 3, 5 };
	struct bench_counter counter = { 0 };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		char payload[PAYLOAD_BYTES];
		bench_payload_fill(order[i], payload, PAYLOAD_BYTES);
		bench_counter_feed(&counter, payload, sizeof payload);
	}
	CU_ASSERT_EQUAL(counter.seen, 5);
	CU_ASSERT_EQUAL(counter.skipped, 1);
	CU_ASSERT_EQUAL(counter.doubled, 1);
	CU_ASSERT_EQUAL(counter.reordered, 1);
}

static void
test_counter_ignores_what_is_no_marker(void)
{
	static const char bytes[] = "^ ^1234567$ ^123456789$ ^1234567x$ $12345678^";
	struct bench_counter counter = { 0 };
	CU_ASSERT_EQUAL(bench_counter_feed(&counter, bytes, sizeof bytes - 1), 0);
}

static void
test_counter_takes_a_marker_that_follows_a_broken_one(void)
{
	static const char bytes[] = "^^12^00000000$";
	struct bench_counter counter = { 0 };
	CU_ASSERT_EQUAL(bench_counter_feed(&counter, bytes, sizeof bytes - 1), 1);
}

static unsigned
count_in_steps(const char *text, const char *bytes, size_t step)
{
	struct bench_token token;
	uint8_t matched = 0;
	unsigned found = 0;
	size_t len = strlen(bytes);
	bench_token_init(&token, text);
	for (size_t at = 0; at < len; at += step)
		found += bench_token_count(&token, &matched, bytes + at, at + step < len ? step : len - at);
	return found;
}

static void
test_token_is_found_wherever_reads_end(void)
{
	static const char bytes[] = "HTTP/1.1 200 OK\r\nX: HTTP/1.1\r\n\r\r\n\r\nHTTP/1.1 201 Created\r\n\r\n";
	for (size_t step = 1; step < sizeof bytes; step++) {
		CU_ASSERT_EQUAL(count_in_steps("HTTP/1.1 2", bytes, step), 2);
		CU_ASSERT_EQUAL(count_in_steps("\r\n\r\n", bytes, step), 2);
	}
}

static void
test_token_is_found_behind_its_own_beginning(void)
{
	CU_ASSERT_EQUAL(count_in_steps("\"type\":\"open\"", "\"type\":\"type\":\"open\"", 1), 1);
	CU_ASSERT_EQUAL(count_in_steps("aab", "aaaab", 5), 1);
	CU_ASSERT_EQUAL(count_in_steps("aa", "aaaa", 4), 3);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_counter_counts_each_message_once),
		UNIT_TEST(test_counter_counts_the_same_wherever_reads_end),
		UNIT_TEST(test_counter_tells_skipped_doubled_and_reordered),
		UNIT_TEST(test_counter_ignores_what_is_no_marker),
		UNIT_TEST(test_counter_takes_a_marker_that_follows_a_broken_one),
		UNIT_TEST(test_token_is_found_wherever_reads_end),
		UNIT_TEST(test_token_is_found_behind_its_own_beginning),
		{ NULL, NULL },
	};
	return unit_main("bench marker", tests);
}
