/* Where two measured curves cross.
 * Owner: the caller's arrays. Thread: any. Errors: none. */
#ifndef SL_BENCH_BREAK_EVEN_H
#define SL_BENCH_BREAK_EVEN_H

#include <stdbool.h>
#include <stddef.h>

/* Of the lines through `left` and `right` at the rising `rates`: the first rate at which
 * they are equal, by interpolation, in `*rate`. False when they do not cross. */
bool bench_break_even(const double *rates, const double *left, const double *right, size_t count,
	double *rate);

#endif
