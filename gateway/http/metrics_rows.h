/* Metrics rows: the numbers of the bus and its backend, as rows like those of util/metrics.h, for
 * http/metrics_text.c.
 * Owner: constants. Thread: any. Errors: none. */
#ifndef SL_HTTP_METRICS_ROWS_H
#define SL_HTTP_METRICS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/metrics.h"

struct sl_bus_stats;

struct sl_bus_row {
	size_t field; /* offset of a uint64_t in struct sl_bus_stats */
	struct sl_metric_row row;
};

/* Both end with a row without a name. Keys are those in "bus" and "backend" of /stats. */
extern const struct sl_bus_row sl_bus_rows[], sl_backend_rows[];

uint64_t sl_bus_row_get(const struct sl_bus_stats *stats, const struct sl_bus_row *row);

/* Its number is milliseconds, and its metric shows seconds. */
bool sl_bus_row_is_time(const struct sl_bus_row *row);

#endif
