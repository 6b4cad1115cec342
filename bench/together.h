/* Steps measured at the same time, each in a process of its own: with a network, a server and a
 * generator that know nothing of the others. What they share is the cores.
 * Owner: values. Thread: the calling one waits. Errors: SL_ENOMEM; a process that fails is told in
 * its repeat. */
#ifndef SL_BENCH_TOGETHER_H
#define SL_BENCH_TOGETHER_H

#include <jansson.h>
#include <stddef.h>

#include "bench/scenario.h"

#define BENCH_TOGETHER_MAX 32

/* Measures repeat number `repeat` of `count` (up to BENCH_TOGETHER_MAX) steps. Fills `repeats` with
 * new objects, in the order of the steps. */
int bench_together_measure(const struct bench_step *steps, size_t count,
	const struct bench_settings *settings, unsigned repeat, json_t **repeats);

#endif
