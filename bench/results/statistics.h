/* Medians and percentiles of small sets of figures.
 * Owner: the caller's arrays. Thread: any. Errors: none. */
#ifndef SL_BENCH_STATISTICS_H
#define SL_BENCH_STATISTICS_H

#include <stddef.h>

struct bench_spread {
	double median, min, max;
	size_t count; /* 0: the other fields are 0 and mean nothing */
};

/* The median of an even count is the mean of the middle two. Sorts `values` in place. */
struct bench_spread bench_spread_of(double *values, size_t count);

/* The smallest value that at least `percent` of the values do not exceed (nearest rank);
 * 0 for no values. Sorts `values` in place. */
double bench_percentile(double *values, size_t count, double percent);

#endif
