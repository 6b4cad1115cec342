/* Inquiry: asks a server of NATS again and again what the log is like, without ever waiting for it.
 * Owner: the backend's worker, one a connection. Thread: the worker's. Errors: SL_ENOMEM, SL_EIO.
 *
 * It also shows whether the server lives, and whether it is one that knows: a node that is cut off from its peers
 * answers, but has no log to tell of. */
#ifndef SL_BUS_NATS_INQUIRY_H
#define SL_BUS_NATS_INQUIRY_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_resync.h"
#include "bus/nats_stream_info.h"

struct sl_nats_inquiry;

#define SL_NATS_INQUIRY_MS 1000 /* from one question to the next */

/* Borrows the connection. Asks at once. */
int sl_nats_inquiry_create(struct sl_nats_inquiry **out, natsConnection *connection,
	const char *stream, uint64_t now_ms);

/* While the connection is still there, also when it has ended. NULL is allowed. */
void sl_nats_inquiry_destroy(struct sl_nats_inquiry *inquiry);

/* Each tick: asks where it is time, or `is_urgent`. True when an answer has come: `*info`, and with
 * SL_NATS_INFO_STATE `*state`. */
bool sl_nats_inquiry_run(struct sl_nats_inquiry *inquiry, uint64_t now_ms, bool is_urgent,
	enum sl_nats_info *info, struct sl_nats_stream_state *state);

/* For how long no answer has come at all, and for how long none that tells of a log with a leader, or of no
 * log. */
uint64_t sl_nats_inquiry_get_silence_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms);
uint64_t sl_nats_inquiry_get_ignorance_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms);

#endif
