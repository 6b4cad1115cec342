#include "live/answer.h"

#include <stdlib.h>

#include "bus/bus.h"
#include "live/delivery.h"
#include "live/session.h"
#include "tests/unit/draw.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/labels.h"
#include "util/err.h"

static struct world_client client;

static void
start(const char *const *options)
{
	world_open(&world, options);
	labels_open_one_shot(&client);
	labels_fit = SL_RUN_MAX;
	labels_shared = 0;
}

static void
stop(void)
{
	labels_fit = SL_RUN_MAX;
	sl_buffer_finish(&labels_answer);
	client_close(&client);
	world_close(&world);
}

static void
test_answer_comes_from_history_or_from_the_run(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 2);
	world_settle(&world);
	CU_ASSERT_FALSE(labels_fetch(&client));
	expect_answer("x/a1 x/a2 ");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("b", 1);
	publish_many("a", 1);
	expect_answer("x/a4 ");
	CU_ASSERT_EQUAL(labels_shared, 1);
	CU_ASSERT_EQUAL(client.subscriber->position, 4);
	stop();
}

static void
test_answer_shares_its_wire_with_all_who_have_its_label(void)
{
	struct world_client others[3];
	start(NULL);
	label_now(&client, "a", "x");
	for (int i = 0; i < 3; i++) {
		labels_open_one_shot(&others[i]);
		label_now(&others[i], "a", i == 0 ? "y" : "x");
		CU_ASSERT_TRUE(labels_fetch(&others[i]));
	}
	CU_ASSERT_TRUE(labels_fetch(&client));
	labels_framed = 0;
	publish_many("a", 1);
	expect_answer("x/a1 x/a1 y/a1 x/a1 ");
	CU_ASSERT_EQUAL(labels_framed, 2);
	CU_ASSERT_EQUAL(labels_shared, 4);
	for (int i = 0; i < 3; i++)
		client_close(&others[i]);
	stop();
}

static void
test_answer_of_a_run_that_straddles_is_under_the_label_too(void)
{
	struct world_client other;
	start(NULL);
	labels_open(&other);
	label_now(&other, "a", "o");
	publish_many("a", 2);
	label_now(&client, "a", "x"); /* a1 and a2 are in the mailbox */
	client.subscriber->state = SL_SUBSCRIBER_LIVE;
	publish_many("a", 2);
	expect_answer("x/a3 x/a4 ");
	CU_ASSERT_EQUAL(labels_shared, 0);
	publish_many("a", 1);
	world_settle(&world);
	CU_ASSERT_FALSE(labels_fetch(&client));
	expect_answer("x/a5 ");
	client_close(&other);
	stop();
}

static void
test_answer_holds_each_message_under_each_of_its_labels(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	label_now(&client, "a", "y");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 2);
	expect_answer("x/a1 y/a1 x/a2 y/a2 "); /* of the run */
	label_now(&client, "a", NULL);
	publish_many("a", 1);
	world_settle(&world);
	CU_ASSERT_FALSE(labels_fetch(&client)); /* of history */
	world_settle(&world);
	CU_ASSERT_EQUAL(labels_answer.len, strlen("x/a3 y/a3 /a3 "));
	sl_buffer_finish(&labels_answer);
	CU_ASSERT_TRUE(labels_fetch(&client));
	expect_answer("");
	stop();
}

/* The encoder takes one, two, ... at a time: all come, each once under each label. */
static void
test_answer_that_takes_a_part_has_the_rest_come_again(void)
{
	static const char *const ways[] = { "history", "run" };
	for (size_t fit = 1; fit <= 10; fit++)
		for (size_t way = 0; way < 2; way++) {
			unsigned seen[3][4] = { { 0 } };
			uint64_t last[3] = { 0 };
			start(NULL);
			label_now(&client, "a", "x");
			label_now(&client, "a", "y");
			label_now(&client, "a", "z");
			labels_fit = fit;
			if (way == 1)
				CU_ASSERT_TRUE(labels_fetch(&client));
			publish_many("a", 3);
			for (int answers = 0; answers < 9; answers++) {
				world_settle(&world);
				if (labels_answer.len || way == 0)
					labels_fetch(&client);
			}
			sl_buffer_append_char(&labels_answer, '\0');
			for (const char *at = labels_answer.bytes; (at = strchr(at, '/')); at++) {
				unsigned label = (unsigned)(at[-1] - 'x');
				uint64_t seq = strtoull(at + 2, NULL, 10);
				CU_ASSERT_TRUE_FATAL(label < 3 && seq > last[label] && seq <= 3);
				last[label] = seq;
				seen[label][seq]++;
			}
			for (unsigned label = 0; label < 3; label++)
				for (unsigned seq = 1; seq <= 3; seq++)
					if (seen[label][seq] != 1) {
						printf("\n    from %s, %zu at a time: %u of %u",
							ways[way], fit, seen[label][seq], seq);
						CU_ASSERT_EQUAL(seen[label][seq], 1);
					}
			stop();
		}
}

