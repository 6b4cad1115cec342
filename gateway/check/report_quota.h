/* Report quota: how many reports an address may send.
 * Owner: the app; all shards share it under a lock of its own (law 1). Thread: any. Errors: none;
 * without memory an address is not counted.
 *
 * An IPv6 address counts with its /64; a Unix socket has none and is not limited. Addresses are kept in
 * memory alone, for an hour, and at most SL_REPORT_QUOTA_ADDRESSES of them: beyond that the one whose
 * last report is the oldest is forgotten. */
#ifndef SL_CHECK_REPORT_QUOTA_H
#define SL_CHECK_REPORT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define SL_REPORT_QUOTA_MAX 5           /* an address, within SL_REPORT_QUOTA_MS */
#define SL_REPORT_QUOTA_MS 3600000
#define SL_REPORT_QUOTA_ADDRESSES 4096

struct sl_address;
struct sl_report_quota;

/* Returns new, or NULL. */
struct sl_report_quota *sl_report_quota_create(void);
/* NULL is allowed. */
void sl_report_quota_destroy(struct sl_report_quota *quota);

/* Counts a report of `address`. Returns 0, or in how many milliseconds the next may come: nothing is
 * counted then. `*dropped` is set if another address was forgotten to make room. */
uint64_t sl_report_quota_take(struct sl_report_quota *quota, const struct sl_address *address,
	uint64_t now_ms, bool *dropped);

#endif
