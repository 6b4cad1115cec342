/* Notices: what one node tells all, those that are away or not started yet included: a stream
 * `sluice-<bus>-nodes` that holds the newest message of each subject `sluice-nodes.<bus>.<name>`.
 * Owner: the backend. Thread: the worker's, unless a call says otherwise; libnats's threads deliver. Errors: as each
 * call says.
 *
 * A notice waits until the stream has acked it, however long the stream is out of reach: whoever announced it is
 * answered once the time of a publish is over, but it is announced all the same later, unless this process ends before.
 * Nothing here waits for a server. */
#ifndef SL_BUS_NATS_NOTICES_H
#define SL_BUS_NATS_NOTICES_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_config;
struct sl_nats_notices;

#define SL_NATS_NOTICES_MAX 10000     /* that wait for the stream */
#define SL_NATS_NOTICE_BYTES_MAX 4096 /* of a notice's text */

/* `bus` is borrowed, what is needed of `config` copied. Errors: SL_ENOMEM, SL_EIO. */
int sl_nats_notices_create(struct sl_nats_notices **out, struct sl_bus *bus,
	const struct sl_config *config);

/* What waits is completed with SL_EDRAINING. NULL is allowed. */
void sl_nats_notices_destroy(struct sl_nats_notices *notices);

/* From now on this connection, or NULL for none; returns when the one before is no longer used. All notices are read
 * that were missed. Errors, and then it has none: SL_ENOMEM, SL_EIO. */
int sl_nats_notices_use(struct sl_nats_notices *notices, natsConnection *connection);

/* Each tick: sends what is due. */
void sl_nats_notices_run(struct sl_nats_notices *notices, uint64_t now_ms);

/* Any thread: all is heard that was announced before this connection began. */
bool sl_nats_notices_has_caught_up(struct sl_nats_notices *notices);

/* A shard's thread; the backend's slot `announce`. Returns SL_PENDING, SL_EFULL (as many wait as may), SL_ETOOBIG,
 * SL_ENOMEM. `pending` is completed with 0 once the stream has it; SL_EUNKNOWN where its time is over, it goes on waiting;
 * SL_EFULL, SL_EBACKEND, SL_ETOOBIG where the stream refuses it for good. */
int sl_nats_notices_announce(struct sl_nats_notices *notices, const struct sl_notice *notice,
	struct sl_publish *pending);

#endif
