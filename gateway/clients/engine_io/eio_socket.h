/* Socket: one client of Engine.IO: on polling, on a WebSocket, or between the two. It speaks to its user, which is
 * what stands inside the messages: the raw user, or Socket.IO.
 * Owner: the polling session or the WebSocket that it is on; it moves from the one to the other, and to the other's
 * shard, with all that its user keeps. Thread: that shard's. Errors: as each call says.
 *
 *   polling (clients/engine_io/eio_polling.h) --5--> WebSocket (eio_websocket.h)
 */
#ifndef SL_CLIENTS_EIO_SOCKET_H
#define SL_CLIENTS_EIO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "live/encoder.h"

struct sl_eio_socket;
struct sl_owner;
struct sl_principal;
struct sl_request;
struct sl_shard;
struct sl_subscriber;

/* What speaks inside the messages: a constant table. */
struct sl_eio_user {
	/* Mandatory. How messages of channels look. For polling: packets with separators between them, SL_ONE_SHOT
	 * (sl_eio_encoders_* in eio_encoders.h help). */
	const struct sl_encoder *(*get_encoder)(bool is_websocket);
	size_t state_size; /* of what it keeps (sl_eio_socket_get_state), zeroed before open; moves with the socket */

	/* Mandatory. The handshake, before the `0` packet goes out: nothing may be sent yet. Subscribes to what the
	 * request names. Errors: any; the handshake is refused, and on_close is not called. */
	int (*open)(struct sl_eio_socket *socket, const struct sl_request *request);
	/* Mandatory. A message of the client's; text is valid UTF-8. The socket may be closed within. */
	void (*on_message)(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary);
	/* Optional. Its subscriber and shard are others now; what the user borrowed of the old ones is gone. */
	void (*on_moved)(struct sl_eio_socket *socket);
	/* Optional. The time of sl_eio_socket_set_user_timer() has come. */
	void (*on_timer)(struct sl_eio_socket *socket);
	/* Optional. It closes, once: frees what stands in the state. Nothing can be sent any more, and its subscriber
	 * may be gone. The socket itself stays until the end of the turn. */
	void (*on_close)(struct sl_eio_socket *socket);
};

struct sl_shard *sl_eio_socket_get_shard(const struct sl_eio_socket *socket);
/* For verbs. It is that of a session or of a connection; another one after on_moved. */
struct sl_subscriber *sl_eio_socket_get_subscriber(const struct sl_eio_socket *socket);
/* Whom limits count by the client's address, even where a token's subject pays for the rest. Borrowed; or NULL. */
struct sl_owner *sl_eio_socket_get_address(const struct sl_eio_socket *socket);
void *sl_eio_socket_get_state(struct sl_eio_socket *socket);
/* SL_SESSION_ID_LEN characters, terminated. */
const char *sl_eio_socket_get_id(const struct sl_eio_socket *socket);

/* One message to this client alone. False where it is closing, or closes by this (SL_END_SLOW_CONSUMER), since it
 * does not take what waits for it. */
bool sl_eio_socket_send(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary);

/* True once nothing more can be sent. */
bool sl_eio_socket_is_closing(const struct sl_eio_socket *socket);

/* A token came later than the request. On a WebSocket it is a stream of the token's subject then. Errors: SL_ELIMITED:
 * that has as many as it may have; nothing changes. */
int sl_eio_socket_set_principal(struct sl_eio_socket *socket, struct sl_principal *principal);

/* Its user's one timer, which moves with it; 0 stops it. It may fire 32 ms late. */
void sl_eio_socket_set_user_timer(struct sl_eio_socket *socket, uint64_t due_ms);

/* The gateway ends it, in a way after which its client connects again, but for SL_END_CLIENT and SL_END_PROTOCOL,
 * where the client does as it likes. on_close is called within or, on a WebSocket that has acks to wait for, later. */
void sl_eio_socket_close(struct sl_eio_socket *socket, enum sl_end_reason reason);

#endif
