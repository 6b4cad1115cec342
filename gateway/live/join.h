/* Join: from a request's channels and cursor to a connection's position.
 * Owner: the connection. Thread: the shard's. Errors: as said. The rules are those of
 * PROTOCOL.md, cursors and gaps. */
#ifndef SL_LIVE_JOIN_H
#define SL_LIVE_JOIN_H

#include <stddef.h>

struct sl_connection;
struct sl_gap;
struct sl_request;

/* Subscribes to the request's channels and finds the position its cursor asks for. `gaps`
 * (room for SL_PARAMS_CHANNELS_MAX) are those known without looking at history: a cursor of
 * another epoch, or beyond the log. Errors: SL_ENOMEM, SL_EFULL. */
int sl_join_channels(struct sl_connection *connection, const struct sl_request *request,
	struct sl_gap *gaps, size_t *gap_count);

#endif
