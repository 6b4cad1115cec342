/* Visit: a request for a session (live/session.h). The shard that has the session serves it; the shard that has
 * the client answers it. If both are the same shard, all steps are direct calls, and nothing is copied.
 * Otherwise mailboxes carry visits, in the order in which they began.
 * Owner: itself, from its beginning until its answer is home and no task of it is on its way. The connection
 * and the session borrow it. Thread: "home" is the shard of the connection, "owner" that of the session; each
 * call names its thread. Errors: SL_ENOMEM, nothing was begun.
 *
 *   home:  begin ----------------> on_answer, or the reply is sent     the client leaves
 *            \                     /                                     \
 *   owner:    arrive .... sl_visit_answer                                 leave (unless it was answered)
 *
 * During a visit the connection reads nothing (SL_PHASE_VISITING): its next request waits. It still notices a
 * client that leaves. The session decides how long a visit may take; the connection has no deadline. Each visit
 * that arrives must be answered, or have been left. */
#ifndef SL_HTTP_VISIT_H
#define SL_HTTP_VISIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/mailbox.h"
#include "http/reply.h"
#include "util/span.h"

struct sl_connection;
struct sl_shard;
struct sl_visit;
struct sl_wire;

#define SL_VISIT_ID_MAX 32 /* bytes of a session's id */

/* A constant table of a family. */
struct sl_visit_ops {
	/* Owner's thread, mandatory. The visit has arrived. It may answer within the call. */
	void (*arrive)(struct sl_visit *visit, struct sl_shard *owner);
	/* Owner's thread. The client has left without an answer. The visit is over; do not answer it. Optional if
	 * arrive() always answers. */
	void (*leave)(struct sl_visit *visit, struct sl_shard *owner);
	/* Home's thread, optional. Replaces sending `reply`. The connection's transport serves it again, and reads
	 * on afterwards if it is a transport that reads. */
	void (*on_answer)(struct sl_visit *visit, struct sl_connection *connection);
	/* Home's thread, mandatory if `result` is used. The visit was answered, but no client is left to take
	 * `result`. */
	void (*drop)(struct sl_visit *visit);
};

struct sl_visit {
	const struct sl_visit_ops *ops;
	struct sl_shard *home, *owner;
	unsigned kind;              /* the family's */
	bool is_brief;
	struct sl_span id;          /* the session's; borrows `id_bytes` */
	struct sl_span body;        /* valid until arrive() returns */
	void *user;                 /* the owner's: its session */
	struct sl_reply reply;      /* the owner fills it before it answers */
	void *result;               /* filled likewise: further data for on_answer or drop */

	/* ---- http/visit.c's own ---- */
	struct sl_connection *connection; /* home's: NULL once the client has left or has its answer */
	struct sl_wire *wire;       /* a reference: bytes behind the reply's body; only within one shard */
	char *copy;                 /* owns: a copy of a body that crosses, until it has arrived */
	bool is_answered;           /* owner's */
	_Atomic unsigned refs;      /* one for its way home, one for a leave on its way */
	struct sl_task task, leave_task;
	char id_bytes[SL_VISIT_ID_MAX];
};

/* The arguments of a new visit: all are borrowed. */
struct sl_visit_call {
	const struct sl_visit_ops *ops;
	unsigned owner;             /* the index of the shard that has the session */
	unsigned kind;
	bool is_brief;              /* it is answered soon, so a client that has only shut its side down counts as present */
	struct sl_span id;          /* at most SL_VISIT_ID_MAX bytes */
	struct sl_span body;
};

/* Home's thread. Begins a visit, in a transport's open() or later while it serves the connection. The
 * connection then waits as above. The visit may be over, and the connection closed, when this returns. Errors:
 * SL_ENOMEM. */
int sl_visit_begin(struct sl_connection *connection, const struct sl_visit_call *call);

/* Home's thread. Begins a visit without a client, so nobody gets the answer (drop() is called if `result` is
 * set). It carries news of a session to another shard, such as its end. `connection` may be about to close.
 * Errors: SL_ENOMEM. */
int sl_visit_send(struct sl_shard *home, const struct sl_visit_call *call);

/* Owner's thread, once for each visit that arrived and was not left, with its reply filled. The visit may be
 * gone when this returns. The owner counts the messages in it. */
void sl_visit_answer(struct sl_visit *visit);

/* The same; the body is that of the reply, with a shared wire behind it. The wire is copied only if the visit
 * crosses. Borrows `wire`. */
void sl_visit_answer_wire(struct sl_visit *visit, struct sl_wire *wire);

/* True if the visit crosses: its client and its session are on different shards. */
static inline bool
sl_visit_crosses(const struct sl_visit *visit)
{
	return visit->home != visit->owner;
}

/* ---- for the connection ---- */

/* Home's thread: its client has left. Also allowed without a visit. */
void sl_visit_forget(struct sl_connection *connection);

#endif
