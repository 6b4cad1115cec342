/* A socket on polling: a session (live/session.h), the GET that is held, and the clock of its pings.
 * Owner: the session's table, from open to close. Thread: its shard's. Errors: as each call says.
 *
 * Deadlines are judged when a request comes, too: the wheel's slot is 16 ms, and a pong counts from when its ping was
 * due. */
#ifndef SL_CLIENTS_EIO_SESSION_H
#define SL_CLIENTS_EIO_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/engine_io/eio_query.h"
#include "clients/engine_io/eio_socket.h"
#include "live/session.h"

struct sl_eio_user;
struct sl_owner;
struct sl_principal;
struct sl_request;
struct sl_visit;

struct sl_eio_session {
	struct sl_session session;    /* first */
	struct sl_eio_socket *socket; /* owns, until it moves or leaves; or NULL */
	struct sl_visit *held;        /* a GET without an answer; or NULL */
	struct sl_visit *taking;      /* the WebSocket that has said `5` waits for the socket; or NULL */
	struct sl_shard *prober;      /* that of the WebSocket that probes; or NULL */
	uint64_t ping_ms;             /* the next ping is due then */
	uint64_t pong_by_ms;          /* 0: no ping is without its answer */
	uint64_t noop_ms;             /* while it is probed: a GET that waits is answered with `6` then */
	bool is_probed;               /* the WebSocket works: its client waits for its GET to end */
	bool is_asking;               /* whether the WebSocket has said `5` before the GET that is held */
	bool was_opened;              /* its user has it */
	bool is_leaving;              /* its client has said `1`, and perhaps a GET is on its way */
};

/* A handshake: opens a session and its user. `address` as for sl_session_open(). Errors: those, and those of the user's
 * open(). */
int sl_eio_session_open(struct sl_eio_session **out, const struct sl_eio_user *user, struct sl_shard *shard,
	const struct sl_request *request, struct sl_owner *address);

/* The session that a visit is to, in time: NULL where there is none, with `*error` saying which. */
struct sl_eio_session *sl_eio_session_find(const struct sl_visit *visit, struct sl_shard *shard,
	const struct sl_eio_user *user, enum sl_eio_error *error);

/* A GET of a client that has said `1` meanwhile: answers it. False: it is not that. */
bool sl_eio_session_take_leave(struct sl_visit *visit, struct sl_shard *shard);

/* A GET. It is answered within, or held. */
void sl_eio_session_get(struct sl_eio_session *session, struct sl_visit *visit);

/* The packets of a POST. Errors: SL_EINVAL, one that is none: the session is closed; SL_ENOMEM. */
int sl_eio_session_post(struct sl_eio_session *session, struct sl_span payload);

/* The client of a visit has left: the GET that is held, or the WebSocket that is to take the socket. */
void sl_eio_session_leave(struct sl_eio_session *session, struct sl_visit *visit);

/* ---- for the upgrade (eio_upgrade.h) ---- */

/* A WebSocket works: a GET that is held goes, and others soon. */
void sl_eio_session_begin_probed(struct sl_eio_session *session);
/* It has gone: polling counts as before. */
void sl_eio_session_end_probe(struct sl_eio_session *session);

/* Nothing that the WebSocket said before the GET came is on its way any more: it is held. */
void sl_eio_session_go_on(struct sl_eio_session *session);

/* Answers a GET that is held, without messages: with what is queued, and the packet behind it. */
void sl_eio_session_answer_with(struct sl_eio_session *session, char packet);

#endif
