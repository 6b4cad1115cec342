/* Session table: the sessions of a shard by their ids, and how many there may be.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * A shard has its share of --max-sessions. Who comes when it is full gets the place of the session that was idle for
 * longest among those of the owner that has most (util/tally.h). How many one owner may have on all shards,
 * core/owners.h says. */
#ifndef SL_LIVE_SESSION_TABLE_H
#define SL_LIVE_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/timer.h"
#include "util/span.h"
#include "util/tally.h"

struct sl_moved_session;
struct sl_session;
struct sl_shard;

struct sl_session_table {
	struct sl_session *sessions;    /* by id, oldest first */
	struct sl_moved_session *moved; /* ids of those that went on elsewhere */
	struct sl_tally tally;          /* of those that may be evicted: all */
	TAILQ_HEAD(, sl_session) work;
	TAILQ_HEAD(, sl_session) queued; /* in which answers wait, longest first */
	uint64_t queued_bytes;
	struct sl_session *outdated;    /* the next one to be looked at (live/outage.h); NULL: all have been */
	struct sl_timer drain;
	uint64_t drained_by_ms;
};

void sl_session_table_init(struct sl_session_table *table);
/* No session is open. */
void sl_session_table_finish(struct sl_session_table *table);

/* Gives a session its id, makes room, and adds it. Errors: SL_ENOMEM, SL_EIO, SL_EFULL. */
int sl_session_table_add(struct sl_shard *shard, struct sl_session *session);
void sl_session_table_remove(struct sl_shard *shard, struct sl_session *session);

/* The open session of that id, or NULL. One whose first GET is late is ended here, and not found. */
struct sl_session *sl_session_find(struct sl_shard *shard, struct sl_span id);

/* Which shard's it is, of `shard_count`. Errors: SL_ENOENT: no id of ours. Any thread. */
int sl_session_find_shard(struct sl_span id, unsigned shard_count);

/* It is remembered. Errors: SL_ENOMEM. */
int sl_session_note_moved(struct sl_shard *shard, struct sl_span id);
bool sl_session_has_moved(const struct sl_shard *shard, struct sl_span id);
void sl_session_forget_moved(struct sl_shard *shard, struct sl_span id);

/* ---- for the shard's turn ---- */

/* Answers GETs for which something came, and ends sessions whose log is over, some in each turn. True when there is
 * more to do. */
bool sl_session_table_work(struct sl_shard *shard);

/* The log is another one: those of the old one end. */
void sl_session_table_begin_log(struct sl_shard *shard);

/* They end, spread over a part of the time that connections have to leave: their clients come back at once, and all
 * together would be too many for whoever takes them. */
void sl_session_table_drain(struct sl_shard *shard);

/* Ends the one in which answers wait for longest, since its client is the least likely to take them. False: none do. */
bool sl_session_table_end_queued(struct sl_shard *shard);

/* Closes all at once. */
void sl_session_table_close_all(struct sl_shard *shard);

static inline bool
sl_session_table_has_any(const struct sl_session_table *table)
{
	return table->sessions != NULL;
}

#endif
