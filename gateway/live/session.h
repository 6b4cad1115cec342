/* Session: a subscriber without a link, for a client that polls. It lives between two requests of the client
 * too. It has channels, a position, and queued answers to its own client. It holds no message for an absent
 * client: without a held GET the subscriber is DETACHED, and the next GET reads from history.
 * Owner: the code that opened it, on the heap; the shard has a table of them (live/session_table.h). Freed at
 * the end of the turn in which it closed. Thread: its shard's. Errors: as each call says.
 *
 * Its encoder is one-shot. A session ends with sl_session_close(). Its user calls this on its own, or because
 * ops->end asks for it. A session whose first GET does not come within SL_SESSION_FIRST_MS ends too. */
#ifndef SL_LIVE_SESSION_H
#define SL_LIVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/loop.h"
#include "live/subscriber.h"
#include "util/span.h"
#include "util/table.h"
#include "util/tally.h"

struct sl_session;

#define SL_SESSION_ID_LEN 20      /* base64url of 15 bytes: the shard, 14 random ones */
/* Bytes of queued answers; one answer always fits. The longest answer names all channels that a client may
 * have, each of the greatest length, twice. */
#define SL_SESSION_QUEUE_MAX 65536
#define SL_SESSION_FIRST_MS 10000 /* until the first GET */

/* All are mandatory. */
struct sl_session_ops {
	/* A GET is held: answers it with the queued bytes, and messages behind them, all or a first part. If
	 * answer->count is 0, answers it with the queued bytes alone. Within the call, call sl_session_advance()
	 * for the messages sent, and sl_session_release() for the answered GET. */
	void (*answer)(struct sl_session *session, const struct sl_answer *answer);
	/* The time of sl_session_set_timer() has come. */
	void (*on_timer)(struct sl_session *session);
	/* The gateway ends the session: answers a held GET. The session is closed when this returns. */
	void (*end)(struct sl_session *session, enum sl_end_reason reason);
	/* The session closes, once: every object that refers to it lets go. */
	void (*on_close)(struct sl_session *session);
};

struct sl_session {
	struct sl_subscriber subscriber; /* first */
	const struct sl_session_ops *ops;
	char id[SL_SESSION_ID_LEN];      /* no terminator */
	bool is_open;
	bool is_held;                    /* a GET is held */
	bool has_work;
	struct {
		char *bytes;             /* owns; NULL while it is empty */
		uint32_t len, cap;
	} queue;                         /* counts in --outbox-total */
	struct sl_timer timer;
	uint64_t due_ms;                 /* its user's; 0: none */
	uint64_t first_by_ms;            /* deadline of the first GET; 0: it has come */
	struct sl_owner *opener;         /* a reference: the owner that pays for the session (core/owners.h); or NULL */
	struct sl_owner *address;        /* a reference: the client's address, in any case; or NULL */
	struct sl_tally_entry tally;     /* this and the following fields belong to the table */
	UT_hash_handle hh;
	TAILQ_ENTRY(sl_session) queued;  /* while its queue has bytes */
	union {
		TAILQ_ENTRY(sl_session) work; /* while it has_work */
		struct sl_deferred deferred;  /* once it is closed */
	};
};

/* Opens a session. `session` is all zero, and first in a struct of its user's. It then has an id and is at the
 * head, without channels. If the principal has no owner, `address` owns the session (both may be NULL;
 * references are taken). A full table ends another session for it. Errors: SL_ELIMITED, its owner has as many
 * sessions as it may; SL_EDRAINING; SL_EFULL, SL_ENOMEM, SL_EIO. On an error nothing was taken, and the memory
 * stays the caller's. */
int sl_session_open(struct sl_session *session, struct sl_shard *shard, const struct sl_session_ops *ops,
	const struct sl_encoder *encoder, struct sl_principal *principal, struct sl_owner *address);

static inline struct sl_session *
sl_session_of_subscriber(struct sl_subscriber *subscriber)
{
	return (struct sl_session *)subscriber;
}

/* Queues an answer to its own client, framed by its user. A held GET takes it at the end of this turn. Errors:
 * SL_EFULL, the queue is full; SL_ENOMEM. */
int sl_session_queue(struct sl_session *session, const char *bytes, size_t len);

/* Returns the queued bytes. Borrowed until the next call for this session. */
struct sl_span sl_session_get_queue(const struct sl_session *session);
/* The queued bytes were sent. */
void sl_session_clear_queue(struct sl_session *session);

/* A GET has come, and none is held. True: it waits. False: ops->answer or ops->end was called. */
bool sl_session_hold(struct sl_session *session);

/* The first `count` messages of an answer are on their way: counts them. The rest of the answer comes again. */
void sl_session_advance(struct sl_session *session, const struct sl_answer *answer, size_t count);

/* The GET is answered, or its client has left. Also allowed without a held GET. */
void sl_session_release(struct sl_session *session);

/* Its client has shown its presence by another request than a GET: its idle time starts again. */
void sl_session_touch(struct sl_session *session);

/* Schedules ops->on_timer for `due_ms`, or a little later (core/timer.h). 0: cancels it. */
void sl_session_set_timer(struct sl_session *session, uint64_t due_ms);

/* Closes the session, and counts a client that did not come back in time. Its user answers a held GET. */
void sl_session_expire(struct sl_session *session);

/* Leaves its channels and the table. Allowed twice. */
void sl_session_close(struct sl_session *session);

/* The same without ops->on_close: the session continues elsewhere with all data of its user. Its id is
 * remembered (sl_session_has_moved) until sl_session_forget_moved(). Errors: SL_ENOMEM, it stays. */
int sl_session_move_away(struct sl_session *session);

/* For live/session_table.h: ends the session, and closes it in any case. */
void sl_session_end(struct sl_session *session, enum sl_end_reason reason);
/* For live/session_table.h: does the session's part of a turn. */
void sl_session_work(struct sl_session *session);

#endif
