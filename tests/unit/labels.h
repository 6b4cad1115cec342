/* Clients of a protocol whose subscriptions have labels, in a world of one shard (story.h): a stream, and one that
 * fetches an answer now and then.
 * Owner: static. Thread: main. Errors: the test fails.
 *
 * A message is framed as LABEL/CHANNELNUMBER and a space: x/a1. */
#ifndef SL_TESTS_LABELS_H
#define SL_TESTS_LABELS_H

#include "live/answer.h"
#include "live/fanout.h"
#include "live/framing.h"
#include "live/verbs.h"
#include "tests/unit/story.h"

static size_t labels_fit = SL_RUN_MAX; /* messages that the one-shot encoder takes into an answer */
static size_t labels_left = SL_RUN_MAX; /* of those, into the one in work */
static unsigned labels_framed;         /* times that one was asked to frame */

static size_t
labels_frame(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	size_t taken = count;
	if (encoder->capabilities & SL_ONE_SHOT) {
		taken = count < labels_left ? count : labels_left;
		labels_left -= taken;
	}
	labels_framed++;
	for (size_t i = 0; i < taken; i++) {
		if (label)
			sl_buffer_append(out, label->text.bytes, label->text.len);
		sl_buffer_printf(out, "/%s%llu ", messages[i]->channel,
			(unsigned long long)messages[i]->seq);
		ends[i] = (uint32_t)out->len;
	}
	return taken;
}

static void
labels_frame_control(const struct sl_encoder *encoder, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (control->type == SL_CONTROL_GAP)
		sl_buffer_append_str(out, "gap ");
}

static void
labels_frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
	struct sl_buffer *out)
{
	sl_buffer_printf(out, "end:%u", (unsigned)reason);
}

static const struct sl_encoder labels_stream = { .transport = "labels", .class = SL_CLASS_STREAM,
	.frame_messages = labels_frame, .frame_control = labels_frame_control,
	.frame_end = labels_frame_end };
static const struct sl_encoder labels_one_shot = { .transport = "labels", .class = SL_CLASS_LONGPOLL,
	.capabilities = SL_ONE_SHOT, .frame_messages = labels_frame };

/* What its user does with an answer: takes what is framed, and holds nothing any more. */
static struct sl_buffer labels_answer;
static unsigned labels_shared; /* answers from a wire that others have too */

static void
labels_on_answer(struct sl_subscriber *s, const struct sl_answer *answer)
{
	labels_left = labels_fit;
	struct sl_wire *wire = sl_answer_get_wire(s, answer);
	size_t framed = wire ? wire->count : sl_answer_frame(s, answer, &labels_answer);
	if (wire)
		sl_buffer_append(&labels_answer, wire->bytes, wire->len);
	labels_shared += wire != NULL;
	for (size_t i = 0; i < answer->gap_count; i++)
		sl_buffer_append_str(&labels_answer, "gap ");
	sl_answer_settle(s, answer, framed);
	s->state = SL_SUBSCRIBER_PARKED;
}

static const struct sl_subscriber_ops labels_one_shot_ops = { .answer = labels_on_answer };

static inline struct sl_span
span_of(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

static inline void
labels_open_as(struct world_client *client, const struct sl_encoder *encoder)
{
	client_open_stream(client, &world, "channels=z");
	client->got.len = 0;
	struct sl_subscriber *s = client->subscriber;
	sl_fanout_unsubscribe_all(s);
	s->encoder = encoder;
	s->framing = (uint16_t)sl_framer_intern(&world.shard.framer, encoder);
}

/* Live at the head, without channels. */
static inline void
labels_open(struct world_client *client)
{
	labels_open_as(client, &labels_stream);
}

static inline void
labels_open_one_shot(struct world_client *client)
{
	labels_open_as(client, &labels_one_shot);
	client->subscriber->ops = &labels_one_shot_ops;
	client->subscriber->position = sl_subscriber_get_cursor(client->subscriber).seq;
	client->subscriber->state = SL_SUBSCRIBER_PARKED;
}

/* Asks for an answer; true when there is none yet. */
static inline bool
labels_fetch(struct world_client *client)
{
	return sl_subscriber_begin_one_shot(client->subscriber, NULL, 0);
}

/* What it has read since the last time. */
static inline void
expect_frames(struct world_client *client, const char *frames)
{
	world_settle(&world);
	client_read(client);
	sl_buffer_append_char(&client->got, '\0');
	if (strcmp(client->got.bytes, frames) != 0)
		printf("\n    seen:   %.300s\n    wanted: %.300s", client->got.bytes, frames);
	CU_ASSERT_STRING_EQUAL(client->got.bytes, frames);
	client->got.len = 0;
}

/* What came as answers since the last time. */
static inline void
expect_answer(const char *frames)
{
	world_settle(&world);
	sl_buffer_append_char(&labels_answer, '\0');
	if (strcmp(labels_answer.bytes, frames) != 0)
		printf("\n    seen:   %.300s\n    wanted: %.300s", labels_answer.bytes, frames);
	CU_ASSERT_STRING_EQUAL(labels_answer.bytes, frames);
	sl_buffer_finish(&labels_answer);
}

/* Subscribes to one channel as of now. */
static inline int
label_now(struct world_client *client, const char *channel, const char *label)
{
	struct sl_refusal refusal;
	struct sl_span name = span_of(channel);
	struct sl_verbs_subscription what = { .channels = &name, .count = 1, .label = span_of(label) };
	return sl_verbs_subscribe_as(client->subscriber, &what, false, NULL, &refusal);
}

/* The same after a number of the bus's log. */
static inline int
label_since(struct world_client *client, const char *channel, const char *label, uint64_t seq,
	bool *lost)
{
	struct sl_refusal refusal;
	struct sl_span name = span_of(channel);
	struct sl_verbs_subscription what = { .channels = &name, .count = 1, .label = span_of(label),
		.since_kind = SL_SINCE_CURSOR, .since = { client->subscriber->epoch, seq } };
	return sl_verbs_subscribe_as(client->subscriber, &what, false, lost, &refusal);
}

#endif
