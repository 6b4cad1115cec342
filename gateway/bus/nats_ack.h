/* Ack: what a log on NATS JetStream answers to a publish, as JSON or as a status of the NATS protocol.
 * Owner: the ack borrows the answer. Thread: any. Errors: none, whatever the bytes are; each answer is judged.
 *
 * Pure. Codes of errors: server/errors.json of nats-server. */
#ifndef SL_BUS_NATS_ACK_H
#define SL_BUS_NATS_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

enum sl_nats_ack_kind {
	SL_NATS_ACK_NOTHING, /* it answers nothing: not of a form that a log's server sends */
	SL_NATS_ACK_STORED,  /* under `seq` */
	SL_NATS_ACK_BEGUN,   /* a leader has begun to store a message with its id; where that leader was lost, the servers
	                      * may say so for minutes: send it again, but let nobody else wait for it */
	SL_NATS_ACK_AGAIN,   /* not now: send it again */
	SL_NATS_ACK_REFUSED, /* not stored, and never will be: `err` */
};

struct sl_nats_ack {
	enum sl_nats_ack_kind kind;
	uint64_t seq;
	bool is_duplicate;  /* an earlier message with its id has that number */
	bool is_certain;    /* of SL_NATS_ACK_AGAIN: what was answered has not been stored */
	int err;            /* of SL_NATS_ACK_REFUSED: SL_ETOOBIG, SL_EBACKEND */
	unsigned code;      /* the server's own for the log, 503 where nobody listens, or 0 */
	struct sl_span why; /* its sentence, as written; or absent */
};

/* `status` is the value of the header Status, or NULL. `stream` is the name of the log: a stream of another
 * name that answers has taken its subjects. */
void sl_nats_ack_read(struct sl_nats_ack *out, const char *status, struct sl_span body,
	const char *stream);

#endif
