#include "bus/nats_resync.h"

#include <string.h>

void
sl_nats_resync_init(struct sl_nats_resync *resync)
{
	memset(resync, 0, sizeof *resync);
}

uint64_t
sl_nats_resync_begin(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state)
{
	uint64_t floor = state->first > 0 ? state->first - 1 : 0;
	uint64_t lost = resync->lost, resyncs = resync->resyncs, heard_ms = resync->heard_ms;
	*resync = (struct sl_nats_resync){ .log = *state, .has_begun = true, .lost = lost,
		.resyncs = resyncs, .heard_ms = heard_ms, .has_target = state->has_leader,
		.target = state->last, .position = floor, .purged = floor, .earlier = { floor, floor } };
	return floor;
}

void
sl_nats_resync_reconnect(struct sl_nats_resync *resync)
{
	resync->has_consumer = false;
	resync->has_target = false;
	resync->given_up = NULL;
	resync->silences = 0;
}

/* ---- consumers ---- */

/* Only the stream's state can tell what a message meant. */
static bool
is_in_doubt(const struct sl_nats_resync *resync)
{
	return resync->is_suspect || resync->jump == SL_NATS_JUMP_SEEN;
}

bool
sl_nats_resync_must_create(const struct sl_nats_resync *resync)
{
	return resync->has_begun && !resync->has_consumer && !is_in_doubt(resync) &&
		resync->verdict == SL_NATS_SAME;
}

uint64_t
sl_nats_resync_get_start(const struct sl_nats_resync *resync)
{
	if (resync->witness)
		return resync->witness;
	return resync->position ? resync->position : 1;
}

void
sl_nats_resync_open(struct sl_nats_resync *resync, uint64_t now_ms)
{
	resync->has_consumer = true;
	resync->is_confirmed = resync->position == 0; /* nothing can be another message */
	resync->dseq = resync->sent = 0;
	resync->sign_ms = now_ms;
	resync->stuck_ms = now_ms;
}

void
sl_nats_resync_confirm_open(struct sl_nats_resync *resync, uint64_t now_ms)
{
	resync->sign_ms = now_ms;
	if (resync->heard_ms == 0)
		resync->heard_ms = now_ms;
}

void
sl_nats_resync_give_up(struct sl_nats_resync *resync, const char *reason)
{
	if (!resync->has_consumer)
		return;
	resync->has_consumer = false;
	resync->given_up = reason;
	resync->resyncs++;
}

/* ---- what it sends ---- */

static void
note_sign(struct sl_nats_resync *resync, uint64_t now_ms)
{
	resync->sign_ms = resync->heard_ms = now_ms;
	resync->silences = 0;
}

static void
remember(struct sl_nats_resync *resync, uint64_t seq, int64_t time_ns)
{
	resync->witness = seq;
	resync->times[seq % SL_NATS_TIMES].seq = seq;
	resync->times[seq % SL_NATS_TIMES].time_ns = time_ns;
}

/* True where the number had another message. */
static bool
is_another(const struct sl_nats_resync *resync, const struct sl_nats_reply *message)
{
	size_t at = message->sseq % SL_NATS_TIMES;
	return resync->times[at].seq == message->sseq && resync->times[at].time_ns != message->time_ns;
}

/* A message that was read before, or taken for lost. The witness shows that this is the log; what lies further
 * below comes from a node that lags, or from a log that was rolled back. */
static void
see_again(struct sl_nats_resync *resync, const struct sl_nats_reply *message)
{
	if (is_another(resync, message)) {
		resync->is_suspect = true;
		sl_nats_resync_give_up(resync, "another-message");
	} else if (message->sseq == resync->witness || message->sseq == resync->position) {
		resync->is_confirmed = true;
	}
}

/* Whatever is behind it is kept from the reader for good. */
static void
pass_over(struct sl_nats_resync *resync, uint64_t through, uint64_t *lost_through)
{
	resync->lost += through - resync->position;
	*lost_through = through;
}

