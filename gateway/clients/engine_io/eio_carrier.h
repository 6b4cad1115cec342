/* Carrier: what a socket is on: a polling session, or a WebSocket. What the two know of a socket that its user does
 * not.
 * Owner: constant tables in eio_polling.c and eio_websocket.c. Thread: the socket's. Errors: as each call says. */
#ifndef SL_CLIENTS_EIO_CARRIER_H
#define SL_CLIENTS_EIO_CARRIER_H

#include "clients/engine_io/eio_packet.h"
#include "clients/engine_io/eio_socket.h"
#include "core/loop.h"
#include "live/session.h"

struct sl_owner;
struct sl_principal;

/* All are mandatory but one. */
struct sl_eio_carrier {
	/* One message; false where it has no room, and closes. */
	bool (*send)(struct sl_eio_socket *socket, struct sl_span data, bool is_binary);
	/* The answer to a ping of ours. */
	void (*on_pong)(struct sl_eio_socket *socket);
	void (*close)(struct sl_eio_socket *socket, enum sl_end_reason reason);
	/* Of its client's address; borrowed; or NULL. */
	struct sl_owner *(*get_address)(const struct sl_eio_socket *socket);
	/* Optional. What the socket is on, or is about to be, counts as a stream of a token's subject. Errors: as
	 * sl_serve_enter(). */
	int (*enter)(struct sl_subscriber *subscriber, struct sl_owner *subject);
};

struct sl_eio_socket {
	const struct sl_eio_user *user;
	const struct sl_eio_carrier *carrier;
	struct sl_subscriber *subscriber; /* borrows: the session's, or the connection's */
	struct sl_timer user_timer;       /* in the shard's wheel */
	uint64_t user_due_ms;             /* 0: none */
	struct sl_deferred deferred;
	bool is_closing;
	char id[SL_SESSION_ID_LEN + 1];
	_Alignas(16) char state[];        /* the user's */
};

/* Returns new, or NULL; its carrier puts it on a subscriber. */
struct sl_eio_socket *sl_eio_socket_create(const struct sl_eio_user *user, const char *id);

/* It is on `carrier` from now on. */
void sl_eio_socket_put(struct sl_eio_socket *socket, const struct sl_eio_carrier *carrier,
	struct sl_subscriber *subscriber);

/* As sl_eio_socket_set_principal(), before the socket is on it. */
int sl_eio_carrier_set_principal(const struct sl_eio_carrier *carrier, struct sl_subscriber *subscriber,
	struct sl_principal *principal);

/* It is on none for a while: its timer rests, and put() sets it again. Nothing may be asked of it. */
void sl_eio_socket_lift(struct sl_eio_socket *socket);

/* It closes: its user is told, if it was ever opened, and it is freed at the end of `shard`'s turn. NULL is allowed. */
void sl_eio_socket_destroy(struct sl_eio_socket *socket, struct sl_shard *shard, bool was_opened);

/* A packet of its client's. The socket may be closed by it. */
void sl_eio_socket_take(struct sl_eio_socket *socket, const struct sl_eio_packet *packet);

#endif
