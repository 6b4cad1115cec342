#include "bench/results/histogram.h"

#define LINEAR (2 * BENCH_HISTOGRAM_STEPS) /* times below it have a bucket each */

static unsigned
bucket_of(uint64_t ns)
{
	if (ns < LINEAR)
		return (unsigned)ns;
	unsigned shift = (unsigned)(63 - __builtin_clzll(ns)) - 7;
	return shift * BENCH_HISTOGRAM_STEPS + (unsigned)(ns >> shift);
}

static uint64_t
upper_ns_of(unsigned bucket)
{
	if (bucket < LINEAR)
		return bucket;
	unsigned shift = bucket / BENCH_HISTOGRAM_STEPS - 1;
	uint64_t place = bucket % BENCH_HISTOGRAM_STEPS + BENCH_HISTOGRAM_STEPS;
	return ((place + 1) << shift) - 1;
}

void
bench_histogram_record(struct bench_histogram *histogram, uint64_t ns)
{
	uint64_t counted = ns < BENCH_HISTOGRAM_MAX_NS ? ns : BENCH_HISTOGRAM_MAX_NS;
	histogram->counts[bucket_of(counted)]++;
	histogram->count++;
	histogram->sum_ns += (double)ns;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

void
bench_histogram_merge(struct bench_histogram *histogram, const struct bench_histogram *from)
{
	for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
		histogram->counts[i] += from->counts[i];
	histogram->count += from->count;
	histogram->sum_ns += from->sum_ns;
	if (from->max_ns > histogram->max_ns)
		histogram->max_ns = from->max_ns;
}

/* How many samples lie at or below the percentile, 1..count. */
static uint64_t
rank_of(const struct bench_histogram *histogram, double percent)
{
	double exact = percent / 100 * (double)histogram->count;
	/* Rounded up, but 99.9 % of 1,000 is 999 and not the next number above it. */
	uint64_t rank = (uint64_t)(exact * (1 - 1e-12) + 1 - 1e-9);
	return rank < 1 ? 1 : rank > histogram->count ? histogram->count : rank;
}

uint64_t
bench_histogram_percentile(const struct bench_histogram *histogram, double percent)
{
	if (histogram->count == 0)
		return 0;
	uint64_t rank = rank_of(histogram, percent), seen = 0;
	unsigned bucket = 0;
	while ((seen += histogram->counts[bucket]) < rank)
		bucket++;
	uint64_t upper = upper_ns_of(bucket);
	return upper < histogram->max_ns && bucket != bucket_of(BENCH_HISTOGRAM_MAX_NS)
		? upper : histogram->max_ns;
}

bool
bench_histogram_shows(const struct bench_histogram *histogram, double percent)
{
	return histogram->count > 0
		&& histogram->count - rank_of(histogram, percent) >= BENCH_SAMPLES_BEYOND;
}

void
bench_histogram_set_percentile(const struct bench_histogram *histogram, double percent,
	json_t *figures, const char *name)
{
	if (bench_histogram_shows(histogram, percent))
		json_object_set_new(figures, name,
			json_real((double)bench_histogram_percentile(histogram, percent) / 1e3));
}

void
bench_histogram_set_figures(const struct bench_histogram *histogram, json_t *figures)
{
	json_object_set_new(figures, "samples", json_integer((json_int_t)histogram->count));
	if (histogram->count == 0)
		return;
	bench_histogram_set_percentile(histogram, 50, figures, "p50_us");
	bench_histogram_set_percentile(histogram, 90, figures, "p90_us");
	bench_histogram_set_percentile(histogram, 99, figures, "p99_us");
	bench_histogram_set_percentile(histogram, 99.9, figures, "p999_us");
	json_object_set_new(figures, "max_us", json_real((double)histogram->max_ns / 1e3));
	json_object_set_new(figures, "mean_us",
		json_real(histogram->sum_ns / (double)histogram->count / 1e3));
}

json_t *
bench_histogram_json(const struct bench_histogram *histogram)
{
	json_t *list = json_array();
	for (unsigned i = 0; list && i < BENCH_HISTOGRAM_BUCKETS; i++)
		if (histogram->counts[i]
			&& json_array_append_new(list, json_pack("[f,I]", (double)upper_ns_of(i) / 1e3,
				(json_int_t)histogram->counts[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
