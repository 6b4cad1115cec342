/* Stream: the log of a bus in JetStream, by its name `sluice-<bus>`.
 * Owner: the backend's worker. Thread: the worker's. Errors: SL_EINVAL and a sentence: the present stream
 * cannot be a bus's log, or nobody may make it; SL_EIO and a sentence: try again; SL_ENOMEM.
 *
 * Calls that open or change the stream block for two seconds at most. The stream's description is requested
 * without waiting, and read later. */
#ifndef SL_BUS_NATS_STREAM_H
#define SL_BUS_NATS_STREAM_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/nats_resync.h"

struct sl_config;

#define SL_NATS_STREAM_NAME_MAX 48

/* Writes `sluice-<bus>`. */
void sl_nats_stream_name(char out[SL_NATS_STREAM_NAME_MAX], const char *bus);

/* Makes the stream, or checks the one that is there. */
int sl_nats_stream_open(jsCtx *js, const struct sl_config *config, struct sl_nats_stream_state *out,
	char *error, size_t error_size);

/* Writes `generation` into the description, unless it is as high already. */
int sl_nats_stream_raise_generation(jsCtx *js, const char *stream, uint64_t generation, char *error,
	size_t error_size);

#endif
