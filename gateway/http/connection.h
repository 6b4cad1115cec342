/* Connection: an HTTP client's link and subscriber in one allocation. It does the TLS handshake if its listener
 * speaks TLS. It reads requests, has them judged, and answers, serves or relays them, one after the other.
 * Owner: itself, from accept to close. Thread: the shard's. Errors: a connection that fails is closed.
 *
 *   (PREFACE) -> (HANDSHAKE) -> READING -> (BODY) -> SERVING (a transport) | WAITING (a publish,
 *   libmicrohttpd) -> READING ... A transport may have it VISITING meanwhile (http/visit.h).
 *
 * While a request is served the socket is not read, except by a transport that listens. Bytes behind a request
 * are kept, at most SL_READ_AHEAD, and count in --outbox-total. */
#ifndef SL_HTTP_CONNECTION_H
#define SL_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/access.h"
#include "live/link.h"
#include "live/subscriber.h"

struct sl_exchange;
struct sl_handshake;
struct sl_front;
struct sl_incoming;
struct sl_owner;
struct sl_posting_request;
struct sl_preface;
struct sl_reply;
struct sl_request;
struct sl_response;
struct sl_transport;
struct sl_visit;
struct sl_wire;

#define SL_READ_AHEAD 16384 /* bytes read at a time while requests are read */
#define SL_IDLE_MS 75000    /* before a first request; longer than most proxies wait */
#define SL_PARKED_MS 65000  /* between two requests */
#define SL_HELD_MS 1000     /* after a request above a limit: no Retry-After is less */

enum sl_phase {
	SL_PHASE_READING, SL_PHASE_BODY, SL_PHASE_SWALLOWING, SL_PHASE_WAITING, SL_PHASE_SERVING,
	SL_PHASE_HANDSHAKE,
	SL_PHASE_HELD,    /* its request was above a limit: it is read again once its owner may ask again */
	SL_PHASE_PREFACE, /* a trusted peer may send a PROXY header first (http/preface.h) */
	SL_PHASE_VISITING, /* its request is at a session (http/visit.h) */
};

/* The facts about a new client. */
struct sl_arrival {
	int fd;
	const struct sockaddr_storage *peer;
	bool is_full;    /* accepted above a limit */
	bool speaks_tls; /* its listener does */
	bool is_admin;   /* its listener is for admins */
	struct sl_owner *owner; /* a reference: its peer's, which counts it; or NULL */
};

struct sl_connection {
	struct sl_link link; /* first */
	struct sl_subscriber subscriber;
	const struct sl_transport *transport; /* the present transport while SERVING, then that of the last request */
	struct sl_incoming *incoming;  /* owns; an incomplete request, or bytes behind a request; or NULL */
	struct sl_exchange *exchange;  /* the exchange that libmicrohttpd answers; or NULL */
	struct sl_visit *visit;        /* while VISITING; or NULL */
	struct sl_posting_request *posting; /* the publish that waits for its backend; or NULL */
	struct sl_preface *preface;    /* owns; of a trusted peer, or NULL */
	struct sl_handshake *handshake; /* while HANDSHAKE (http/handshake.c); or NULL */
	struct sl_owner *peer_owner;   /* a reference: the owner of the connection; NULL: it counts in the total alone */
	struct sl_owner *stream_owner; /* a reference: the subject of the served stream; or NULL */
	char *cors_origin;             /* owns; of the present request; or NULL */
	uint8_t phase;                 /* enum sl_phase */
	bool keep_alive;               /* may be kept after this answer */
	bool is_head;                  /* the answer is to HEAD */
	bool speaks_tls;               /* its listener does */
	bool is_secure;                /* its requests came by https, according to the listener or a trusted proxy */
	bool has_served;               /* call its transport's finish() later */
	bool has_credentials : 1;      /* of the CORS fields */
	bool is_full : 1;              /* accepted above a limit: its next request is refused */
	bool lacks_tls : 1;            /* its client does not speak TLS: its requests are refused */
	bool is_admin : 1;             /* its listener is for admins (http/gate.h) */
	bool came_secure : 1;          /* is_secure, before a request's fields changed it */
	bool is_forwarded : 1;         /* client and is_secure are those of the request's fields (http/trust.h) */
	bool is_above_limit : 1;       /* the answer is that the request is above a limit */
	bool is_client_counted : 1;    /* its client is counted among its owner's connections */
	bool is_client_full : 1;       /* its client is above its limit: the request is refused */
	_Alignas(16) char extra[];     /* the transport's; as many as create() was told */
};

/* Takes `arrival->fd` and `arrival->owner`, and begins. Returns new, or NULL with both left to the caller. */
struct sl_connection *sl_connection_create(struct sl_front *front,
	const struct sl_arrival *arrival);

/* Begins to read. The client's first bytes, if any, are here. They are a handshake if its listener speaks TLS,
 * otherwise requests. Changes `bytes`. */
void sl_connection_begin(struct sl_connection *connection, char *bytes, size_t len);

/* The handshake is over: reads requests from now on. */
void sl_connection_read_requests(struct sl_connection *connection);

static inline struct sl_connection *
sl_connection_of_link(struct sl_link *link)
{
	return (struct sl_connection *)link;
}

struct sl_connection *sl_connection_of_subscriber(struct sl_subscriber *subscriber);

/* Returns the transport's data for the connection. */
static inline void *
sl_connection_get_extra(struct sl_connection *connection)
{
	return connection->extra;
}

/* ---- for transports ---- */

/* Fills this client's part of an answer's head: the CORS fields of its request, and whether it closes. The
 * caller has filled the rest of `response`. */
void sl_connection_fill_response(const struct sl_connection *connection,
	struct sl_response *response);

/* True if no part of an answer is for this client alone: the connection is kept, and there are no CORS fields. */
static inline bool
sl_connection_shares_answers(const struct sl_connection *connection)
{
	return connection->keep_alive && !connection->cors_origin;
}

/* The answer is queued: goes on with the next request, or ends. */
void sl_connection_conclude(struct sl_connection *connection);

/* Queues a reply as the answer, finishes it, and concludes. */
void sl_connection_send_reply(struct sl_connection *connection, struct sl_reply *reply);

/* The same, with a wire (NULL: none) behind the reply's body. */
void sl_connection_send_reply_with(struct sl_connection *connection, struct sl_reply *reply, struct sl_wire *wire);

/* ---- for visits (http/visit.h) ---- */

/* Reads on if the connection is still served by a transport that reads: first the bytes that came meanwhile,
 * then new ones. */
void sl_connection_read_on(struct sl_connection *connection);

/* ---- for code that reads and serves requests (http/incoming.h, http/serve.h) ---- */

/* Opens the request's transport. Errors: those of open(). */
int sl_connection_serve(struct sl_connection *connection, const struct sl_request *request);

/* The answer comes later: reads nothing until then. */
void sl_connection_wait(struct sl_connection *connection);

/* True if its client may speak while it is served. Bytes behind the request then go to sl_connection_receive(). */
bool sl_connection_reads_on(const struct sl_connection *connection);
void sl_connection_receive(struct sl_connection *connection, char *bytes, size_t len);

/* For the relay: the answer has ended. */
void sl_connection_end_answer(struct sl_connection *connection, bool closes);

#endif
