/* Envelope: a message as it travels to a log on NATS JetStream: subject, headers, payload.
 * Owner: the caller. Thread: any. Errors: SL_ENOMEM. bus/nats_arrival.h opens it again. */
#ifndef SL_BUS_NATS_ENVELOPE_H
#define SL_BUS_NATS_ENVELOPE_H

#include <nats/nats.h>

struct sl_message;

/* Returns new: `message` (borrowed) for the log of `bus_name`, under `id`; the answer comes at `reply`. */
int sl_nats_envelope_create(natsMsg **out, const char *bus_name, const struct sl_message *message,
	const char *id, const char *reply);

#endif