bool
sl_nats_resync_see(struct sl_nats_resync *resync, const struct sl_nats_reply *message,
	uint64_t now_ms, uint64_t *lost_through)
{
	*lost_through = 0;
	if (!resync->has_consumer)
		return false;
	note_sign(resync, now_ms);
	if (message->dseq != resync->dseq + 1) {
		sl_nats_resync_give_up(resync, "hole");
		return false;
	}
	resync->dseq = message->dseq;
	resync->sent = message->sseq;
	if (message->sseq <= resync->position) {
		see_again(resync, message);
		return false;
	}
	/* Numbers are missing, the position's own at least: are they gone, or does this node lack them? */
	bool is_next = resync->is_confirmed && message->sseq == resync->position + 1;
	bool is_floor = message->sseq <= resync->log.first;
	if (!is_next && !is_floor && resync->jump != SL_NATS_JUMP_CHECKED) {
		resync->jump = SL_NATS_JUMP_SEEN;
		sl_nats_resync_give_up(resync, "jump");
		return false;
	}
	if (message->sseq > resync->position + 1)
		pass_over(resync, message->sseq - 1, lost_through);
	resync->position = message->sseq;
	resync->is_confirmed = true;
	resync->jump = SL_NATS_NO_JUMP;
	resync->jumps = 0;
	remember(resync, message->sseq, message->time_ns);
	return true;
}

/* Its number is the next one, most likely. If not, the message behind it shows that. */
void
sl_nats_resync_skip(struct sl_nats_resync *resync, uint64_t now_ms)
{
	if (!resync->has_consumer)
		return;
	note_sign(resync, now_ms);
	resync->dseq++;
	if (resync->sent == 0)
		return;
	resync->sent++;
	if (resync->is_confirmed && resync->sent == resync->position + 1)
		resync->position++;
}

void
sl_nats_resync_hear(struct sl_nats_resync *resync, uint64_t dseq, uint64_t now_ms,
	uint64_t *lost_through)
{
	*lost_through = 0;
	if (!resync->has_consumer)
		return;
	note_sign(resync, now_ms);
	if (dseq != resync->dseq) {
		sl_nats_resync_give_up(resync, "hole");
	} else if (resync->log.first > resync->position + 1) {
		/* All that lay between is gone, and maybe nothing came after it that would show this. */
		pass_over(resync, resync->log.first - 1, lost_through);
		resync->position = resync->log.first - 1;
	}
}

/* ---- what the stream says ---- */

static void
judge(struct sl_nats_resync *resync, enum sl_nats_verdict verdict)
{
	sl_nats_resync_give_up(resync, verdict == SL_NATS_REPLACED ? "replaced" : "rolled-back");
	resync->verdict = verdict;
}

static bool
is_another_log(const struct sl_nats_resync *resync, const struct sl_nats_stream_state *state)
{
	return state->created_ns != resync->log.created_ns ||
		state->generation > resync->log.generation;
}

/* True when something that a new leader may say for a moment, or one that is cut off, has been said for long.
 * Since when, `*since_ms` remembers; 0: it is not said. */
static bool
lasts(uint64_t *since_ms, bool is_said, uint64_t now_ms, uint64_t long_ms)
{
	if (!is_said)
		*since_ms = 0;
	else if (*since_ms == 0)
		*since_ms = now_ms;
	return is_said && now_ms - *since_ms >= long_ms;
}

/* The log ends below what was read of it, or an older description has come back: both come with a copy of the
 * store. Who cannot even have a consumer asks a server that has lost the others. */
static void
watch_age(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state, uint64_t now_ms)
{
	if (now_ms - resync->told_ms > SL_NATS_DOUBT_MS / 2) /* nobody knows what was said meanwhile */
		resync->shorter_ms = resync->older_ms = 0;
	resync->told_ms = now_ms;
	/* The state was asked for a while ago, maybe before the last one came: messages have gone on coming. */
	if (state->last != resync->log.last)
		resync->grew_ms = now_ms;
	bool is_settled = now_ms - resync->grew_ms >= SL_NATS_SHORT_MS;
	bool is_shorter = lasts(&resync->shorter_ms, state->last < resync->earlier[1], now_ms,
		is_settled ? SL_NATS_SHORT_MS : SL_NATS_DOUBT_MS);
	resync->earlier[1] = resync->earlier[0];
	resync->earlier[0] = resync->position;
	bool is_older = lasts(&resync->older_ms, state->generation < resync->log.generation, now_ms,
		SL_NATS_DOUBT_MS);
	if (resync->has_consumer && (is_shorter || is_older))
		judge(resync, SL_NATS_ROLLED_BACK);
}

