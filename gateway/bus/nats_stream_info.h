/* Stream info: reads JetStream's description of a stream, as JSON.
 * Owner: the caller's values; spans borrow the text. Thread: any. Errors: none; every answer, whatever its
 * bytes, gets a verdict.
 *
 * Pure. The form is that of $JS.API.STREAM.INFO of nats-server. */
#ifndef SL_BUS_NATS_STREAM_INFO_H
#define SL_BUS_NATS_STREAM_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_resync.h"
#include "util/span.h"

enum sl_nats_info {
	SL_NATS_INFO_STATE,   /* the stream is there */
	SL_NATS_INFO_CUT_OFF, /* the same, but its leader has lost its peers: others may lead it by now */
	SL_NATS_INFO_MISSING, /* there is no such stream */
	SL_NATS_INFO_AGAIN,   /* the server does not know now, or the bytes are no answer */
};

/* The silence after which a leader counts a peer as lost. */
#define SL_NATS_PEER_SILENCE_NS INT64_C(3000000000) /* in rest they hear from each other each second */

/* Fills `out` for the first two kinds. The log has a leader unless the stream is replicated and has none, or
 * its leader has not heard from most of the others. */
enum sl_nats_info sl_nats_stream_info_read(struct sl_nats_stream_state *out, struct sl_span body);

/* Returns the generation at the end of the stream's description; 0 if it has none. */
uint64_t sl_nats_stream_info_generation(const char *description);

/* Reads a time of RFC 3339 in nanoseconds since 1970; 0 for another form. */
int64_t sl_nats_stream_info_time(const char *text);

#endif
