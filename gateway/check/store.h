/* Store: the folder in which the check page's reports are kept, a file each.
 * Owner: the app. Thread: sl_store_push() any, all else main's. Errors: as each call says.
 *
 * A worker hands a report over and does not wait for the disk: at most SL_STORE_QUEUE wait, in memory.
 * One that cannot be written stays first in the queue and is tried again; nothing that was accepted is
 * given up before the gateway ends. Of its files at most SL_STORE_FILES_MAX are kept, none longer than
 * SL_STORE_DAYS_MAX: the oldest go first. It never touches a file whose name is not of its own form,
 *
 *	check-20261127T034000Z-K3V7-92QX-M4TD-00.json
 *
 * with the time of arrival (UTC), the report's code, and a number that tells equal ones apart. */
#ifndef SL_CHECK_STORE_H
#define SL_CHECK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "check/code.h"
#include "util/buffer.h"

#define SL_STORE_QUEUE 64
#define SL_STORE_FILES_MAX 1000
#define SL_STORE_DAYS_MAX 30

struct sl_metrics;
struct sl_store;

/* Sees to it that `folder` (copied) can be written. `wake` is called by whoever pushes, so that main's
 * thread runs the store. Returns new in `*out`. Errors: SL_EIO, errno says why; SL_ENOMEM. */
int sl_store_create(struct sl_store **out, const char *folder, void (*wake)(void));

/* Logs how many reports are lost with it. NULL is allowed. */
void sl_store_destroy(struct sl_store *store);

/* Any thread. True when another report would be taken, unless somebody is faster. */
bool sl_store_has_room(struct sl_store *store);

/* Takes `text`, the report of `code`, as of `now_us` since the epoch. Errors: SL_EFULL. */
int sl_store_push(struct sl_store *store, struct sl_buffer *text,
	const char code[SL_CODE_LEN + 1], int64_t now_us);

/* Writes what waits and removes what is too old or too many; counts in `metrics`, which are main's.
 * Returns after how many milliseconds it should run again if nothing wakes main before. */
uint64_t sl_store_run(struct sl_store *store, struct sl_metrics *metrics, int64_t now_us);

#endif
