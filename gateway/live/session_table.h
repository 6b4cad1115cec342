/* Session table: the sessions of a shard by their ids, and the limit on their number.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * A shard has its share of --max-sessions. In a full table a new session replaces another one: of the owner
 * that has most sessions (util/tally.h), the session that was idle for longest. core/owners.h limits the
 * sessions of one owner on all shards. */
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
	struct sl_moved_session *moved; /* ids of sessions that continue elsewhere */
	struct sl_tally tally;          /* all sessions, since each may be evicted */
	TAILQ_HEAD(, sl_session) work;
	TAILQ_HEAD(, sl_session) queued; /* those with queued answers, longest wait first */
	uint64_t queued_bytes;
	struct sl_session *outdated;    /* the next session to examine (live/outage.h); NULL: none is left */
	struct sl_timer drain;
	uint64_t drained_by_ms;
};

void sl_session_table_init(struct sl_session_table *table);
/* Call it when no session is open. */
void sl_session_table_finish(struct sl_session_table *table);

/* Gives a session its id, makes room, and adds it. Errors: SL_ENOMEM, SL_EIO, SL_EFULL. */
int sl_session_table_add(struct sl_shard *shard, struct sl_session *session);
void sl_session_table_remove(struct sl_shard *shard, struct sl_session *session);

/* Returns the open session of that id, or NULL. Ends a session whose first GET is late, and does not return it. */
struct sl_session *sl_session_find(struct sl_shard *shard, struct sl_span id);

/* Returns the shard of an id, of `shard_count`. Errors: SL_ENOENT: no id of ours. Any thread. */
int sl_session_find_shard(struct sl_span id, unsigned shard_count);

/* Remembers the id of a session that moved. Errors: SL_ENOMEM. */
int sl_session_note_moved(struct sl_shard *shard, struct sl_span id);
bool sl_session_has_moved(const struct sl_shard *shard, struct sl_span id);
void sl_session_forget_moved(struct sl_shard *shard, struct sl_span id);

/* ---- for the shard's turn ---- */

/* Answers held GETs for which messages or answers came, and ends sessions of an old log, some in each turn.
 * True if there is more to do. */
bool sl_session_table_work(struct sl_shard *shard);

/* The log is another one: sessions of the old log end. */
void sl_session_table_begin_log(struct sl_shard *shard);

/* Ends all sessions, spread over half of the drain time. Their clients come back at once, and all together
 * would be too many for the next gateway. */
void sl_session_table_drain(struct sl_shard *shard);

/* Ends the session whose answers have waited for longest, since its client is the least likely to take them.
 * False: no session has queued answers. */
bool sl_session_table_end_queued(struct sl_shard *shard);

/* Closes all sessions at once. */
void sl_session_table_close_all(struct sl_shard *shard);

static inline bool
sl_session_table_has_any(const struct sl_session_table *table)
{
	return table->sessions != NULL;
}

#endif