static void
test_answer_of_a_run_skips_what_one_of_its_labels_came_after(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 2); /* in the mailbox */
	label_now(&client, "a", "y");
	publish_many("a", 1);
	expect_answer("x/a1 x/a2 x/a3 y/a3 ");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 1);
	sl_verbs_unsubscribe_label(client.subscriber, span_of("x"));
	label_now(&client, "a", "z");
	label_now(&client, "a", "w");
	sl_verbs_unsubscribe_label(client.subscriber, span_of("y"));
	world_settle(&world); /* they began after what there is */
	expect_answer("");
	publish_many("a", 1);
	expect_answer("w/a5 z/a5 ");
	stop();
}

/* More than one answer holds of a run. */
static void
test_answer_of_many_labels_ends_at_a_message(void)
{
	char label[8];
	start(NULL);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(label, sizeof label, "%02u", i);
		label_now(&client, "a", label);
	}
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 20);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->position, 8);
	CU_ASSERT_EQUAL(labels_answer.len, 8 * 60 * strlen("00/a1 "));
	labels_fetch(&client);
	labels_fetch(&client);
	labels_fetch(&client);
	CU_ASSERT_EQUAL(labels_answer.len, 9 * 60 * strlen("00/a1 ") + 11 * 60 * strlen("00/a10 "));
	CU_ASSERT_EQUAL(client.subscriber->position, 20);
	stop();
}

static void
test_answer_under_several_labels_needs_no_history(void)
{
	static const char *const options[] = { "--history-messages=0", NULL };
	start(options);
	label_now(&client, "a", "x");
	label_now(&client, "a", "y");
	CU_ASSERT_TRUE(labels_fetch(&client));
	publish_many("a", 1);
	expect_answer("x/a1 y/a1 ");
	stop();
}

static void
test_answer_skips_what_a_replay_would_repeat(void)
{
	bool lost;
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("b", 2);
	publish_many("a", 2);
	world_settle(&world);
	labels_fetch(&client);
	expect_answer("x/a3 x/a4 ");
	CU_ASSERT_TRUE(labels_fetch(&client)); /* held */
	CU_ASSERT_EQUAL(label_since(&client, "b", "y", 1, &lost), 0);
	expect_answer("y/b2 "); /* at the end of the turn */
	publish_many("b", 1); /* between two */
	CU_ASSERT_EQUAL(label_since(&client, "a", "y", 3, &lost), 0);
	world_settle(&world);
	labels_fetch(&client);
	expect_answer("y/a4 y/b5 ");
	CU_ASSERT_TRUE(labels_fetch(&client));
	stop();
}

static void
test_answer_has_a_new_subscription_begin_at_the_head_however_old_its_position(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	publish_many("a", 1);
	publish_many("b", 3);
	world_settle(&world);
	label_now(&client, "b", "x");
	publish_many("b", 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->position, 0);
	labels_fetch(&client);
	expect_answer("x/a1 x/b5 ");
	stop();
}

/* Its user takes away, while it answers, what the run in work is framed under. */
static struct sl_subscriber *to_relabel;

static void
relabel_and_answer(struct sl_subscriber *s, const struct sl_answer *answer)
{
	CU_ASSERT_EQUAL(sl_verbs_relabel(to_relabel, span_of("x"), span_of("w")), 0);
	labels_on_answer(s, answer);
}

static const struct sl_subscriber_ops relabelling_ops = { .answer = relabel_and_answer };

static void
test_answer_may_relabel_within_a_run(void)
{
	struct world_client stream, other;
	start(NULL);
	labels_open(&other);   /* has its turn after the one that answers */
	label_now(&other, "a", "x");
	to_relabel = other.subscriber;
	label_now(&client, "a", "x");
	client.subscriber->ops = &relabelling_ops;
	CU_ASSERT_TRUE(labels_fetch(&client));
	labels_open(&stream);  /* has it before */
	label_now(&stream, "a", "x");
	publish_many("a", 1);
	expect_answer("x/a1 ");
	expect_frames(&stream, "x/a1 ");
	expect_frames(&other, "w/a1 ");
	publish_many("a", 1);
	expect_frames(&stream, "x/a2 ");
	expect_frames(&other, "w/a2 ");
	client_close(&stream);
	client_close(&other);
	stop();
}

