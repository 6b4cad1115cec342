/* Notices: announcements of one node to all, including nodes that are away or not started yet. A stream
 * `sluice-<bus>-nodes` holds the newest message of each subject `sluice-nodes.<bus>.<name>`.
 * Owner: the backend. Thread: the worker's, unless a call names another; libnats's threads deliver. Errors: as
 * each call says.
 *
 * A notice waits until the stream has acked it, however long the stream is out of reach. The announcer gets its
 * answer when the time of a publish is over. The notice is still announced later, unless this process ends
 * before. No step here waits for a server. */
#ifndef SL_BUS_NATS_NOTICES_H
#define SL_BUS_NATS_NOTICES_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_config;
struct sl_nats_notices;

#define SL_NATS_NOTICES_MAX 10000     /* notices that wait for the stream */
#define SL_NATS_NOTICE_BYTES_MAX 4096 /* of a notice's text */

/* Borrows `bus`, and copies the needed parts of `config`. Errors: SL_ENOMEM, SL_EIO. */
int sl_nats_notices_create(struct sl_nats_notices **out, struct sl_bus *bus,
	const struct sl_config *config);

/* Completes waiting notices with SL_EDRAINING. NULL is allowed. */
void sl_nats_notices_destroy(struct sl_nats_notices *notices);

/* Uses this connection from now on, or none (NULL); returns when the earlier one is no longer used. Reads all
 * missed notices. Errors, and then it has no connection: SL_ENOMEM, SL_EIO. */
int sl_nats_notices_use(struct sl_nats_notices *notices, natsConnection *connection);

/* Call it each tick: sends due notices. */
void sl_nats_notices_run(struct sl_nats_notices *notices, uint64_t now_ms);

/* Any thread: true if it has heard all notices from before this connection. */
bool sl_nats_notices_has_caught_up(struct sl_nats_notices *notices);

/* A shard's thread; the backend's slot `announce`. Returns SL_PENDING, SL_EFULL (the queue is full),
 * SL_ETOOBIG, SL_ENOMEM. Completes `pending` with 0 once the stream has the notice; with SL_EUNKNOWN when its
 * time is over, and the notice still waits; with SL_EFULL, SL_EBACKEND or SL_ETOOBIG if the stream refuses it
 * for good. */
int sl_nats_notices_announce(struct sl_nats_notices *notices, const struct sl_notice *notice,
	struct sl_publish *pending);

#endif
