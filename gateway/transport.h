/* Transport: a way of reaching a client; one of the two contracts (the other is
 * bus/backend.h).
 * Owner: constants, listed in transports/registry.c in the order of the design. Thread:
 * each call on the connection's shard. Errors: as each slot says.
 *
 * To add one: embed struct sl_connection first in a struct of your own, fill a const struct
 * sl_transport, export it as the file's only symbol, add it to the registry. The core
 * (live/) does channels, positions, history, outbox, heartbeats and closing; a transport
 * turns messages and control objects into bytes and reads what its client sends.
 * transports/stream.c is the smallest complete example. */
#ifndef SL_TRANSPORT_H
#define SL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/cursor.h"
#include "util/metrics.h"

struct sl_answer;
struct sl_buffer;
struct sl_connection;
struct sl_message;
struct sl_reply;
struct sl_request;
struct sl_shard;

enum sl_transport_capability {
	SL_HOLDS = 1,             /* serves its path only where the request may be held */
	SL_NEEDS_EMPTY_PIPE = 2,  /* bytes behind the request cannot be thrown away */
	SL_HAS_LAST_EVENT_ID = 4, /* its native client says where it was in that header */
	SL_ONLY_KEPT = 8,         /* worth a handover only if the connection is kept after it */
};

/* Wire formats of one transport; `encoding` picks the framing that subscribers share. */
#define SL_ENCODINGS_MAX 4

enum sl_control_type {
	SL_CONTROL_OPEN,
	SL_CONTROL_HEARTBEAT,
	SL_CONTROL_MARK,
	SL_CONTROL_GAP,
	SL_CONTROL_BYE,
	SL_CONTROL_ANSWER, /* ack, error: to what the client sent */
	SL_CONTROL_STATE,  /* subscribed, unsubscribed, pong: the same, with a cursor or a count */
	SL_CONTROL_TYPES
};

/* Why the gateway ends a connection; the names are the `reason` of bye. */
enum sl_end_reason {
	SL_END_DRAINING,
	SL_END_SLOW_CONSUMER,
	SL_END_GAP,        /* raw formats that have no other way to tell one */
	SL_END_PROTOCOL,   /* the client broke the protocol; no bye */
	SL_END_CLIENT,     /* the client said goodbye first; no bye */
	SL_END_REASONS
};

struct sl_control {
	enum sl_control_type type;
	const char *name;       /* the object's "type" */
	const char *object;     /* the JSON object */
	size_t object_len;
	struct sl_cursor cursor; /* the connection's position */
	struct sl_cursor resumed; /* gap only */
	enum sl_end_reason reason; /* bye only */
	unsigned retry_ms;         /* bye only */
};

struct sl_transport {
	const char *name;
	const char *path; /* below the base path */
	enum sl_class class;
	unsigned capabilities;
	size_t connection_size; /* of the struct that embeds struct sl_connection first */

	/* Optional. Refuses a request that this transport cannot serve: fills `refusal` and
	 * returns a negative error. The socket is still libmicrohttpd's. */
	int (*check)(struct sl_shard *shard, const struct sl_request *request,
		struct sl_reply *refusal);

	/* Optional, where its native client would give up for good on a 429: fills `reply` with
	 * a refusal for lack of room (`reason` is a word) that makes it come back. */
	void (*refuse_for_room)(struct sl_reply *reply, const char *reason);

	/* Mandatory. The socket has been handed over; sets `encoding`, joins the channels
	 * (live/join.h), puts the response head into the outbox and begins.
	 * Errors: any; the connection is closed. */
	int (*open)(struct sl_connection *connection, const struct sl_request *request);

	/* Mandatory. The socket is readable or its peer has closed. */
	void (*on_readable)(struct sl_connection *connection);

	/* Mandatory. Appends messages 0.. to `out` and notes the offset behind each in
	 * `ends`. Returns how many were framed: fewer than `count` only where an answer has a
	 * size limit, never 0. A pure function of its arguments, since its result is shared. */
	size_t (*frame_messages)(unsigned encoding, struct sl_message *const *messages,
		size_t count, struct sl_buffer *out, uint32_t *ends);

	/* Mandatory unless one-shot. Appends a control object in the connection's format;
	 * nothing where the format has no such thing. */
	void (*frame_control)(struct sl_connection *connection, const struct sl_control *control,
		struct sl_buffer *out);

	/* Mandatory unless one-shot. Appends what ends the stream cleanly (after bye). */
	void (*frame_end)(struct sl_connection *connection, enum sl_end_reason reason,
		struct sl_buffer *out);

	/* One-shot only: answers with what came, all of it or a first part. `gaps` says for
	 * which channels (by index) messages were lost, up to which number. */
	void (*answer)(struct sl_connection *connection, const struct sl_answer *answer);

	/* Optional. Every queued byte is with the kernel. */
	void (*on_flushed)(struct sl_connection *connection);

	/* Optional. The connection's timer, when the core has no use for it. */
	void (*on_timer)(struct sl_connection *connection);

	/* Optional. The client has been silent for one heartbeat: provoke an answer. */
	void (*ping)(struct sl_connection *connection);

	/* Optional. Frees what the embedding struct owns; once, at the end. */
	void (*finish)(struct sl_connection *connection);
};

#endif
