/* Worker: keeps a gateway connected to one of the servers of NATS, and reports when it is.
 * Owner: the backend. Thread: its own, which makes all calls that may wait for a server. Errors: SL_ENOMEM,
 * SL_EIO; the reason is in the log. */
#ifndef SL_BUS_NATS_WORKER_H
#define SL_BUS_NATS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_stay.h"

struct sl_nats_worker;

/* Starts the thread. Copies `parts`, which point to borrowed objects. */
int sl_nats_worker_create(struct sl_nats_worker **out, const struct sl_nats_parts *parts);

/* Waits until the log is open and read, or until this has failed: a server or the stream refuses, or the time
 * is over (SL_EIO), or SIGTERM or SIGINT is pending for this process (SL_EDRAINING). */
int sl_nats_worker_wait(struct sl_nats_worker *worker, uint64_t timeout_ms);

/* It uses no borrowed object after this returns. NULL is allowed. */
void sl_nats_worker_destroy(struct sl_nats_worker *worker);

/* Any thread: true if it is fit (sl_nats_stay_is_fit), and was so a moment ago. */
bool sl_nats_worker_is_ready(const struct sl_nats_worker *worker);

/* Any thread: returns a number that the log cannot have passed. */
uint64_t sl_nats_worker_get_bound(const struct sl_nats_worker *worker);

/* Any thread: returns the number of connections after the first one. */
uint64_t sl_nats_worker_get_reconnects(const struct sl_nats_worker *worker);

#endif
