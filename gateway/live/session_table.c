#include "live/session_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/owners.h"
#include "live/session.h"
#include "live/shard.h"
#include "util/base64.h"
#include "util/crypto.h"
#include "util/err.h"

#define ID_BYTES 15
#define EVICTED_FOR_ONE 16 /* the table may have become smaller */
#define WORK_PER_TURN 256
#define DRAINED_A_TICK 64  /* so few come back together that nobody minds */

struct sl_moved_session {
	UT_hash_handle hh;
	char id[SL_SESSION_ID_LEN];
};

/* ---- ids ---- */

static int
get_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

int
sl_session_find_shard(struct sl_span id, unsigned shard_count)
{
	if (id.len != SL_SESSION_ID_LEN)
		return SL_ENOENT;
	for (size_t i = 0; i < id.len; i++)
		if (get_digit(id.bytes[i]) < 0)
			return SL_ENOENT;
	unsigned shard = (unsigned)get_digit(id.bytes[0]) << 2 | (unsigned)get_digit(id.bytes[1]) >> 4;
	return shard < shard_count ? (int)shard : SL_ENOENT;
}

/* Nobody can guess one: who knows it is who was given it. */
static int
make_id(unsigned shard, char id[SL_SESSION_ID_LEN])
{
	uint8_t bytes[ID_BYTES] = { (uint8_t)shard };
	int err = sl_crypto_random(bytes + 1, sizeof bytes - 1);
	if (err != 0)
		return err;
	sl_base64_encode(id, bytes, sizeof bytes);
	for (size_t i = 0; i < SL_SESSION_ID_LEN; i++) {
		if (id[i] == '+')
			id[i] = '-';
		else if (id[i] == '/')
			id[i] = '_';
	}
	return 0;
}

/* ---- the table ---- */

void
sl_session_table_init(struct sl_session_table *table)
{
	*table = (struct sl_session_table){ 0 };
	sl_tally_init(&table->tally);
	TAILQ_INIT(&table->work);
	TAILQ_INIT(&table->queued);
}

void
sl_session_table_finish(struct sl_session_table *table)
{
	struct sl_moved_session *moved, *next;
	assert(!table->sessions);
	HASH_ITER(hh, table->moved, moved, next) {
		HASH_DEL(table->moved, moved);
		free(moved);
	}
}

static bool
is_full(const struct sl_shard *shard)
{
	uint64_t share = shard->config->max_sessions / shard->count;
	return HASH_COUNT(shard->sessions.sessions) >= (share ? share : 1);
}

static void
make_room(struct sl_shard *shard)
{
	for (unsigned i = 0; i < EVICTED_FOR_ONE && is_full(shard); i++) {
		struct sl_tally_entry *oldest = sl_tally_get_oldest_of_most(&shard->sessions.tally);
		struct sl_session *session = (struct sl_session *)
			((char *)oldest - offsetof(struct sl_session, tally));
		sl_metrics_add(&shard->metrics, SL_COUNTER_SESSIONS_EVICTED, 1);
		sl_session_end(session, SL_END_LIMIT);
	}
}

int
sl_session_table_add(struct sl_shard *shard, struct sl_session *session)
{
	struct sl_session_table *table = &shard->sessions;
	make_room(shard);
	if (is_full(shard))
		return SL_EFULL;
	int err = make_id(shard->index, session->id);
	if (err == 0)
		err = sl_tally_join(&table->tally, &session->tally, sl_owner_get_id(session->opener));
	if (err != 0)
		return err;
	HASH_ADD(hh, table->sessions, id, SL_SESSION_ID_LEN, session);
	if (!sl_table_holds(session, hh)) {
		sl_tally_leave(&table->tally, &session->tally);
		return SL_ENOMEM;
	}
	sl_tally_list(&table->tally, &session->tally);
	return 0;
}

void
sl_session_table_remove(struct sl_shard *shard, struct sl_session *session)
{
	struct sl_session_table *table = &shard->sessions;
	if (table->outdated == session)
		table->outdated = session->hh.next;
	HASH_DEL(table->sessions, session);
	sl_tally_leave(&table->tally, &session->tally);
}

