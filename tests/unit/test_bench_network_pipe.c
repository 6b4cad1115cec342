/* One direction of a link, on a clock of its own. */
#include "bench/network/pipe.h"

#include <string.h>

#include "tests/unit/unit.h"

#define MS 1000000u

static struct bench_pipe pipe_of_test;

static struct bench_pipe *
open_pipe(struct bench_network_kind kind, enum bench_direction direction)
{
	CU_ASSERT_EQUAL_FATAL(bench_pipe_init(&pipe_of_test, &kind, direction), 0);
	return &pipe_of_test;
}

static enum bench_pipe_fate
push(struct bench_pipe *pipe, uint64_t now_ns, size_t len)
{
	static const unsigned char bytes[BENCH_MTU];
	return bench_pipe_push(pipe, now_ns, bytes, len);
}

static void
test_packet_is_due_after_half_the_round_trip(void)
{
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .rtt_ms = 40 }, BENCH_DOWN);
	CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), UINT64_MAX);
	CU_ASSERT_PTR_NULL(bench_pipe_due(pipe, UINT64_MAX));
	CU_ASSERT_EQUAL(bench_pipe_push(pipe, 5 * MS, "hello", 5), BENCH_PIPE_TAKEN);
	CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), 25 * MS);
	CU_ASSERT_PTR_NULL(bench_pipe_due(pipe, 25 * MS - 1));
	const struct bench_packet *packet = bench_pipe_due(pipe, 25 * MS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(packet);
	CU_ASSERT_TRUE(packet->len == 5 && memcmp(packet->bytes, "hello", 5) == 0);
	bench_pipe_pop(pipe);
	CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), UINT64_MAX);
	bench_pipe_finish(pipe);
}

static void
test_packets_leave_in_the_order_they_came(void)
{
	struct bench_pipe *pipe = open_pipe(
		(struct bench_network_kind){ .rtt_ms = 10, .jitter_ms = 20, .seed = 3 }, BENCH_UP);
	uint64_t now_ns = 0, last_ns = 0;
	unsigned sent = 0, came = 0;
	while (came < 100000) {
		for (unsigned i = 0; i < 3 && sent < 100000; i++, sent++)
			CU_ASSERT_EQUAL_FATAL(bench_pipe_push(pipe, now_ns, &sent, sizeof sent), BENCH_PIPE_TAKEN);
		for (const struct bench_packet *at; (at = bench_pipe_due(pipe, now_ns)); came++) {
			unsigned number;
			memcpy(&number, at->bytes, sizeof number);
			CU_ASSERT_EQUAL_FATAL(number, came);
			CU_ASSERT_TRUE(at->due_ns >= last_ns);
			last_ns = at->due_ns;
			bench_pipe_pop(pipe);
		}
		now_ns += MS / 10;
	}
	bench_pipe_finish(pipe);
}

static void
test_jitter_fills_half_its_range_each_way(void)
{
	struct bench_pipe *pipe = open_pipe(
		(struct bench_network_kind){ .rtt_ms = 10, .jitter_ms = 8, .seed = 1 }, BENCH_DOWN);
	uint64_t least_ns = UINT64_MAX, most_ns = 0, sum_ns = 0;
	for (uint64_t i = 1; i <= 20000; i++) {
		push(pipe, i * 100 * MS, 100);
		uint64_t delay_ns = bench_pipe_due_ns(pipe) - i * 100 * MS;
		least_ns = delay_ns < least_ns ? delay_ns : least_ns;
		most_ns = delay_ns > most_ns ? delay_ns : most_ns;
		sum_ns += delay_ns;
		bench_pipe_pop(pipe);
	}
	CU_ASSERT(least_ns >= 5 * MS && least_ns < 5 * MS + MS / 100);
	CU_ASSERT(most_ns <= 9 * MS && most_ns > 9 * MS - MS / 100);
	CU_ASSERT(sum_ns / 20000 > 7 * MS - MS / 20 && sum_ns / 20000 < 7 * MS + MS / 20);
	bench_pipe_finish(pipe);
}

