/* Inquiry: asks a server of NATS regularly for the state of the log, and never waits for it.
 * Owner: the backend's worker, one per connection. Thread: the worker's. Errors: SL_ENOMEM, SL_EIO.
 *
 * It also shows whether the server lives, and whether it knows the log: a node that is cut off from its peers
 * answers, but has no log to report. */
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

/* Call it while the connection still exists, also after its end. NULL is allowed. */
void sl_nats_inquiry_destroy(struct sl_nats_inquiry *inquiry);

/* Call it each tick: asks if it is time, or if `is_urgent`. True if an answer has come: `*info`, and with
 * SL_NATS_INFO_STATE `*state`. */
bool sl_nats_inquiry_run(struct sl_nats_inquiry *inquiry, uint64_t now_ms, bool is_urgent,
	enum sl_nats_info *info, struct sl_nats_stream_state *state);

/* Return for how long no answer has come at all, and for how long none has named a leader of the log, or the
 * lack of a log. */
uint64_t sl_nats_inquiry_get_silence_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms);
uint64_t sl_nats_inquiry_get_ignorance_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms);

#endif
