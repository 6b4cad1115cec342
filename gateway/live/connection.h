/* Connection: one client being served on one transport.
 * Owner: its shard, from create to close; freed at the end of the turn in which it closed.
 * Thread: the shard's. Errors: as each call says.
 *
 *   OPENING -> PROBING -> BEHIND <-> LIVE -> ENDING -> LINGERING -> CLOSED
 *
 * BEHIND: catching up from history whenever the outbox is empty. LIVE: fed by fan-out.
 * A connection that ends in order stays LIVE or BEHIND for a while, with a `conclusion`.
 * ENDING: bye is queued, nothing else will be. LINGERING: all is sent, waiting for the
 * peer to close. PARKED: a one-shot transport between two requests. */
#ifndef SL_LIVE_CONNECTION_H
#define SL_LIVE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loop.h"
#include "core/socket.h"
#include "live/outbox.h"
#include "transport.h"

struct sl_fanout_channel;
struct sl_pending_publish;
struct sl_shard;

enum sl_connection_state {
	SL_OPENING, SL_PROBING, SL_BEHIND, SL_LIVE, SL_PARKED, SL_ENDING, SL_LINGERING, SL_CLOSED
};

/* One channel of a connection. */
struct sl_subscription {
	struct sl_fanout_channel *channel;
	uint64_t gap_told; /* losses up to this number have been told */
	uint32_t slot;     /* index in the channel's subscribers */
};

struct sl_connection {
	/* What every delivery touches stands together, in two or three cache lines. */
	const struct sl_transport *transport;
	struct sl_shard *shard;
	uint64_t position;      /* while live, the shard's position counts if it is higher */
	uint64_t sent;          /* messages and gaps queued since `open`, without the dropped */
	uint8_t state;          /* enum sl_connection_state */
	uint8_t encoding;       /* of the transport's encodings */
	bool raw, has_work;
	bool verifies;          /* the client asked for heartbeats on a busy connection too */
	uint8_t conclusion;     /* 0, or 1 + the reason for which it ends in order */
	uint8_t subscription_count, subscription_cap;
	struct sl_outbox outbox;
	struct sl_connection *next_work;
	struct sl_socket *socket; /* owns */
	struct sl_watch watch;
	uint64_t quiet_since_ms; /* the last write; where the client verifies, the last heartbeat */

	uint64_t last_read_ms;
	uint16_t heartbeat_s;
	bool probe_marked, pinged;
	uint32_t garbage_bytes; /* read from a client that has nothing to say */
	struct sl_timer timer;
	struct sl_subscription *subscriptions; /* &one, or owned */
	struct sl_subscription one;
	struct sl_connection *next, **prev; /* the shard's list */
	struct sl_pending_publish *pending; /* publishes not answered yet (live/protocol.c) */
	uint64_t published; /* the highest number of a message that the client published here */
	struct sl_deferred deferred;
};

/* What a one-shot transport answers with. */
struct sl_gap {
	const char *channel;
	struct sl_cursor after;  /* epoch 0: not known */
	struct sl_cursor resumed;
};

struct sl_answer {
	struct sl_run *run;      /* NULL when `messages` were read for this connection alone */
	struct sl_message *const *messages;
	size_t count;            /* 0: a hold that ran out */
	const struct sl_gap *gaps;
	size_t gap_count;
	uint64_t through;        /* the position once all of it has been sent */
	bool is_last;            /* the connection is not to be kept for another request */
};

/* Returns a new connection without a socket yet; NULL without memory. */
struct sl_connection *sl_connection_create(struct sl_shard *shard,
	const struct sl_transport *transport);

/* Takes `socket`, which has been handed over, and serves `request` on it. What fails closes
 * the connection, and the socket with it at the end of the turn. */
void sl_connection_open(struct sl_connection *connection, struct sl_socket *socket,
	const struct sl_request *request);

/* The request could not be served after all, a table is full for instance: answers with
 * the error (as libmicrohttpd would have) and ends the connection; closes it when another
 * answer has been begun. */
void sl_connection_refuse(struct sl_connection *connection, const struct sl_request *request,
	int err);

/* For a transport's open(), after sl_join_channels(): sends the response head, queues `open`,
 * tells the gaps that joining found, begins delivery. Errors: SL_ENOMEM, `head` has failed,
 * and nothing was sent. */
int sl_connection_begin(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_buffer *head, const struct sl_gap *gaps, size_t gap_count);

/* The connection's position as a cursor: what it may be told. */
struct sl_cursor sl_connection_get_cursor(const struct sl_connection *connection);

/* Queues bytes for this client alone. No memory, or an outbox over its limit, ends the
 * connection. */
void sl_connection_send(struct sl_connection *connection, const char *bytes, size_t len);

/* Queues a wire from offset `at`; true unless that ended the connection. */
bool sl_connection_send_wire(struct sl_connection *connection, struct sl_wire *wire, uint32_t at);

/* Queues a control object in the connection's format; false when that has no form for it. */
bool sl_connection_send_control(struct sl_connection *connection, struct sl_control *control);

/* Tells of lost messages, or ends the connection where its format cannot. */
void sl_connection_send_gap(struct sl_connection *connection, const struct sl_gap *gap);

/* Has the connection flushed, or pulled for, at the end of this turn. */
void sl_connection_add_work(struct sl_connection *connection);

/* That work: sends what is queued, catches up if behind. */
void sl_connection_do_work(struct sl_connection *connection);

/* Stops delivery, says bye and closes once everything is sent (at the latest after 5 s). */
void sl_connection_end(struct sl_connection *connection, enum sl_end_reason reason);

/* Ends in order: reads nothing more, and ends as above once the answers to the client's
 * publishes are queued, and the messages of its channels up to those (at the latest after
 * 5 s). */
void sl_connection_end_in_order(struct sl_connection *connection, enum sl_end_reason reason);

/* Part of the work of a connection with a conclusion: ends it if it is time. */
void sl_connection_conclude(struct sl_connection *connection);

/* The same as the first, when the transport has queued its last words itself. */
void sl_connection_end_quietly(struct sl_connection *connection);

/* At once. Allowed in any state, twice too. */
void sl_connection_close(struct sl_connection *connection);

/* Goes on as another transport of the same kind (longpoll and poll share a path). */
void sl_connection_change_transport(struct sl_connection *connection,
	const struct sl_transport *transport);

/* Leaves the socket to the caller and closes the rest. */
struct sl_socket *sl_connection_release_socket(struct sl_connection *connection);

/* (Re)sets the connection's timer. */
void sl_connection_set_timer(struct sl_connection *connection, uint64_t due_ms);

/* Reads for a transport whose client has nothing to say: throws bytes away, closes when
 * the peer has closed or will not stop. */
void sl_connection_discard_input(struct sl_connection *connection);

/* Messages have been queued for the client, and its position is up to date: this may queue a
 * heartbeat, and close the connection when there is no memory for it. */
void sl_connection_count_messages(struct sl_connection *connection, uint64_t count,
	uint64_t payload_bytes);

/* Counted reads and what they return: see sl_socket_read. */
ssize_t sl_connection_read(struct sl_connection *connection, void *bytes, size_t len);
ssize_t sl_connection_discard(struct sl_connection *connection, size_t len);

#endif
