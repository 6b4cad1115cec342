/* Sessions for tests: a family as small as can be, whose answers a test reads as text: what was queued, then each
 * message's payload and a space.
 * Owner: each session is on the heap, as any (live/session.h); the test's pointer to it is good until the turn ends in
 * which it closed. Thread: main. Errors: abort. */
#ifndef SL_TESTS_SESSION_WORLD_H
#define SL_TESTS_SESSION_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "live/session.h"
#include "live/session_table.h"
#include "live/verbs.h"
#include "tests/unit/live_world.h"

/* What happened to sessions, of all of them. */
static struct {
	char text[4096];         /* the last answer */
	unsigned answers, timers, ends, closed;
	enum sl_end_reason reason; /* of the last end */
	size_t at_most;          /* messages in an answer; 0: all */
} seen;

struct toy {
	struct sl_session session; /* first */
	char state[100];           /* as much as a family may have */
};

static size_t
toy_frame(const struct sl_encoder *encoder, const struct sl_label *label, struct sl_message *const *messages,
	size_t count, struct sl_buffer *out, uint32_t *ends)
{
	(void)encoder, (void)label;
	for (size_t i = 0; i < count; i++) {
		sl_buffer_append(out, messages[i]->payload, messages[i]->payload_len);
		sl_buffer_append_char(out, ' ');
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static const struct sl_encoder toy_encoder = {
	.transport = "toy",
	.class = SL_CLASS_ENGINEIO_POLLING,
	.capabilities = SL_ONE_SHOT | SL_CAN_TELL_ERROR,
	.beats = SL_BEATS_NEVER,
	.frame_messages = toy_frame,
};

static void
toy_answer(struct sl_session *session, const struct sl_answer *answer)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_span queue = sl_session_get_queue(session);
	uint32_t ends[SL_RUN_MAX];
	size_t count = seen.at_most && seen.at_most < answer->count ? seen.at_most : answer->count;
	sl_buffer_append(&out, queue.bytes, queue.len);
	sl_session_clear_queue(session);
	toy_frame(&toy_encoder, NULL, answer->messages, count, &out, ends);
	snprintf(seen.text, sizeof seen.text, "%.*s", (int)out.len, out.len ? out.bytes : "");
	sl_buffer_finish(&out);
	seen.answers++;
	sl_session_advance(session, answer, count);
	sl_session_release(session);
}

static void
toy_on_timer(struct sl_session *session)
{
	(void)session;
	seen.timers++;
}

static void
toy_end(struct sl_session *session, enum sl_end_reason reason)
{
	seen.ends++;
	seen.reason = reason;
	sl_session_release(session);
}

static void
toy_on_close(struct sl_session *session)
{
	(void)session;
	seen.closed++;
}

static const struct sl_session_ops toy_ops = {
	.answer = toy_answer,
	.on_timer = toy_on_timer,
	.end = toy_end,
	.on_close = toy_on_close,
};

/* Returns NULL where it is refused, with `*err`. */
static inline struct sl_session *
toy_try(struct live_world *world, struct sl_owner *address, int *err)
{
	struct toy *toy = calloc(1, sizeof *toy);
	if (!toy)
		abort();
	*err = sl_session_open(&toy->session, &world->shard, &toy_ops, &toy_encoder, &sl_principal_everybody,
		address);
	if (*err != 0)
		free(toy);
	return *err == 0 ? &toy->session : NULL;
}

static inline struct sl_session *
toy_open(struct live_world *world, struct sl_owner *address)
{
	int err;
	struct sl_session *session = toy_try(world, address, &err);
	if (!session)
		abort();
	return session;
}

static inline void
toy_subscribe(struct sl_session *session, const char *channel)
{
	struct sl_span name = { channel, strlen(channel) };
	struct sl_refusal refusal;
	if (sl_verbs_subscribe(&session->subscriber, &name, 1, &refusal) != 0)
		abort();
}

static inline struct sl_span
toy_id(const struct sl_session *session)
{
	return (struct sl_span){ session->id, SL_SESSION_ID_LEN };
}

/* What the next GET is answered with; "" where it waits. */
static inline const char *
toy_poll(struct sl_session *session)
{
	seen.text[0] = '\0';
	sl_session_hold(session);
	return seen.text;
}

/* An owner of so many sessions at most. */
static inline void
toy_limit(struct live_world *world, uint64_t max_sessions)
{
	sl_owners_set_limits(world->http.owners, &(struct sl_limits){
		.max_connections = 1000, .max_sessions = max_sessions });
}

#endif
