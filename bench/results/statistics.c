#include "bench/results/statistics.h"

#include <stdlib.h>

static int
compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

struct bench_spread
bench_spread_of(double *values, size_t count)
{
	if (count == 0)
		return (struct bench_spread){ .count = 0 };
	qsort(values, count, sizeof *values, compare_doubles);
	double median = count % 2 ? values[count / 2]
		: (values[count / 2 - 1] + values[count / 2]) / 2;
	return (struct bench_spread){
		.median = median, .min = values[0], .max = values[count - 1], .count = count,
	};
}

double
bench_percentile(double *values, size_t count, double percent)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof *values, compare_doubles);
	/* Counted down rather than rounded up, so that no libm is needed. */
	size_t rank = count;
	while (rank > 1 && 100.0 * (double)(rank - 1) >= percent * (double)count)
		rank--;
	return values[rank - 1];
}
