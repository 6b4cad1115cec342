/* Transport: a way of reaching a client; one of the two contracts (the other is bus/backend.h).
 * Owner: constants, listed in transports/registry.c in the order of the design. Thread: each call on
 * the connection's shard. Errors: as each slot says.
 *
 * To add one: fill const encoders (live/encoder.h) and a const struct sl_transport, export it, add it to
 * the registry. live/ does channels, positions, history, outbox, heartbeats and closing; a
 * transport begins the answer, and reads what its client sends. What it keeps for a connection stands
 * behind struct sl_connection, in the same allocation. transports/stream.c is the smallest
 * complete example. */
#ifndef SL_HTTP_TRANSPORT_H
#define SL_HTTP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/metrics.h"

struct sl_config;
struct sl_connection;
struct sl_gate_refusal;
struct sl_reply;
struct sl_request;
struct sl_response;

enum sl_transport_capability {
	SL_HOLDS = 1,             /* serves its path only where the request may be held */
	SL_HAS_LAST_EVENT_ID = 2, /* its native client says where it was in that header */
	SL_UPGRADES = 4,          /* its requests are upgrades: a token may come among the subprotocols, and a
	                           * page of any origin can send one */
	SL_ANSWERS_ONCE = 8,      /* its encoders are SL_ONE_SHOT: its client asks again and again */
	SL_TAKES_BODY = 16,       /* of a POST, whole and decoded: open() finds it in request->body */
	SL_REFUSES = 32,          /* refuse() is asked for each refusal at its path: its clients read no others */
	SL_HAS_SESSIONS = 64,     /* its requests are visits to sessions (http/visit.h): those are counted, not its streams,
	                           * and its answers by their status */
};

struct sl_transport {
	const char *name;
	const char *path; /* below the base path */
	enum sl_class class;
	unsigned capabilities;
	size_t extra_size; /* of what it keeps for a connection (sl_connection_get_extra), zeroed before open */

	/* Optional. Refuses a request that this transport cannot serve: fills `refusal` and returns a
	 * negative error. */
	int (*check)(struct sl_connection *connection, const struct sl_request *request,
		struct sl_reply *refusal);

	/* Optional. The most bytes that a body may have, of one that takes them. */
	uint64_t (*get_body_max)(const struct sl_config *config);

	/* Optional, where its native client would give up for good on an error status, and tell its page
	 * nothing: fills `reply` with a refusal, for lack of room or for who asks, that such a client can
	 * read, and which tells it when to come back. False: the error status will do. With SL_REFUSES for
	 * every refusal; Allow, the challenge and CORS are added to what it fills. */
	bool (*refuse)(struct sl_reply *reply, const struct sl_request *request,
		const struct sl_gate_refusal *refusal);

	/* Optional (then HEAD is refused). The response head with which open() begins, for
	 * HEAD, which joins nothing. */
	void (*describe)(struct sl_connection *connection, const struct sl_request *request,
		struct sl_response *response);

	/* Mandatory. Begins to serve: initialises the connection's subscriber, joins the channels
	 * (live/join.h), queues the response head and begins. Errors: any, with nothing queued: the
	 * request is answered with the error. */
	int (*open)(struct sl_connection *connection, const struct sl_request *request);

	/* Optional. Bytes from the client while it is served: what came behind the request first. Returns how
	 * many of them are done with: the others, for which no steps are left (live/share.h), come again in the
	 * connection's next turn. NULL: its client has nothing to say; a one-shot transport's next request
	 * waits. */
	size_t (*receive)(struct sl_connection *connection, char *bytes, size_t len);

	/* Optional. The timer, where the subscriber has no use for it (a hold runs out). */
	void (*on_timer)(struct sl_connection *connection);

	/* Optional. Frees what stands in the extra; once for each open(). */
	void (*finish)(struct sl_connection *connection);
};

#endif
