/* Arrival: turns a message of the log, written by any program, into a message of the bus.
 * Owner: the caller's values; returns a new message. Thread: any. Errors: as the call says.
 *
 * Any program that may publish to NATS may write to the log, and other nodes may have other limits. So
 * everything is checked again here, and the message's object is encoded here. */
#ifndef SL_BUS_NATS_ARRIVAL_H
#define SL_BUS_NATS_ARRIVAL_H

#include <stddef.h>

#include "bus/message.h"
#include "util/span.h"

/* The parts of a message in the log. A missing header is absent. */
struct sl_nats_arrival {
	struct sl_span subject, payload;
	struct sl_span type;     /* Sluice-Type: json, text or binary. Absent: json if it is, else text if it is
	                          * UTF-8, else binary */
	struct sl_span compress; /* Sluice-Compress: `no`: no encoder may compress it */
	struct sl_span owner;    /* Sluice-Owner: 16 hexadecimal digits; anything else is nobody */
	struct sl_span event;    /* Sluice-Event: see sl_nats_event_read(). Absent: it has none */
	struct sl_span args;     /* Sluice-Args: list or binary, with an event, and json */
};

struct sl_nats_arrival_limits {
	const char *bus_name;
	unsigned json_depth_max;
	size_t message_max; /* bytes of a payload */
};

/* Errors: SL_EINVAL, the subject has no legal channel of this bus, the type is unknown, or the event is illegal
 * or does not fit its args. Errors of the payload: SL_ETOOBIG, SL_ESYNTAX, SL_EUTF8, SL_ETOODEEP. Also
 * SL_ENOMEM. */
int sl_nats_arrival_read(struct sl_message **out, const struct sl_nats_arrival *arrival,
	const struct sl_nats_arrival_limits *limits);

#endif
