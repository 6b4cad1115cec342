/* Client: what the gateway keeps for a socket that speaks Socket.IO: its namespaces, and a packet whose attachments have
 * not all come. It reads packets and hands them on: CONNECT to sio_connect.h, events to sio_events.h.
 * Owner: the socket's state (clients/engine_io/eio_socket.h), with which it moves. Thread: the socket's. Errors: a packet
 * that no client may send closes the transport, as in the reference.
 *
 * Nothing here ever sends DISCONNECT: a client that is told so does not come back by itself. */
#ifndef SL_SOCKET_IO_SIO_CLIENT_H
#define SL_SOCKET_IO_SIO_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/engine_io/eio_socket.h"
#include "clients/socket_io/sio_label.h"
#include "clients/socket_io/sio_packet.h"
#include "clients/socket_io/sio_recovery.h"
#include "util/span.h"

struct sl_buffer;
struct sl_sio_assembly;
struct sl_sio_memory;

#define SL_SIO_NAMESPACES_MAX 16
#define SL_SIO_ENVELOPE_BYTES 1024 /* of a packet around the data of its message */
#define SL_SIO_CONNECT_BYTES 65536 /* of a CONNECT at least: a token, a pid and channels, each as long as it may be */

/* One that is connected. */
struct sl_sio_namespace {
	struct sl_sio_namespace *next;
	uint64_t since;       /* the number from which on it has messages of the channels of CONNECT */
	uint16_t number;      /* among those of this socket, given once: what an ack that comes later belongs to */
	bool is_kept;         /* its channels have changed since, and are in the memory */
	char id[SL_SIO_ID_LEN];
	uint16_t label_len;
	char label[];         /* sio_label.h; with room for the tag that comes with the first star */
};

/* All zero at first. */
struct sl_sio_client {
	struct sl_sio_namespace *namespaces; /* owns; those connected, the last one first */
	struct sl_sio_assembly *assembly;    /* owns; or NULL */
	char *asked;          /* owns; the channels of the handshake's query, each ended by LF, for the first CONNECT; or NULL */
	uint64_t connect_by_ms; /* while no namespace is connected; else 0 */
	uint64_t whole_by_ms; /* while there is an assembly: all of it must be here */
	struct sl_sio_memory *memory; /* borrows: of all shards; NULL: it wants no recovery */
	uint16_t count, last_number;
	bool is_busy;         /* a message of it is handled, by which it may close */
	bool is_over;         /* it has closed meanwhile: what it has is freed behind that */
};

/* ---- for CONNECT and events ---- */

static inline struct sl_sio_client *
sl_sio_client_of(struct sl_eio_socket *socket)
{
	return sl_eio_socket_get_state(socket);
}

static inline struct sl_span
sl_sio_namespace_get_label(const struct sl_sio_namespace *ns)
{
	return (struct sl_span){ ns->label, ns->label_len };
}

static inline struct sl_span
sl_sio_namespace_get_name(const struct sl_sio_namespace *ns)
{
	return sl_sio_label_get_namespace(sl_sio_namespace_get_label(ns));
}

/* NULL: it is not connected. */
struct sl_sio_namespace *sl_sio_client_find(struct sl_sio_client *client, struct sl_span name);
struct sl_sio_namespace *sl_sio_client_find_number(struct sl_sio_client *client, uint16_t number);

/* Adds one; NULL without memory. `name` is legal. */
struct sl_sio_namespace *sl_sio_client_add(struct sl_eio_socket *socket, struct sl_span name,
	const char id[SL_SIO_ID_LEN], int stars);

/* Sends a packet of this type to a namespace, with what `json` holds. */
void sl_sio_client_send(struct sl_eio_socket *socket, enum sl_sio_type type, struct sl_span name, int32_t id,
	const struct sl_buffer *json);

/* The transport closes, since its client broke the protocol. */
void sl_sio_client_fail(struct sl_eio_socket *socket);

#endif
