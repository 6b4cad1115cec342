/* Worker: keeps a gateway at one server of NATS or another, and says when it is.
 * Owner: the backend. Thread: one of its own, on which all that may wait for a server is called. Errors: SL_ENOMEM,
 * SL_EIO; the reason is in the log. */
#ifndef SL_BUS_NATS_WORKER_H
#define SL_BUS_NATS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_stay.h"

struct sl_nats_worker;

/* Starts the thread. Copies `parts`, which point to what is borrowed. */
int sl_nats_worker_create(struct sl_nats_worker **out, const struct sl_nats_parts *parts);

/* Waits until the log is open and read, or until it is known that it will not be: a server or the stream refuses, or the
 * time is over (SL_EIO), or SIGTERM or SIGINT is pending for this process (SL_EDRAINING). */
int sl_nats_worker_wait(struct sl_nats_worker *worker, uint64_t timeout_ms);

/* Nothing that it borrows is used when this returns. NULL is allowed. */
void sl_nats_worker_destroy(struct sl_nats_worker *worker);

/* Any thread: it is fit (sl_nats_stay_is_fit), and was so a moment ago. */
bool sl_nats_worker_is_ready(const struct sl_nats_worker *worker);

/* Any thread: a number that the log cannot have passed. */
uint64_t sl_nats_worker_get_bound(const struct sl_nats_worker *worker);

/* Any thread: connections after the first one. */
uint64_t sl_nats_worker_get_reconnects(const struct sl_nats_worker *worker);

#endif