struct sl_session *
sl_session_find(struct sl_shard *shard, struct sl_span id)
{
	struct sl_session *session = NULL;
	if (id.len == SL_SESSION_ID_LEN)
		HASH_FIND(hh, shard->sessions.sessions, id.bytes, SL_SESSION_ID_LEN, session);
	if (!session || !session->first_by_ms || shard->loop.now_ms < session->first_by_ms)
		return session;
	sl_session_expire(session);
	return NULL;
}

/* ---- those that went on elsewhere ---- */

static struct sl_moved_session *
find_moved(const struct sl_shard *shard, struct sl_span id)
{
	struct sl_moved_session *moved = NULL;
	if (id.len == SL_SESSION_ID_LEN)
		HASH_FIND(hh, shard->sessions.moved, id.bytes, SL_SESSION_ID_LEN, moved);
	return moved;
}

int
sl_session_note_moved(struct sl_shard *shard, struct sl_span id)
{
	struct sl_moved_session *moved = malloc(sizeof *moved);
	if (!moved)
		return SL_ENOMEM;
	memcpy(moved->id, id.bytes, SL_SESSION_ID_LEN);
	HASH_ADD(hh, shard->sessions.moved, id, SL_SESSION_ID_LEN, moved);
	if (sl_table_holds(moved, hh))
		return 0;
	free(moved);
	return SL_ENOMEM;
}

bool
sl_session_has_moved(const struct sl_shard *shard, struct sl_span id)
{
	return find_moved(shard, id) != NULL;
}

void
sl_session_forget_moved(struct sl_shard *shard, struct sl_span id)
{
	struct sl_moved_session *moved = find_moved(shard, id);
	if (!moved)
		return;
	HASH_DEL(shard->sessions.moved, moved);
	free(moved);
}

/* ---- turns ---- */

void
sl_session_table_begin_log(struct sl_shard *shard)
{
	shard->sessions.outdated = shard->sessions.sessions;
}

static void
end_outdated(struct sl_session_table *table)
{
	for (unsigned i = 0; i < WORK_PER_TURN && table->outdated; i++) {
		struct sl_subscriber *s = &table->outdated->subscriber;
		table->outdated = table->outdated->hh.next;
		if (sl_subscriber_is_outdated(s))
			sl_subscriber_end_in_order(s, SL_END_EPOCH, 0);
	}
}

bool
sl_session_table_work(struct sl_shard *shard)
{
	struct sl_session_table *table = &shard->sessions;
	end_outdated(table);
	for (unsigned i = 0; i < WORK_PER_TURN && !TAILQ_EMPTY(&table->work); i++) {
		struct sl_session *session = TAILQ_FIRST(&table->work);
		TAILQ_REMOVE(&table->work, session, work);
		session->has_work = false;
		sl_session_work(session);
	}
	return table->outdated || !TAILQ_EMPTY(&table->work);
}

/* ---- the end ---- */

static void
drain_some(struct sl_timer *timer)
{
	struct sl_session_table *table = (struct sl_session_table *)
		((char *)timer - offsetof(struct sl_session_table, drain));
	struct sl_loop *loop = &table->sessions->subscriber.shard->loop;
	uint64_t left_ms = table->drained_by_ms > loop->now_ms ? table->drained_by_ms - loop->now_ms : 0;
	uint64_t count = HASH_COUNT(table->sessions) / (left_ms / SL_TIMER_TICK_MS + 1);
	if (count < DRAINED_A_TICK)
		count = DRAINED_A_TICK;
	for (uint64_t i = 0; i < count && table->sessions; i++)
		sl_subscriber_end(&table->sessions->subscriber, SL_END_DRAINING);
	if (table->sessions)
		sl_timer_set(&loop->timers, timer, loop->now_ms + 1); /* the next slot */
}

void
sl_session_table_drain(struct sl_shard *shard)
{
	struct sl_session_table *table = &shard->sessions;
	if (!table->sessions)
		return;
	table->drained_by_ms = shard->loop.now_ms + shard->config->drain_ms / 2;
	sl_timer_init(&table->drain, drain_some);
	drain_some(&table->drain);
}

bool
sl_session_table_end_queued(struct sl_shard *shard)
{
	struct sl_session *session = TAILQ_FIRST(&shard->sessions.queued);
	if (session)
		sl_subscriber_end(&session->subscriber, SL_END_SLOW_CONSUMER);
	return session != NULL;
}

void
sl_session_table_close_all(struct sl_shard *shard)
{
	while (shard->sessions.sessions)
		sl_session_close(shard->sessions.sessions);
}
