/* Faults and counters as JSON.
 * Owner: what is returned is the caller's. Thread: one. Errors: SL_EINVAL and SL_ETOOBIG with
 * the reason in `why`; SL_ENOMEM. */
#ifndef SL_BENCH_OBSTACLE_CONTROL_JSON_H
#define SL_BENCH_OBSTACLE_CONTROL_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "bench/obstacle/fault.h"
#include "bench/obstacle/proxy.h"

/* ["cut-idle=10s", ...]; reads and returns new. */
int ob_faults_read_json(struct ob_fault_set **set, const char *bytes, size_t len,
	const struct ob_fault_set *before, uint64_t now_ms, char *why, size_t why_size);

/* Each returns a new string to be freed, NULL when memory ran out. */
char *ob_faults_write_json(const struct ob_fault_set *set);
char *ob_types_write_json(void);
char *ob_counts_write_json(const struct ob_proxy *proxy);

#endif