/* The next consumer begins at the floor that is known by now. Numbers above it another node may have:
 * consumers are made on any. */
static void
check_jump(struct sl_nats_resync *resync)
{
	if (resync->jump == SL_NATS_JUMP_SEEN)
		resync->jump = ++resync->jumps < SL_NATS_JUMPS_MAX ? SL_NATS_NO_JUMP : SL_NATS_JUMP_CHECKED;
}

static void
watch_progress(struct sl_nats_resync *resync, uint64_t now_ms)
{
	if (resync->log.last <= resync->position || resync->stuck_at != resync->position) {
		resync->stuck_ms = now_ms;
		resync->stuck_at = resync->position;
	} else if (now_ms - resync->stuck_ms >= SL_NATS_STUCK_MS) {
		resync->stuck_ms = now_ms;
		sl_nats_resync_give_up(resync, "stuck");
	}
}

void
sl_nats_resync_tell(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state,
	uint64_t now_ms, uint64_t *purged_through)
{
	*purged_through = 0;
	if (!resync->has_begun || resync->verdict != SL_NATS_SAME)
		return;
	if (!state->has_leader || state->created_ns == 0) {
		resync->shorter_ms = resync->older_ms = 0;
		return;
	}
	if (is_another_log(resync, state) || resync->is_suspect) {
		judge(resync, is_another_log(resync, state) ? SL_NATS_REPLACED : SL_NATS_ROLLED_BACK);
		return;
	}
	watch_age(resync, state, now_ms);
	uint64_t generation = resync->log.generation;
	resync->log = *state;
	resync->log.generation = generation;
	check_jump(resync);
	if (!resync->has_target) {
		resync->has_target = true;
		resync->target = state->last;
	}
	watch_progress(resync, now_ms);
	uint64_t gone = state->first > 0 ? state->first - 1 : 0;
	if (gone > resync->position)
		gone = resync->position;
	if (gone > resync->purged)
		*purged_through = resync->purged = gone;
}

enum sl_nats_verdict
sl_nats_resync_look(struct sl_nats_resync *resync, uint64_t now_ms)
{
	unsigned doubled = resync->silences < 2 ? resync->silences : 2;
	if (resync->has_consumer && now_ms > resync->sign_ms + (SL_NATS_SILENCE_MS << doubled)) {
		sl_nats_resync_give_up(resync, "silence");
		resync->silences++;
	}
	return resync->verdict;
}

/* ---- questions ---- */

bool
sl_nats_resync_wants_state(const struct sl_nats_resync *resync)
{
	return is_in_doubt(resync) || (resync->has_begun && !resync->has_target);
}

bool
sl_nats_resync_is_live(const struct sl_nats_resync *resync, uint64_t now_ms)
{
	return resync->heard_ms && now_ms <= resync->heard_ms + SL_NATS_LIVE_MS;
}

bool
sl_nats_resync_is_same_log(const struct sl_nats_resync *resync)
{
	bool fits = resync->is_confirmed || resync->log.first > resync->position;
	return resync->has_consumer && fits && resync->has_target;
}

bool
sl_nats_resync_has_caught_up(const struct sl_nats_resync *resync)
{
	return sl_nats_resync_is_same_log(resync) && resync->position >= resync->target;
}

uint64_t
sl_nats_resync_get_lag(const struct sl_nats_resync *resync)
{
	return resync->log.last > resync->position ? resync->log.last - resync->position : 0;
}

/* ---- epochs ---- */

/* FNV-1a (RFC 9923), 64 bits. */
static uint64_t
fold(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t
fold_number(uint64_t hash, uint64_t number)
{
	unsigned char bytes[8];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	return fold(hash, bytes, sizeof bytes);
}

uint32_t
sl_nats_epoch(const char *name, int64_t created_ns, uint64_t generation)
{
	uint64_t hash = fold(UINT64_C(0xcbf29ce484222325), name, strlen(name) + 1);
	hash = fold_number(hash, (uint64_t)created_ns);
	hash = fold_number(hash, generation);
	/* The last bytes must reach all bits: the end of MurmurHash3. */
	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	uint32_t epoch = (uint32_t)(hash ^ hash >> 33);
	return epoch ? epoch : 1;
}