static unsigned
count_lost(struct bench_pipe *pipe, unsigned packets, unsigned char *fates)
{
	unsigned lost = 0;
	for (unsigned i = 0; i < packets; i++) {
		fates[i] = push(pipe, i * (uint64_t)MS, 100) == BENCH_PIPE_LOST;
		lost += fates[i];
		while (bench_pipe_due(pipe, UINT64_MAX))
			bench_pipe_pop(pipe);
	}
	return lost;
}

static void
test_share_lost_is_the_one_asked_for_and_each_packets_own(void)
{
	static unsigned char fates[200000];
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .loss = 0.05, .seed = 1 },
		BENCH_DOWN);
	unsigned lost = count_lost(pipe, 200000, fates), pairs = 0;
	/* Six standard deviations of a binomial distribution: 97 for the packets, 22 for the pairs. */
	CU_ASSERT(lost > 10000 - 585 && lost < 10000 + 585);
	for (unsigned i = 1; i < 200000; i++)
		pairs += fates[i] && fates[i - 1];
	CU_ASSERT(pairs > 500 - 150 && pairs < 500 + 150);
	bench_pipe_finish(pipe);
}

static void
test_no_loss_and_all_loss_are_exact(void)
{
	static unsigned char fates[20000];
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .seed = 1 }, BENCH_DOWN);
	CU_ASSERT_EQUAL(count_lost(pipe, 20000, fates), 0);
	bench_pipe_finish(pipe);
	pipe = open_pipe((struct bench_network_kind){ .loss = 1, .seed = 1 }, BENCH_DOWN);
	CU_ASSERT_EQUAL(count_lost(pipe, 20000, fates), 20000);
	bench_pipe_finish(pipe);
}

static void
test_fates_repeat_by_seed_and_differ_by_direction_and_seed(void)
{
	static unsigned char fates[4][10000];
	struct bench_network_kind kind = { .loss = 0.1, .seed = 7 };
	for (unsigned i = 0; i < 4; i++) {
		kind.seed = i == 3 ? 8 : 7;
		struct bench_pipe *pipe = open_pipe(kind, i == 2 ? BENCH_UP : BENCH_DOWN);
		count_lost(pipe, sizeof fates[i], fates[i]);
		bench_pipe_finish(pipe);
	}
	CU_ASSERT_EQUAL(memcmp(fates[0], fates[1], sizeof fates[0]), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(fates[0], fates[2], sizeof fates[0]), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(fates[0], fates[3], sizeof fates[0]), 0);
}

static void
test_rate_spaces_packets_by_their_bytes(void)
{
	struct bench_network_kind kind = { .rtt_ms = 20, .down_mbit = 8, .up_mbit = 1,
		.queue_bytes = 100000 };
	struct bench_pipe *pipe = open_pipe(kind, BENCH_DOWN); /* 1 byte a µs */
	for (unsigned i = 1; i <= 10; i++)
		CU_ASSERT_EQUAL(push(pipe, 0, 1000), BENCH_PIPE_TAKEN);
	for (unsigned i = 1; i <= 10; i++) {
		CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), 10 * MS + i * MS);
		bench_pipe_pop(pipe);
	}
	push(pipe, 50 * MS, 500); /* the rate has rested, and does not make up for it */
	CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), 60 * MS + MS / 2);
	bench_pipe_finish(pipe);
	pipe = open_pipe(kind, BENCH_UP);
	push(pipe, 0, 1000);
	CU_ASSERT_EQUAL(bench_pipe_due_ns(pipe), 18 * MS);
	bench_pipe_finish(pipe);
}