static void
test_answer_without_memory_frames_nothing_whole_and_leaks_nothing(void)
{
	start(NULL);
	label_now(&client, "a", "x");
	label_now(&client, "a", "y");
	publish_many("a", 3);
	world_settle(&world);
	sl_buffer_finish(&world.shard.framer.scratch);
	for_each_failing_allocation(failing) {
		client.subscriber->position = 0;
		labels_fetch(&client);
		failing_expect(sl_buffer_status(&labels_answer));
		sl_buffer_finish(&labels_answer);
	}
	stop();
}

/* ---- against a simple model ---- */

enum kind { STREAM, ONE_SHOT, SESSION };

#define CLIENTS 6
#define CHANNELS 4
#define LABELS 4
#define MESSAGES 12000

/* What a client has been promised of a channel under a label. */
struct promise {
	bool stands;
	uint64_t last;  /* it has had everything up to here */
	int was;        /* the label under which frames may still be on their way, or -1 */
};

struct model {
	struct world_client client; /* of a session only its subscriber */
	enum kind kind;
	bool is_unsettled; /* frames under labels that it has no longer may be on their way */
	struct promise promises[CHANNELS][LABELS];
};

static const char *const names[CHANNELS] = { "a", "b", "c", "d" };
static const char *const label_names[LABELS] = { "x", "y", "z", NULL };
static uint8_t channel_of[MESSAGES + 1];
static uint64_t published;
static uint64_t dice;

static uint64_t
find_next(unsigned channel, uint64_t after)
{
	uint64_t seq = after + 1;
	while (seq <= published && channel_of[seq] != channel)
		seq++;
	return seq;
}

static struct promise *
find_promise(struct model *model, unsigned channel, int label)
{
	struct promise *promise = &model->promises[channel][label];
	for (int i = 0; i < LABELS; i++)
		if (model->promises[channel][i].stands && model->promises[channel][i].was == label)
			promise = &model->promises[channel][i];
	return promise;
}

/* Each message is the next one that was promised. */
static void
check_frames(struct model *model, struct sl_buffer *frames)
{
	sl_buffer_append_char(frames, '\0');
	for (const char *at = frames->bytes; (at = strchr(at, '/')); at++) {
		int label = at == frames->bytes || at[-1] == ' ' ? LABELS - 1 : at[-1] - 'x';
		unsigned channel = (unsigned)(at[1] - 'a');
		uint64_t seq = strtoull(at + 2, NULL, 10);
		struct promise *promise = find_promise(model, channel, label);
		if (!promise->stands || seq != find_next(channel, promise->last))
			printf("\n    %s/%s%llu, promised %d above %llu", label_names[label],
				names[channel], (unsigned long long)seq, promise->stands,
				(unsigned long long)promise->last);
		CU_ASSERT_TRUE_FATAL(promise->stands);
		CU_ASSERT_EQUAL_FATAL(seq, find_next(channel, promise->last));
		promise->last = seq;
	}
	frames->len = 0;
}

static void
check_model(struct model *model)
{
	if (model->kind != STREAM)
		return; /* its answers are checked as they come */
	client_read(&model->client);
	/* The last frame may be there in part. */
	size_t len = model->client.got.len;
	while (len && model->client.got.bytes[len - 1] != ' ')
		len--;
	CU_ASSERT_EQUAL(len, model->client.got.len);
	check_frames(model, &model->client.got);
}

static struct model models[CLIENTS];

static void
check_answer(struct sl_subscriber *s, const struct sl_answer *answer)
{
	unsigned i = 0;
	while (models[i].client.subscriber != s)
		i++;
	labels_fit = 1 + draw(&dice, 20);
	labels_on_answer(s, answer);
	check_frames(&models[i], &labels_answer);
}

static const struct sl_subscriber_ops checked_ops = { .answer = check_answer };

static void
check_session_answer(struct sl_session *session, const struct sl_answer *answer)
{
	struct sl_subscriber *s = &session->subscriber;
	unsigned i = 0;
	while (models[i].client.subscriber != s)
		i++;
	labels_left = labels_fit = 1 + draw(&dice, 20);
	struct sl_wire *wire = sl_answer_get_wire(s, answer);
	size_t framed = wire ? wire->count : sl_answer_frame(s, answer, &labels_answer);
	if (wire)
		sl_buffer_append(&labels_answer, wire->bytes, wire->len);
	CU_ASSERT_EQUAL(answer->gap_count, 0);
	sl_session_clear_queue(session);
	sl_session_advance(session, answer, framed);
	sl_session_release(session);
	check_frames(&models[i], &labels_answer);
}

