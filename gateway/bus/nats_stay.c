#include "bus/nats_stay.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/backend.h"
#include "bus/nats_notices.h"
#include "bus/nats_publisher.h"
#include "bus/nats_tail.h"
#include "config/config.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define QUIET_MS 1200        /* an answer is late */
#define SILENT_MS 4000       /* no answer at all: the server has stopped, or the way to it has */
#define USELESS_MS 5000      /* no answer of use: the server has lost its peers */
#define CUT_OFF_PART 2 / 5    /* of that, where it says so itself */
#define USELESS_MAX_MS 20000 /* where all servers are like that, each is given longer */
#define KNOWN_MS 3000        /* what is known of the log's leader is worth so long */
#define SEQ_PER_S 1000000    /* no log gives more numbers */

void
sl_nats_stay_init(struct sl_nats_stay *stay, const struct sl_nats_parts *parts)
{
	*stay = (struct sl_nats_stay){ .parts = *parts, .useless_ms = USELESS_MS };
	sl_nats_stream_name(stay->stream, parts->config->nats_bus);
}

static void
note_state(struct sl_nats_stay *stay, const struct sl_nats_stream_state *state, uint64_t now_ms)
{
	stay->state = *state;
	atomic_store(&stay->known_last, state->last);
	atomic_store(&stay->known_ms, now_ms);
}

/* ---- leaving ---- */

/* Cutting comes first: nobody waits for the library after that. */
void
sl_nats_stay_end(struct sl_nats_stay *stay)
{
	if (!stay->client)
		return;
	sl_nats_client_cut(stay->client);
	sl_nats_publisher_use(stay->parts.publisher, NULL);
	sl_nats_notices_use(stay->parts.notices, NULL);
	sl_nats_tail_use(stay->parts.tail, NULL, NULL);
	sl_nats_inquiry_destroy(stay->inquiry);
	stay->inquiry = NULL;
	sl_nats_client_destroy(stay->client);
	stay->client = NULL;
}

/* Why the server is of no use, or NULL. */
static const char *
find_reason_to_leave(struct sl_nats_stay *stay, uint64_t now_ms)
{
	if (!sl_nats_client_is_open(stay->client))
		return "the connection has ended";
	if (sl_nats_inquiry_get_silence_ms(stay->inquiry, now_ms) >= SILENT_MS)
		return "the server does not answer";
	uint64_t ignorance_ms = sl_nats_inquiry_get_ignorance_ms(stay->inquiry, now_ms);
	if (ignorance_ms >= stay->useless_ms)
		return "the server knows of no leader of the log";
	if (stay->is_cut_off && ignorance_ms >= stay->useless_ms * CUT_OFF_PART)
		return "the log's leader there has lost its peers";
	if (sl_nats_publisher_get_silence_ms(stay->parts.publisher) >= stay->useless_ms)
		return "the server stores nothing";
	return NULL;
}

/* ---- beginning ---- */

static uint32_t
get_epoch(const struct sl_nats_stay *stay)
{
	return sl_nats_epoch(stay->stream, stay->state.created_ns, stay->state.generation);
}

/* At the start. A stream that vanishes later is not made again: whoever deleted it may know why. */
static int
open_log(struct sl_nats_stay *stay)
{
	struct sl_nats_stream_state state;
	int err = sl_nats_stream_open(stay->client->js, stay->parts.config, &state, stay->error,
		sizeof stay->error);
	if (err == 0 && !state.has_leader) {
		snprintf(stay->error, sizeof stay->error, "the stream %s has no leader", stay->stream);
		err = SL_EIO;
	}
	if (err != 0)
		return err;
	note_state(stay, &state, sl_clock_monotonic_ms());
	sl_bus_set_epoch(stay->parts.bus, get_epoch(stay));
	sl_nats_tail_begin(stay->parts.tail, &state);
	stay->has_begun = true;
	return 0;
}

int
sl_nats_stay_begin(struct sl_nats_stay *stay, struct sl_nats_client *client)
{
	stay->client = client;
	stay->is_cut_off = false;
	int err = stay->has_begun ? 0 : open_log(stay);
	if (err == 0)
		err = sl_nats_inquiry_create(&stay->inquiry, client->connection, stay->stream,
			sl_clock_monotonic_ms());
	if (err == 0)
		err = sl_nats_publisher_use(stay->parts.publisher, client->connection);
	if (err == 0)
		err = sl_nats_notices_use(stay->parts.notices, client->connection);
	if (err == 0)
		sl_nats_tail_use(stay->parts.tail, client->connection, client->js);
	else
		sl_nats_stay_end(stay);
	return err;
}

