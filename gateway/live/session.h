/* Session: a subscriber without a link: a client that polls, between two of its requests too. It has channels, a
 * position, and the answers to its own client that wait; no message is held for a client that is not there: while
 * no GET is held the subscriber is DETACHED, and the next GET reads from history.
 * Owner: whoever opened it, on the heap; the shard has a table of them (live/session_table.h). Freed at the end of the
 * turn in which it closed. Thread: its shard's. Errors: as each call says.
 *
 * Its encoder is one-shot. A session ends with sl_session_close(): its user says so, or is told to (ops->end), or its
 * first GET is not there in SL_SESSION_FIRST_MS. */
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
/* Bytes of answers that wait; one always fits. A client that names as many channels as it may, each as long as it may
 * be, is answered with all of them twice. */
#define SL_SESSION_QUEUE_MAX 65536
#define SL_SESSION_FIRST_MS 10000 /* until the first GET */

/* All are mandatory. */
struct sl_session_ops {
	/* A GET is held: answers it with what is queued, and behind it with messages, all or a first part;
	 * answer->count 0: with what is queued alone. sl_session_advance() says how far, sl_session_release() that it is
	 * answered; both within the call. */
	void (*answer)(struct sl_session *session, const struct sl_answer *answer);
	/* What sl_session_set_timer() asked for. */
	void (*on_timer)(struct sl_session *session);
	/* The gateway ends it: answers a GET that is held. It is closed when this returns. */
	void (*end)(struct sl_session *session, enum sl_end_reason reason);
	/* It closes, once: everything that hangs on it lets go. */
	void (*on_close)(struct sl_session *session);
};

struct sl_session {
	struct sl_subscriber subscriber; /* first */
	const struct sl_session_ops *ops;
	char id[SL_SESSION_ID_LEN];      /* no terminator */
	bool is_open;
	bool is_held;                    /* a GET is */
	bool has_work;
	struct {
		char *bytes;             /* owns; NULL while nothing waits */
		uint32_t len, cap;
	} queue;                         /* counted among what --outbox-total limits */
	struct sl_timer timer;
	uint64_t due_ms;                 /* its user's; 0: none */
	uint64_t first_by_ms;            /* the first GET; 0: it was there */
	struct sl_owner *opener;         /* a reference: who pays for having it (core/owners.h); or NULL */
	struct sl_owner *address;        /* a reference: the client's, whoever pays; or NULL */
	struct sl_tally_entry tally;     /* the table's, as what follows */
	UT_hash_handle hh;
	TAILQ_ENTRY(sl_session) queued;  /* while something waits */
	union {
		TAILQ_ENTRY(sl_session) work; /* while it has_work */
		struct sl_deferred deferred;  /* once it is closed */
	};
};

/* `session` is all zero, first in a struct of its user's. It has an id and is at the head, with no channels; `address`
 * owns it where the principal has no owner (both may be NULL; references are taken). Errors: SL_ELIMITED, its owner
 * has as many as it may; SL_EDRAINING; SL_EFULL, SL_ENOMEM, SL_EIO; nothing was taken, and the memory stays the
 * caller's. Where the table is full another session is ended for it. */
int sl_session_open(struct sl_session *session, struct sl_shard *shard, const struct sl_session_ops *ops,
	const struct sl_encoder *encoder, struct sl_principal *principal, struct sl_owner *address);

static inline struct sl_session *
sl_session_of_subscriber(struct sl_subscriber *subscriber)
{
	return (struct sl_session *)subscriber;
}

/* Adds an answer to its own client, as its user frames it: a GET that is held takes it at the end of this turn.
 * Errors: SL_EFULL, too much waits already; SL_ENOMEM. */
int sl_session_queue(struct sl_session *session, const char *bytes, size_t len);

/* What is queued. Borrowed until the session is told of something else. */
struct sl_span sl_session_get_queue(const struct sl_session *session);
/* It was sent. */
void sl_session_clear_queue(struct sl_session *session);

/* A GET is here, and none is held. True: it waits; else ops->answer or ops->end was called. */
bool sl_session_hold(struct sl_session *session);

/* The first `count` messages of an answer are on their way: they are counted, and what is left of it comes again. */
void sl_session_advance(struct sl_session *session, const struct sl_answer *answer, size_t count);

/* The GET is answered, or its client has gone. Also where none is held. */
void sl_session_release(struct sl_session *session);

/* Its client has shown that it is there by something else than a GET: it is idle from now on. */
void sl_session_touch(struct sl_session *session);

/* ops->on_timer is called at `due_ms`, or a little later (core/timer.h). 0: not any more. */
void sl_session_set_timer(struct sl_session *session, uint64_t due_ms);

/* It is counted as one whose client did not come back in time, and closes. A GET that is held is its user's to answer. */
void sl_session_expire(struct sl_session *session);

/* Leaves its channels and the table. Twice too. */
void sl_session_close(struct sl_session *session);

/* The same without ops->on_close: it goes on elsewhere, with all that its user had. Its id is remembered
 * (sl_session_has_moved) until sl_session_forget_moved(). Errors: SL_ENOMEM, it stays. */
int sl_session_move_away(struct sl_session *session);

/* For live/session_table.h: ends it, and has it closed whatever its user does. */
void sl_session_end(struct sl_session *session, enum sl_end_reason reason);
/* The same: its part of a turn. */
void sl_session_work(struct sl_session *session);

#endif