static void
ignore_timer(struct sl_session *session)
{
	(void)session;
}

static void
fear_end(struct sl_session *session, enum sl_end_reason reason)
{
	(void)session;
	CU_ASSERT_EQUAL(reason, SL_END_REASONS); /* none ends it */
}

static const struct sl_session_ops session_ops = {
	.answer = check_session_answer,
	.on_timer = ignore_timer,
	.end = fear_end,
	.on_close = ignore_timer,
};

static void
open_model(struct model *model, enum kind kind)
{
	model->kind = kind;
	if (kind == STREAM)
		labels_open(&model->client);
	else if (kind == ONE_SHOT)
		labels_open_one_shot(&model->client);
	if (kind == ONE_SHOT)
		model->client.subscriber->ops = &checked_ops;
	if (kind != SESSION)
		return;
	struct sl_session *session = calloc(1, sizeof *session);
	if (!session || sl_session_open(session, &world.shard, &session_ops, &labels_one_shot,
			&sl_principal_everybody, NULL) != 0)
		abort();
	model->client.subscriber = &session->subscriber;
}

static struct sl_session *
get_session(struct model *model)
{
	return sl_session_of_subscriber(model->client.subscriber);
}

/* It asks for an answer; or stops asking; or has an answer of its own. */
static void
draw_fetch(struct model *model)
{
	if (model->kind == ONE_SHOT && model->client.subscriber->state == SL_SUBSCRIBER_PARKED)
		labels_fetch(&model->client);
	else if (model->kind == SESSION && !get_session(model)->is_held)
		sl_session_hold(get_session(model));
	else if (model->kind == SESSION && draw(&dice, 4) == 0)
		sl_session_release(get_session(model));
	else if (model->kind == SESSION && draw(&dice, 4) == 0)
		CU_ASSERT_EQUAL(sl_session_queue(get_session(model), "own", 3), 0);
}

static void
settle_model(struct model *model)
{
	world_settle(&world);
	check_model(model);
	for (unsigned i = 0; i < CHANNELS * LABELS; i++)
		model->promises[i / LABELS][i % LABELS].was = -1;
	model->is_unsettled = false;
}

static void
draw_subscribe(struct model *model)
{
	unsigned channel = draw(&dice, CHANNELS), label = draw(&dice, LABELS);
	struct promise *promise = &model->promises[channel][label];
	bool lost;
	if (draw(&dice, 2)) {
		uint64_t since = draw(&dice, 3) ? published - draw(&dice, (unsigned)(published % 300) + 1) :
			draw(&dice, (unsigned)published + 1);
		CU_ASSERT_EQUAL(label_since(&model->client, names[channel], label_names[label], since,
			&lost), 0);
		CU_ASSERT_FALSE(lost);
		if (!promise->stands)
			promise->last = since;
	} else {
		CU_ASSERT_EQUAL(label_now(&model->client, names[channel], label_names[label]), 0);
		if (!promise->stands)
			promise->last = published;
	}
	promise->stands = true;
}

static void
draw_unsubscribe(struct model *model)
{
	int label = (int)draw(&dice, LABELS);
	unsigned channel = draw(&dice, CHANNELS);
	bool all = draw(&dice, 3) == 0;
	settle_model(model);
	struct sl_span name = span_of(names[channel]);
	if (all)
		sl_verbs_unsubscribe_label(model->client.subscriber, span_of(label_names[label]));
	else
		sl_verbs_unsubscribe_as(model->client.subscriber, &name, 1, span_of(label_names[label]));
	for (unsigned i = 0; i < CHANNELS; i++)
		if (all || i == channel)
			model->promises[i][label].stands = false;
}

static void
draw_relabel(struct model *model)
{
	int from = (int)draw(&dice, LABELS), to = (int)draw(&dice, LABELS);
	if (from == to)
		return;
	bool merges = false;
	for (unsigned i = 0; i < CHANNELS; i++)
		merges |= model->promises[i][from].stands && model->promises[i][to].stands;
	if (merges || model->is_unsettled)
		settle_model(model);
	CU_ASSERT_EQUAL(sl_verbs_relabel(model->client.subscriber, span_of(label_names[from]),
		span_of(label_names[to])), 0);
	for (unsigned i = 0; i < CHANNELS; i++) {
		struct promise *old = &model->promises[i][from], *new = &model->promises[i][to];
		if (old->stands && !new->stands)
			*new = (struct promise){ true, old->last, from };
		old->stands = false;
	}
	model->is_unsettled = true;
}

