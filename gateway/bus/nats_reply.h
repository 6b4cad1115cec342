/* Reply: what the reply subject of a message says that a consumer of JetStream was sent.
 * Owner: values of the caller. Thread: any. Errors: SL_EINVAL, it is no such subject.
 *
 * Two forms are in use, the second since servers know domains:
 *
 *     $JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<dseq>.<ns>.<pending>
 *     $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<sseq>.<dseq>.<ns>.<pending>[.<random>]
 */
#ifndef SL_BUS_NATS_REPLY_H
#define SL_BUS_NATS_REPLY_H

#include <stdint.h>

#include "util/span.h"

struct sl_nats_reply {
	struct sl_span stream, consumer; /* borrowed from the subject */
	uint64_t sseq;    /* the message's number in the stream, from 1 */
	uint64_t dseq;    /* among those that the consumer was sent, from 1 */
	int64_t time_ns;  /* since 1970, by the clock of the stream's leader */
	uint64_t pending; /* messages of the stream behind it */
};

int sl_nats_reply_parse(struct sl_nats_reply *out, struct sl_span subject);

#endif
