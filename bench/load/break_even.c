#include "bench/load/break_even.h"

bool
bench_break_even(const double *rates, const double *left, const double *right, size_t count,
	double *rate)
{
	for (size_t i = 0; i < count; i++) {
		double here = left[i] - right[i];
		if (here == 0) {
			*rate = rates[i];
			return true;
		}
		if (i + 1 == count)
			break;
		double next = left[i + 1] - right[i + 1];
		if ((here < 0 && next > 0) || (here > 0 && next < 0)) {
			*rate = rates[i] + (rates[i + 1] - rates[i]) * here / (here - next);
			return true;
		}
	}
	return false;
}