/* ---- at a server ---- */

/* The log is another one, or was rolled back: begins it anew, as soon as it can be told what it is like. */
static void
begin_again(struct sl_nats_stay *stay, enum sl_nats_verdict verdict)
{
	bool is_raised = verdict == SL_NATS_ROLLED_BACK;
	uint64_t generation = sl_nats_tail_get_generation(stay->parts.tail) + 1;
	if (is_raised && sl_nats_stream_raise_generation(stay->client->js, stay->stream, generation,
			stay->error, sizeof stay->error) != 0) {
		sl_log_limited(SL_LOG_WARNING, "backend.reset_failed", "reason=\"%s\"", stay->error);
		return;
	}
	if (is_raised && stay->state.generation < generation)
		stay->state.generation = generation;
	sl_log(SL_LOG_WARNING, "backend.reset", "reason=\"%s\" generation=%" PRIu64, is_raised ?
		"the log was rolled back" : "the log is a new one", stay->state.generation);
	atomic_store(&stay->known_last, stay->state.last);
	sl_bus_reset(stay->parts.bus, get_epoch(stay));
	sl_nats_publisher_reset(stay->parts.publisher);
	sl_nats_tail_begin(stay->parts.tail, &stay->state);
}

static void
take_answers(struct sl_nats_stay *stay, uint64_t now_ms)
{
	enum sl_nats_info info;
	struct sl_nats_stream_state state;
	bool is_urgent = sl_nats_tail_wants_stream(stay->parts.tail);
	if (!sl_nats_inquiry_run(stay->inquiry, now_ms, is_urgent, &info, &state))
		return;
	stay->is_cut_off = info == SL_NATS_INFO_CUT_OFF;
	if (info == SL_NATS_INFO_STATE && state.has_leader)
		note_state(stay, &state, now_ms);
	else
		stay->state.has_leader = false;
	if (info == SL_NATS_INFO_STATE)
		sl_nats_tail_tell_stream(stay->parts.tail, &state, now_ms);
	if (info == SL_NATS_INFO_MISSING)
		sl_log_limited(SL_LOG_WARNING, "backend.missing", "stream=%s reason=\"somebody deleted the stream; make it, or "
			"restart a gateway, which makes it\"", stay->stream);
}

/* The tail may ask for a consumer and wait for it: not of a server that is silent already. */
bool
sl_nats_stay_run(struct sl_nats_stay *stay, uint64_t now_ms)
{
	enum sl_nats_verdict verdict = SL_NATS_SAME;
	take_answers(stay, now_ms);
	sl_nats_notices_run(stay->parts.notices, now_ms);
	if (sl_nats_inquiry_get_silence_ms(stay->inquiry, now_ms) < QUIET_MS)
		verdict = sl_nats_tail_run(stay->parts.tail, now_ms);
	if (verdict != SL_NATS_SAME && stay->state.has_leader)
		begin_again(stay, verdict);
	const char *reason = find_reason_to_leave(stay, sl_clock_monotonic_ms());
	if (!reason)
		return true;
	if (sl_nats_client_is_open(stay->client) && stay->useless_ms < USELESS_MAX_MS)
		stay->useless_ms *= 2;
	sl_log(SL_LOG_WARNING, "backend.left", "url=%s reason=\"%s\"", stay->client->shown, reason);
	snprintf(stay->error, sizeof stay->error, "%.300s: %s", stay->client->shown, reason);
	sl_nats_stay_end(stay);
	return false;
}

bool
sl_nats_stay_is_fit(struct sl_nats_stay *stay, uint64_t now_ms)
{
	return stay->client && stay->state.has_leader &&
		now_ms - atomic_load(&stay->known_ms) < KNOWN_MS &&
		sl_nats_tail_is_live(stay->parts.tail, now_ms) &&
		sl_nats_tail_has_caught_up(stay->parts.tail) &&
		sl_nats_notices_has_caught_up(stay->parts.notices);
}

void
sl_nats_stay_settle(struct sl_nats_stay *stay)
{
	stay->useless_ms = USELESS_MS;
}

uint64_t
sl_nats_stay_get_bound(const struct sl_nats_stay *stay, uint64_t now_ms)
{
	uint64_t since_ms = now_ms - atomic_load(&stay->known_ms);
	return atomic_load(&stay->known_last) + (since_ms / 1000 + 1) * SEQ_PER_S;
}
