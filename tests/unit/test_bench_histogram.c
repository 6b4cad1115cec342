#include "bench/results/histogram.h"

#include <string.h>

#include "bench/results/statistics.h"
#include "tests/unit/unit.h"

#define SAMPLES 20000

static const double percents[] = { 0.01, 1, 10, 25, 50, 75, 90, 99, 99.5, 99.9, 99.99, 100 };

static uint64_t
draw(uint64_t *state)
{
	uint64_t x = *state; /* xorshift64, Marsaglia 2003 */
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* What the histogram says of these times against their exact percentiles. */
static void
compare(const uint64_t *times, size_t count)
{
	static struct bench_histogram histogram;
	static double exact[SAMPLES];
	memset(&histogram, 0, sizeof histogram);
	for (size_t i = 0; i < count; i++) {
		bench_histogram_record(&histogram, times[i]);
		exact[i] = (double)times[i];
	}
	for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
		double right = bench_percentile(exact, count, percents[i]);
		double got = (double)bench_histogram_percentile(&histogram, percents[i]);
		CU_ASSERT(got >= right);
		CU_ASSERT(got <= right * (1 + 1.0 / BENCH_HISTOGRAM_STEPS));
	}
	CU_ASSERT_EQUAL(histogram.count, count);
}

static void
test_percentiles_of_random_times_are_within_the_error(void)
{
	static uint64_t times[SAMPLES];
	uint64_t state = 88172645463325252u;
	for (unsigned bits = 4; bits <= 39; bits += 5) {
		for (size_t i = 0; i < SAMPLES; i++)
			times[i] = draw(&state) & (((uint64_t)1 << bits) - 1);
		compare(times, SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++) /* as many in each power of two */
			times[i] = (draw(&state) | ((uint64_t)1 << 63)) >> (63 - draw(&state) % bits);
		compare(times, SAMPLES);
	}
}

static void
test_percentiles_at_the_edges_of_buckets_are_within_the_error(void)
{
	static uint64_t times[SAMPLES];
	size_t count = 0;
	for (unsigned shift = 0; shift < 40; shift++)
		for (uint64_t place = 128; place < 256; place++) {
			uint64_t edge = place << shift;
			if (edge > 0 && edge < BENCH_HISTOGRAM_MAX_NS && count + 3 < SAMPLES) {
				times[count++] = edge - 1;
				times[count++] = edge;
				times[count++] = edge + 1;
			}
		}
	compare(times, count);
}

static void
test_percentiles_of_a_rare_far_tail_are_within_the_error(void)
{
	static uint64_t times[SAMPLES];
	for (size_t i = 0; i < SAMPLES; i++)
		times[i] = i % 1000 == 999 ? 200000000 + i : 20000 + i % 7;
	compare(times, SAMPLES);
}

static void
test_one_value_many_times_is_itself(void)
{
	static uint64_t times[SAMPLES];
	for (size_t i = 0; i < SAMPLES; i++)
		times[i] = 123456789;
	compare(times, SAMPLES);
	compare(times, 1);
}

static void
test_time_beyond_the_range_is_counted_and_max_is_exact(void)
{
	static struct bench_histogram histogram;
	bench_histogram_record(&histogram, 1000);
	bench_histogram_record(&histogram, BENCH_HISTOGRAM_MAX_NS * 5);
	CU_ASSERT_EQUAL(histogram.max_ns, BENCH_HISTOGRAM_MAX_NS * 5);
	CU_ASSERT_EQUAL(bench_histogram_percentile(&histogram, 100), BENCH_HISTOGRAM_MAX_NS * 5);
	CU_ASSERT(bench_histogram_percentile(&histogram, 50) <= 1008);
}

