/* Moved: all that a socket is, on its way from its session's shard to that of its WebSocket: user's state, channels
 * with their labels, position, what is queued for its client, the time of its next ping, and who it is.
 * Owner: the visit that brings it, then whoever takes it there. Thread: made on the session's shard, joined on the
 * other. Errors: as each call says. */
#ifndef SL_CLIENTS_EIO_MOVED_H
#define SL_CLIENTS_EIO_MOVED_H

#include <stdbool.h>
#include <stdint.h>

struct sl_buffer;
struct sl_eio_carrier;
struct sl_eio_moved;
struct sl_eio_session;
struct sl_eio_socket;
struct sl_shard;
struct sl_subscriber;

/* Copies what the session has; the socket is still the session's. Returns new, or NULL without memory. */
struct sl_eio_moved *sl_eio_moved_create(struct sl_eio_session *session);

/* It does not come to that. NULL is allowed. */
void sl_eio_moved_abandon(struct sl_eio_moved *moved);

/* Takes the socket; the session has moved away. */
void sl_eio_moved_lift(struct sl_eio_moved *moved, struct sl_eio_session *session);

/* It has arrived, and nobody is there: the socket closes. */
void sl_eio_moved_drop(struct sl_eio_moved *moved, struct sl_shard *shard);

/* When its client was told last that we live, or would have been had the time been even: its clock runs on from there. */
uint64_t sl_eio_moved_get_last_beat_ms(const struct sl_eio_moved *moved);

/* Puts the socket on `subscriber`, initialised and without channels, which catches up from the position; appends what
 * was queued to `frames`; frees `moved`. Errors: any; the socket has closed then. */
int sl_eio_moved_join(struct sl_eio_moved *moved, const struct sl_eio_carrier *carrier,
	struct sl_subscriber *subscriber, struct sl_buffer *frames, struct sl_eio_socket **socket);

#endif
