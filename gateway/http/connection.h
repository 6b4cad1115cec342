/* Connection: an HTTP client's link and subscriber, one allocation: shakes hands where its listener speaks
 * TLS, reads requests, has them judged, and answers, serves or relays them, one after the other.
 * Owner: itself, from accept to close. Thread: the shard's. Errors: one that fails is closed.
 *
 * (PREFACE) -> (HANDSHAKE) -> READING -> (BODY) -> SERVING (a transport) | WAITING (a publish,
 * libmicrohttpd) -> READING ... A transport may have it VISITING meanwhile (http/visit.h).
 * While a request is served the socket is not read, but by a transport that listens. What came behind a
 * request is kept, at most SL_READ_AHEAD bytes, and counts in --outbox-total. */
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
#define SL_HELD_MS 1000     /* after one that was above a limit: no Retry-After is less */

enum sl_phase {
	SL_PHASE_READING, SL_PHASE_BODY, SL_PHASE_SWALLOWING, SL_PHASE_WAITING, SL_PHASE_SERVING,
	SL_PHASE_HANDSHAKE,
	SL_PHASE_HELD,    /* its request was above a limit: it is read again when its owner may ask again */
	SL_PHASE_PREFACE, /* a trusted peer may send a PROXY header first (http/preface.h) */
	SL_PHASE_VISITING, /* its request is with a session (http/visit.h) */
};

/* How a client came. */
struct sl_arrival {
	int fd;
	const struct sockaddr_storage *peer;
	bool is_full;    /* accepted above a limit */
	bool speaks_tls; /* its listener does */
	bool is_admin;   /* its listener is for admins */
	struct sl_owner *owner; /* a reference: its peer's, by which it is counted; or NULL */
};

struct sl_connection {
	struct sl_link link; /* first */
	struct sl_subscriber subscriber;
	const struct sl_transport *transport; /* while SERVING, and that of the last request after it */
	struct sl_incoming *incoming;  /* owns; an incomplete request, or what came behind one; or NULL */
	struct sl_exchange *exchange;  /* libmicrohttpd answers it; or NULL */
	struct sl_visit *visit;        /* while VISITING; or NULL */
	struct sl_posting_request *posting; /* waits for its backend; or NULL */
	struct sl_preface *preface;    /* owns; of a trusted peer, or NULL */
	struct sl_handshake *handshake; /* while HANDSHAKE (http/handshake.c); or NULL */
	struct sl_owner *peer_owner;   /* a reference: whose connection it is; NULL: it counts in all alone */
	struct sl_owner *stream_owner; /* a reference: the subject whose stream is served; or NULL */
	char *cors_origin;             /* owns; of the request being answered; or NULL */
	uint8_t phase;                 /* enum sl_phase */
	bool keep_alive;               /* after this answer */
	bool is_head;                  /* which is to HEAD */
	bool speaks_tls;               /* its listener does */
	bool is_secure;                /* its requests came by https: so says the listener, or a trusted
	                                * proxy */
	bool has_served;               /* its transport's finish() is owed */
	bool has_credentials : 1;      /* of the CORS fields */
	bool is_full : 1;              /* accepted above a limit: its next request is refused */
	bool lacks_tls : 1;            /* its client does not speak TLS: its requests are refused */
	bool is_admin : 1;             /* its listener is for admins (http/gate.h) */
	bool came_secure : 1;          /* is_secure, before the fields of a request said otherwise */
	bool is_forwarded : 1;         /* client and is_secure are those of the request (http/trust.h) */
	bool is_above_limit : 1;       /* so says the answer */
	bool is_client_counted : 1;    /* among its owner's connections, as long as that */
	bool is_client_full : 1;       /* above its limit: the request is refused */
	_Alignas(16) char extra[];     /* the transport's; as many as create() was told */
};

/* Takes `arrival->fd` and `arrival->owner`, and begins. Returns new, or NULL with both left to the caller. */
struct sl_connection *sl_connection_create(struct sl_front *front,
	const struct sl_arrival *arrival);

/* The first bytes of what the client says, if any, are here: from now on they are a handshake where its
 * listener speaks TLS, else requests. `bytes` are changed. */
void sl_connection_begin(struct sl_connection *connection, char *bytes, size_t len);

/* The handshake is over: requests are read. */
void sl_connection_read_requests(struct sl_connection *connection);

static inline struct sl_connection *
sl_connection_of_link(struct sl_link *link)
{
	return (struct sl_connection *)link;
}

struct sl_connection *sl_connection_of_subscriber(struct sl_subscriber *subscriber);

/* What the transport keeps. */
static inline void *
sl_connection_get_extra(struct sl_connection *connection)
{
	return connection->extra;
}

/* ---- for transports ---- */

/* An answer's head for this client: the CORS fields of its request, and whether it closes. `response`
 * is filled otherwise. */
void sl_connection_fill_response(const struct sl_connection *connection,
	struct sl_response *response);

/* True when nothing in an answer is this client's own: kept, and no CORS fields. */
static inline bool
sl_connection_shares_answers(const struct sl_connection *connection)
{
	return connection->keep_alive && !connection->cors_origin;
}

/* The answer is queued: what follows it is the next request, or the end. */
void sl_connection_conclude(struct sl_connection *connection);

/* Queues a reply as the answer, finishes it, and concludes. */
void sl_connection_send_reply(struct sl_connection *connection, struct sl_reply *reply);

/* The same, with a wire (NULL: none) behind the reply's body. */
void sl_connection_send_reply_with(struct sl_connection *connection, struct sl_reply *reply, struct sl_wire *wire);

/* ---- for visits (http/visit.h) ---- */

/* Reads what came meanwhile, and what comes, where its transport is served on and reads. */
void sl_connection_read_on(struct sl_connection *connection);

/* ---- for those who read and serve requests (http/incoming.h, http/serve.h) ---- */

/* Opens the request's transport. Errors: those of open(). */
int sl_connection_serve(struct sl_connection *connection, const struct sl_request *request);

/* The answer comes later: nothing is read until then. */
void sl_connection_wait(struct sl_connection *connection);

/* True when its client may speak while it is served; bytes that came with the request go there. */
bool sl_connection_reads_on(const struct sl_connection *connection);
void sl_connection_receive(struct sl_connection *connection, char *bytes, size_t len);

/* For the relay: the answer's end. */
void sl_connection_end_answer(struct sl_connection *connection, bool closes);

#endif