static void
test_merged_histograms_equal_one_of_all_samples(void)
{
	static struct bench_histogram one, left, right;
	uint64_t state = 7;
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t ns = draw(&state) >> 30;
		bench_histogram_record(&one, ns);
		bench_histogram_record(i % 3 ? &left : &right, ns);
	}
	bench_histogram_merge(&left, &right);
	CU_ASSERT_EQUAL(memcmp(one.counts, left.counts, sizeof one.counts), 0);
	CU_ASSERT_EQUAL(one.count, left.count);
	CU_ASSERT_EQUAL(one.max_ns, left.max_ns);
}

static void
test_percentile_is_shown_with_ten_samples_beyond_it_and_not_with_nine(void)
{
	static struct bench_histogram histogram;
	for (unsigned i = 0; i < 999; i++)
		bench_histogram_record(&histogram, i);
	CU_ASSERT_FALSE(bench_histogram_shows(&histogram, 99));
	bench_histogram_record(&histogram, 999);
	CU_ASSERT_TRUE(bench_histogram_shows(&histogram, 99));
	CU_ASSERT_FALSE(bench_histogram_shows(&histogram, 99.9));
}

static void
test_empty_histogram_shows_nothing(void)
{
	static struct bench_histogram histogram;
	json_t *figures = json_object(), *buckets = bench_histogram_json(&histogram);
	bench_histogram_set_figures(&histogram, figures);
	CU_ASSERT_EQUAL(bench_histogram_percentile(&histogram, 50), 0);
	CU_ASSERT_FALSE(bench_histogram_shows(&histogram, 50));
	CU_ASSERT_EQUAL(json_object_size(figures), 1);
	CU_ASSERT_EQUAL(json_array_size(buckets), 0);
	json_decref(figures);
	json_decref(buckets);
}

static void
test_figures_leave_out_percentiles_with_too_few_samples(void)
{
	static struct bench_histogram histogram;
	json_t *figures = json_object();
	for (unsigned i = 1; i <= 200; i++)
		bench_histogram_record(&histogram, i * 1000);
	bench_histogram_set_figures(&histogram, figures);
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(figures, "p50_us")), 100, 0.8);
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(figures, "max_us")), 200, 0);
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(figures, "mean_us")), 100.5, 1e-9);
	CU_ASSERT_PTR_NOT_NULL(json_object_get(figures, "p90_us"));
	CU_ASSERT_PTR_NULL(json_object_get(figures, "p99_us"));
	json_decref(figures);
}

static void
test_json_holds_every_sample(void)
{
	static struct bench_histogram histogram;
	json_t *entry;
	size_t i;
	json_int_t sum = 0;
	double last = -1;
	for (unsigned n = 0; n < 3000; n++)
		bench_histogram_record(&histogram, (uint64_t)n * n);
	json_t *buckets = bench_histogram_json(&histogram);
	json_array_foreach(buckets, i, entry) {
		CU_ASSERT(json_number_value(json_array_get(entry, 0)) > last);
		last = json_number_value(json_array_get(entry, 0));
		sum += json_integer_value(json_array_get(entry, 1));
	}
	CU_ASSERT_EQUAL(sum, 3000);
	json_decref(buckets);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_percentiles_of_random_times_are_within_the_error),
		UNIT_TEST(test_percentiles_at_the_edges_of_buckets_are_within_the_error),
		UNIT_TEST(test_percentiles_of_a_rare_far_tail_are_within_the_error),
		UNIT_TEST(test_one_value_many_times_is_itself),
		UNIT_TEST(test_time_beyond_the_range_is_counted_and_max_is_exact),
		UNIT_TEST(test_merged_histograms_equal_one_of_all_samples),
		UNIT_TEST(test_percentile_is_shown_with_ten_samples_beyond_it_and_not_with_nine),
		UNIT_TEST(test_empty_histogram_shows_nothing),
		UNIT_TEST(test_figures_leave_out_percentiles_with_too_few_samples),
		UNIT_TEST(test_json_holds_every_sample),
		{ NULL, NULL },
	};
	return unit_main("bench histogram", tests);
}
