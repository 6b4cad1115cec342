/* Counts of times, so fine that a percentile read from them is at most 1/128 too high.
 * Owner: the struct is the caller's; zeroed it is empty. Thread: one at a time; threads
 * keep one each and merge. Errors: none.
 *
 * Log-linear, after HdrHistogram: times below 256 ns have a bucket each, above that every
 * power of two is cut into 128 equal buckets. Times above BENCH_HISTOGRAM_MAX_NS count as
 * that, `max_ns` is exact nevertheless. */
#ifndef SL_BENCH_HISTOGRAM_H
#define SL_BENCH_HISTOGRAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define BENCH_HISTOGRAM_STEPS 128                  /* buckets a power of two */
#define BENCH_HISTOGRAM_MAX_NS (((uint64_t)1 << 40) - 1) /* 18 minutes */
#define BENCH_HISTOGRAM_BUCKETS (34 * BENCH_HISTOGRAM_STEPS)
#define BENCH_SAMPLES_BEYOND 10 /* a percentile with fewer is chance and is not shown */

struct bench_histogram {
	uint64_t counts[BENCH_HISTOGRAM_BUCKETS];
	uint64_t count, max_ns;
	double sum_ns;
};

void bench_histogram_record(struct bench_histogram *histogram, uint64_t ns);

/* Adds what `from` holds. */
void bench_histogram_merge(struct bench_histogram *histogram, const struct bench_histogram *from);

/* The smallest time that at least `percent` of the samples do not exceed (nearest rank), as
 * the upper end of its bucket, never above the largest sample; 0 for no samples. */
uint64_t bench_histogram_percentile(const struct bench_histogram *histogram, double percent);

/* Whether BENCH_SAMPLES_BEYOND samples lie beyond the rank of `percent`. */
bool bench_histogram_shows(const struct bench_histogram *histogram, double percent);

/* Sets figures[name] to the percentile in µs, when it may be shown. */
void bench_histogram_set_percentile(const struct bench_histogram *histogram, double percent,
	json_t *figures, const char *name);

/* Sets samples, p50_us, p90_us, p99_us, p999_us, max_us and mean_us in the object `figures`;
 * what may not be shown is left out. */
void bench_histogram_set_figures(const struct bench_histogram *histogram, json_t *figures);

/* Returns new: [[upper end in µs, count], ...] of the buckets that are not empty; NULL when
 * memory ran out. */
json_t *bench_histogram_json(const struct bench_histogram *histogram);

#endif