static void
test_full_queue_drops_the_newest_and_takes_again_when_bytes_have_left(void)
{
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .rtt_ms = 600, .down_mbit = 8,
		.queue_bytes = 3000 }, BENCH_DOWN);
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(push(pipe, 0, 1000), BENCH_PIPE_TAKEN);
	CU_ASSERT_EQUAL(push(pipe, 0, 1000), BENCH_PIPE_DROPPED);
	CU_ASSERT_EQUAL(push(pipe, 999999, 1000), BENCH_PIPE_DROPPED);
	/* Its bytes are in the delay now, where there is room for all. */
	CU_ASSERT_EQUAL(push(pipe, MS, 1000), BENCH_PIPE_TAKEN);
	CU_ASSERT_EQUAL(push(pipe, MS, 1), BENCH_PIPE_DROPPED);
	CU_ASSERT_EQUAL(pipe->count, 4);
	bench_pipe_finish(pipe);
}

static void
test_packet_larger_than_the_queue_passes_when_nothing_waits(void)
{
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .down_mbit = 8,
		.queue_bytes = 100 }, BENCH_DOWN);
	CU_ASSERT_EQUAL(push(pipe, 0, 1500), BENCH_PIPE_TAKEN);
	CU_ASSERT_EQUAL(push(pipe, 0, 60), BENCH_PIPE_DROPPED);
	bench_pipe_finish(pipe);
}

static void
test_without_a_rate_what_is_on_its_way_is_bounded_by_packets(void)
{
	struct bench_pipe *pipe = open_pipe((struct bench_network_kind){ .rtt_ms = 600 }, BENCH_DOWN);
	for (unsigned i = 0; i < BENCH_PIPE_PACKETS; i++)
		CU_ASSERT_EQUAL_FATAL(push(pipe, 0, 40), BENCH_PIPE_TAKEN);
	CU_ASSERT_EQUAL(push(pipe, 0, 40), BENCH_PIPE_DROPPED);
	bench_pipe_pop(pipe);
	CU_ASSERT_EQUAL(push(pipe, 0, 40), BENCH_PIPE_TAKEN);
	bench_pipe_finish(pipe);
}

static void
test_cut_link_loses_all_and_the_fates_behind_the_cut_are_the_same(void)
{
	static unsigned char whole[3000], cut[3000];
	struct bench_network_kind kind = { .loss = 0.2, .seed = 9 };
	struct bench_pipe *pipe = open_pipe(kind, BENCH_DOWN);
	count_lost(pipe, 3000, whole);
	bench_pipe_finish(pipe);
	pipe = open_pipe(kind, BENCH_DOWN);
	pipe->is_cut = true;
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL_FATAL(push(pipe, 0, 100), BENCH_PIPE_CUT);
	CU_ASSERT_EQUAL(pipe->count, 0);
	pipe->is_cut = false;
	count_lost(pipe, 2000, cut);
	CU_ASSERT_EQUAL(memcmp(whole + 1000, cut, 2000), 0);
	bench_pipe_finish(pipe);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_packet_is_due_after_half_the_round_trip),
		UNIT_TEST(test_packets_leave_in_the_order_they_came),
		UNIT_TEST(test_jitter_fills_half_its_range_each_way),
		UNIT_TEST(test_share_lost_is_the_one_asked_for_and_each_packets_own),
		UNIT_TEST(test_no_loss_and_all_loss_are_exact),
		UNIT_TEST(test_fates_repeat_by_seed_and_differ_by_direction_and_seed),
		UNIT_TEST(test_rate_spaces_packets_by_their_bytes),
		UNIT_TEST(test_full_queue_drops_the_newest_and_takes_again_when_bytes_have_left),
		UNIT_TEST(test_packet_larger_than_the_queue_passes_when_nothing_waits),
		UNIT_TEST(test_without_a_rate_what_is_on_its_way_is_bounded_by_packets),
		UNIT_TEST(test_cut_link_loses_all_and_the_fates_behind_the_cut_are_the_same),
		{ NULL, NULL },
	};
	return unit_main("bench network pipe", tests);
}
