/* Visit: a request for a session (live/session.h): served on the shard that has the session, answered on the one
 * that has the client. Where both are the same shard all is direct calls and nothing is copied; else it goes
 * through mailboxes, which keep the order in which visits were begun.
 * Owner: itself, from its beginning until its answer is home and nothing of it is on its way; the connection and
 * the session borrow it. Thread: "home" is the shard of the connection, "owner" that of the session; each call
 * says whose it is. Errors: SL_ENOMEM, nothing was begun.
 *
 *   home:  begin ----------------> on_answer, or the reply is sent     the client leaves
 *            \                     /                                     \
 *   owner:    arrive .... sl_visit_answer                                 leave (unless it was answered)
 *
 * While a visit is under way the connection reads nothing (SL_PHASE_VISITING): its next request waits, and that
 * its client leaves is noticed. How long that may take is the session's concern: the connection has no deadline.
 * Each visit that arrives must be answered, or have been left. */
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

/* A constant table of a family's. */
struct sl_visit_ops {
	/* Owner's thread, mandatory. It may answer within. */
	void (*arrive)(struct sl_visit *visit, struct sl_shard *owner);
	/* Owner's thread. The client has left, and has no answer: it is over, and may not be answered. Optional where
	 * arrive() always answers. */
	void (*leave)(struct sl_visit *visit, struct sl_shard *owner);
	/* Home's thread, optional. In place of sending `reply`: the connection is served by its transport again, and
	 * reads on afterwards where that has it so. */
	void (*on_answer)(struct sl_visit *visit, struct sl_connection *connection);
	/* Home's thread, mandatory where `result` is used. It was answered, and nobody is there any more to take
	 * what the answer brings. */
	void (*drop)(struct sl_visit *visit);
};

struct sl_visit {
	const struct sl_visit_ops *ops;
	struct sl_shard *home, *owner;
	unsigned kind;              /* the family's */
	bool is_brief;
	struct sl_span id;          /* the session's; borrows `id_bytes` */
	struct sl_span body;        /* until arrive() returns */
	void *user;                 /* the owner's: its session */
	struct sl_reply reply;      /* the owner fills it before it answers */
	void *result;               /* the same: what it brings beside, for on_answer or drop */

	/* ---- http/visit.c's own ---- */
	struct sl_connection *connection; /* home's: NULL once the client has left, or has its answer */
	struct sl_wire *wire;       /* a reference; behind the reply's body; on one shard alone */
	char *copy;                 /* owns: of the body, where it crosses, until it has arrived */
	bool is_answered;           /* owner's */
	_Atomic unsigned refs;      /* one of its way home, one of a leave on its way */
	struct sl_task task, leave_task;
	char id_bytes[SL_VISIT_ID_MAX];
};

/* What a visit is begun with: all is borrowed. */
struct sl_visit_call {
	const struct sl_visit_ops *ops;
	unsigned owner;             /* the index of the shard that has the session */
	unsigned kind;
	bool is_brief;              /* it is answered soon: a client that has only shut its side down has not left */
	struct sl_span id;          /* at most SL_VISIT_ID_MAX bytes */
	struct sl_span body;
};

/* Home: in a transport's open(), or later while it serves the connection, which then waits as above. The visit may
 * be over, and the connection closed, when this returns. Errors: SL_ENOMEM. */
int sl_visit_begin(struct sl_connection *connection, const struct sl_visit_call *call);

/* Home: without a client: nobody gets the answer (drop() does, where `result` is set). For what a shard has to tell
 * another of a session, such as that it is over. `connection` may be about to close. Errors: SL_ENOMEM. */
int sl_visit_send(struct sl_shard *home, const struct sl_visit_call *call);

/* Owner's thread, once for each visit that arrived and was not left: its reply is filled. The visit may be gone when
 * this returns. Messages in it are counted by the owner. */
void sl_visit_answer(struct sl_visit *visit);

/* The same; the body is that of the reply and a shared wire behind it, which is copied only where it crosses.
 * `wire` is borrowed. */
void sl_visit_answer_wire(struct sl_visit *visit, struct sl_wire *wire);

/* True where the client was on another shard than the session when it was begun: it crosses. */
static inline bool
sl_visit_crosses(const struct sl_visit *visit)
{
	return visit->home != visit->owner;
}

/* ---- for the connection ---- */

/* Home: its client has left. Allowed when there is no visit. */
void sl_visit_forget(struct sl_connection *connection);

#endif
