/* Transport: the means by which messages reach a client. This is one of the two contracts (the other is
 * bus/backend.h).
 * Owner: constants, listed in transports/registry.c in the order of the design. Thread: each call on the
 * connection's shard. Errors: as each slot says.
 *
 * To add one: fill const encoders (live/encoder.h) and a const struct sl_transport, export it, and add it to
 * the registry. live/ does channels, positions, history, outbox, heartbeats and closing. A transport begins the
 * answer, and reads its client's bytes. Its data for a connection stands behind struct sl_connection, in the
 * same allocation. transports/stream.c is the smallest complete example. */
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
	SL_HOLDS = 1,             /* serves its path only if the request may be held */
	SL_HAS_LAST_EVENT_ID = 2, /* its native client sends its cursor in that header */
	SL_UPGRADES = 4,          /* its requests are upgrades: a token may be among the subprotocols, and a page of any
	                           * origin can send one */
	SL_ANSWERS_ONCE = 8,      /* its encoders are SL_ONE_SHOT: its client polls */
	SL_TAKES_BODY = 16,       /* takes the body of a POST, whole and decoded: open() finds it in request->body */
	SL_REFUSES = 32,          /* calls refuse() for each refusal at its path: its clients cannot read others */
	SL_HAS_SESSIONS = 64,     /* its requests are visits to sessions (http/visit.h): metrics count sessions, not
	                           * streams, and answers by their status */
};

struct sl_transport {
	const char *name;
	const char *path; /* below the base path */
	enum sl_class class;
	unsigned capabilities;
	size_t extra_size; /* of its data for a connection (sl_connection_get_extra), zeroed before open */

	/* Optional. Refuses a request that this transport cannot serve: fills `refusal` and returns a negative
	 * error. */
	int (*check)(struct sl_connection *connection, const struct sl_request *request,
		struct sl_reply *refusal);

	/* Optional, for a transport that takes bodies. Returns the most bytes of a body. */
	uint64_t (*get_body_max)(const struct sl_config *config);

	/* Optional. Fills `reply` with a refusal that the transport's client can read, and that tells the client
	 * when to come back. It is for native clients that would give up on an error status and report nothing to
	 * their page. It is called for lack of room and for a principal's refusal; with SL_REFUSES for every
	 * refusal. Allow, the challenge and CORS are added afterwards. False: the error status is good enough. */
	bool (*refuse)(struct sl_reply *reply, const struct sl_request *request,
		const struct sl_gate_refusal *refusal);

	/* Optional; without it HEAD is refused. Fills the response head with which open() begins, for HEAD, which
	 * joins nothing. */
	void (*describe)(struct sl_connection *connection, const struct sl_request *request,
		struct sl_response *response);

	/* Mandatory. Begins to serve: initialises the connection's subscriber, joins the channels (live/join.h),
	 * queues the response head and begins. Errors: any, with nothing queued: the request is answered with the
	 * error. */
	int (*open)(struct sl_connection *connection, const struct sl_request *request);

	/* Optional. Takes bytes from the client while it is served, first those behind the request. Returns the
	 * number of handled bytes. The others, for which no steps are left (live/share.h), come again in the
	 * connection's next turn. NULL: its client must not send; the next request of a one-shot transport waits. */
	size_t (*receive)(struct sl_connection *connection, char *bytes, size_t len);

	/* Optional. The timer is due, and the subscriber does not use it (the end of a hold). */
	void (*on_timer)(struct sl_connection *connection);

	/* Optional. Frees the contents of the extra; once for each open(). */
	void (*finish)(struct sl_connection *connection);
};

#endif
