/* Ack: reads a log's answer to a publish on NATS JetStream, JSON or a status of the NATS protocol.
 * Owner: the ack borrows the answer. Thread: any. Errors: none; every answer, whatever its bytes, gets a
 * verdict.
 *
 * Pure. Codes of errors: server/errors.json of nats-server. */
#ifndef SL_BUS_NATS_ACK_H
#define SL_BUS_NATS_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

enum sl_nats_ack_kind {
	SL_NATS_ACK_NOTHING, /* no answer: not a form that a log's server sends */
	SL_NATS_ACK_STORED,  /* stored under `seq` */
	SL_NATS_ACK_BEGUN,   /* a leader has begun to store a message with its id. If that leader was lost, the servers
	                      * may repeat this for minutes: retry, but let no other publish wait for it */
	SL_NATS_ACK_AGAIN,   /* not now: retry */
	SL_NATS_ACK_REFUSED, /* refused for good: `err` */
};

struct sl_nats_ack {
	enum sl_nats_ack_kind kind;
	uint64_t seq;
	bool is_duplicate;  /* an earlier message with its id has that number */
	bool is_certain;    /* for SL_NATS_ACK_AGAIN: the message was not stored */
	int err;            /* for SL_NATS_ACK_REFUSED: SL_ETOOBIG, SL_EBACKEND */
	unsigned code;      /* the server's code for our log, 503 if no server listens, or 0 */
	struct sl_span why; /* the server's sentence, as written; or absent */
};

/* `status` is the value of the header Status, or NULL. `stream` is the name of the log: an answer of a stream
 * with another name means that this stream has taken the log's subjects. */
void sl_nats_ack_read(struct sl_nats_ack *out, const char *status, struct sl_span body,
	const char *stream);

#endif