static void
draw_step(struct model *model)
{
	unsigned what = draw(&dice, 100);
	if (what < 8 && !model->is_unsettled)
		draw_subscribe(model);
	else if (what < 12)
		draw_unsubscribe(model);
	else if (what < 17)
		draw_relabel(model);
	else if (what < 22 && model->kind == STREAM)
		sl_subscriber_fall_behind(model->client.subscriber,
			sl_subscriber_get_cursor(model->client.subscriber).seq);
	else if (what < 50 && model->kind != STREAM)
		draw_fetch(model);
	else if (what < 60)
		settle_model(model);
	else if (what < 70)
		world_turn(&world);
	/* At times more than the mailbox takes. */
	unsigned count = draw(&dice, 40) ? draw(&dice, 4) : 60 + draw(&dice, 60);
	for (; count && published < MESSAGES; count--) {
		channel_of[published + 1] = (uint8_t)draw(&dice, CHANNELS);
		published++;
		CU_ASSERT_EQUAL(world_publish(&world, names[channel_of[published]], "x"), published);
	}
}

/* It is up to date with all that it was promised. */
static void
finish_model(struct model *model)
{
	for (int i = 0; i < 3000 && model->kind != STREAM; i++) {
		world_settle(&world);
		if (model->kind == ONE_SHOT && model->client.subscriber->state == SL_SUBSCRIBER_PARKED &&
				labels_fetch(&model->client))
			break;
		if (model->kind == SESSION && !get_session(model)->is_held &&
				sl_session_hold(get_session(model)))
			break;
	}
	settle_model(model);
	for (unsigned i = 0; i < CHANNELS * LABELS; i++) {
		const struct promise *promise = &model->promises[i / LABELS][i % LABELS];
		if (promise->stands)
			CU_ASSERT_EQUAL(find_next(i / LABELS, promise->last), published + 1);
	}
	CU_ASSERT_FALSE(sl_subscriber_is_ending(model->client.subscriber));
	if (model->kind == SESSION)
		sl_session_close(get_session(model));
	else
		client_close(&model->client);
}

static void
test_answers_streams_and_sessions_keep_every_promise_of_a_long_random_life(void)
{
	static const char *const options[] = { "--mailbox=64", "--history-messages=100000",
		"--history-bytes=64M", "--outbox=16M", NULL };
	for (uint64_t seed = 1; seed <= 4; seed++) {
		dice = seed * 7919;
		published = 0;
		memset(models, 0, sizeof models);
		world_open(&world, options);
		for (unsigned i = 0; i < CLIENTS; i++) {
			open_model(&models[i], i < 2 ? STREAM : i < 4 ? ONE_SHOT : SESSION);
			settle_model(&models[i]);
		}
		while (published < MESSAGES)
			draw_step(&models[draw(&dice, CLIENTS)]);
		struct sl_bus_stats stats;
		sl_bus_get_stats(world.bus, &stats);
		CU_ASSERT_TRUE(stats.mailbox_overruns > 10);
		CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_RUNS) > 500);
		CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_BEHIND_READS) > 500);
		for (unsigned i = 0; i < CLIENTS; i++)
			finish_model(&models[i]);
		world_settle(&world);
		CU_ASSERT_PTR_NULL(world.shard.framer.labels);
		world_close(&world);
	}
	labels_fit = SL_RUN_MAX;
	sl_buffer_finish(&labels_answer);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_answer_comes_from_history_or_from_the_run),
		UNIT_TEST(test_answer_shares_its_wire_with_all_who_have_its_label),
		UNIT_TEST(test_answer_of_a_run_that_straddles_is_under_the_label_too),
		UNIT_TEST(test_answer_holds_each_message_under_each_of_its_labels),
		UNIT_TEST(test_answer_that_takes_a_part_has_the_rest_come_again),
		UNIT_TEST(test_answer_of_a_run_skips_what_one_of_its_labels_came_after),
		UNIT_TEST(test_answer_of_many_labels_ends_at_a_message),
		UNIT_TEST(test_answer_under_several_labels_needs_no_history),
		UNIT_TEST(test_answer_skips_what_a_replay_would_repeat),
		UNIT_TEST(test_answer_has_a_new_subscription_begin_at_the_head_however_old_its_position),
		UNIT_TEST(test_answer_may_relabel_within_a_run),
		UNIT_TEST(test_answer_without_memory_frames_nothing_whole_and_leaks_nothing),
		UNIT_TEST(test_answers_streams_and_sessions_keep_every_promise_of_a_long_random_life),
		{ NULL, NULL },
	};
	return unit_main("answer", tests);
}
