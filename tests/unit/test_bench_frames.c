#include "bench/load/frames.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A text that looks like a ping, a ping "ab", a text of 126 bytes, an empty ping. */
static size_t
make_frames(char *out)
{
	char *at = out;
	at = mempcpy(at, "\x81\x04\x89\x02zz", 6);
	at = mempcpy(at, "\x89\x02" "ab", 4);
	at = mempcpy(at, "\x81\x7e\x00\x7e", 4);
	at = memset(at, '\x89', 126);
	at += 126;
	at = mempcpy(at, "\x89\x00", 2);
	return (size_t)(at - out);
}

static void
test_frames_find_each_ping_wherever_reads_end(void)
{
	char bytes[256], pong[BENCH_PONG_MAX];
	size_t len = make_frames(bytes);
	for (size_t step = 1; step <= len; step++) {
		struct bench_frames frames = { 0 };
		unsigned pings = 0;
		for (size_t from = 0; from < len; from += step) {
			const char *at = bytes + from, *end = bytes + (from + step < len ? from + step : len);
			while (bench_frames_next_ping(&frames, &at, end)) {
				size_t pong_len = bench_frames_write_pong(&frames, pong);
				CU_ASSERT_EQUAL(pong_len, pings == 0 ? 8 : 6);
				CU_ASSERT_EQUAL(memcmp(pong, pings == 0 ? "\x8a\x82\0\0\0\0ab" : "\x8a\x80\0\0\0\0",
					pong_len), 0);
				pings++;
			}
			CU_ASSERT_PTR_EQUAL(at, end);
		}
		CU_ASSERT_EQUAL(pings, 2);
		CU_ASSERT_FALSE(frames.closed);
	}
}

static void
test_frames_notice_a_close(void)
{
	static const char bytes[] = "\x88\x02\x03\xe8";
	struct bench_frames frames = { 0 };
	const char *at = bytes;
	CU_ASSERT_FALSE(bench_frames_next_ping(&frames, &at, bytes + sizeof bytes - 1));
	CU_ASSERT(frames.closed);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_frames_find_each_ping_wherever_reads_end),
		UNIT_TEST(test_frames_notice_a_close),
		{ NULL, NULL },
	};
	return unit_main("bench frames", tests);
}
