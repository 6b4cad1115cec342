/* A library that does nothing: the tests send what a server would. */
#include "bus/nats_tail.h"

#include "bus/nats_batch.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/nats_forged.h"
#include "tests/unit/stub_bus.h"

/* The library, as the tail sees it. */
static struct {
	bool is_subscribed;
	natsStatus answer;        /* to the next consumer */
	unsigned created;         /* consumers */
	jsConsumerConfig consumer;
	char answered[64];        /* the last subject that was answered */
	bool is_holding;          /* more is to come before anybody reads */
} library;

static char subscription, connection;
#define SUBSCRIPTION ((natsSubscription *)(void *)&subscription)
#define CONNECTION ((natsConnection *)(void *)&connection)

natsStatus __wrap_natsConnection_SubscribeSync(natsSubscription **out, natsConnection *nc,
	const char *subject);
natsStatus __wrap_natsSubscription_SetPendingLimits(natsSubscription *sub, int messages, int bytes);
void __wrap_natsSubscription_Destroy(natsSubscription *sub);
natsStatus __wrap_natsConnection_PublishString(natsConnection *nc, const char *subject, const char *text);
natsStatus __wrap_js_AddConsumer(jsConsumerInfo **out, jsCtx *js, const char *stream,
	jsConsumerConfig *config, jsOptions *options, jsErrCode *code);

natsStatus
__wrap_natsConnection_SubscribeSync(natsSubscription **out, natsConnection *nc, const char *subject)
{
	CU_ASSERT_PTR_EQUAL(nc, CONNECTION);
	CU_ASSERT_FALSE(library.is_subscribed);
	library.is_subscribed = true;
	*out = SUBSCRIPTION;
	return NATS_OK;
}

natsStatus
__wrap_natsSubscription_SetPendingLimits(natsSubscription *sub, int messages, int bytes)
{
	CU_ASSERT(messages < 0 && bytes >= 64 << 20);
	return NATS_OK;
}

void
__wrap_natsSubscription_Destroy(natsSubscription *sub)
{
	if (sub)
		library.is_subscribed = false;
	forged_drop();
}

natsStatus
__wrap_natsConnection_PublishString(natsConnection *nc, const char *subject, const char *text)
{
	snprintf(library.answered, sizeof library.answered, "%s", subject);
	return NATS_OK;
}

natsStatus
__wrap_js_AddConsumer(jsConsumerInfo **out, jsCtx *js, const char *stream,
	jsConsumerConfig *config, jsOptions *options, jsErrCode *code)
{
	CU_ASSERT_STRING_EQUAL(stream, "sluice-main");
	CU_ASSERT_TRUE(library.is_subscribed); /* nothing may come before */
	library.created++;
	library.consumer = *config;
	return library.answer;
}

/* A tail on a bus, and a log of which nothing was read. */
struct world {
	struct sl_bus *bus;
	struct sl_nats_tail *tail;
	struct sl_nats_stream_state state;
	uint64_t dseq;
	char own[64]; /* the last id that was told */
	struct sl_cursor own_id;
};

static void
note_own(void *arg, const char *msg_id, struct sl_cursor id, uint32_t receivers)
{
	struct world *world = arg;
	snprintf(world->own, sizeof world->own, "%s", msg_id);
	world->own_id = id;
	CU_ASSERT_EQUAL(receivers, 0);
}

static void
begin(struct world *world, uint64_t first, uint64_t last)
{
	world->state.first = first;
	world->state.last = last;
	sl_nats_tail_begin(world->tail, &world->state);
}

/* A tick; the next consumer's numbers begin at 1. */
static enum sl_nats_verdict
run(struct world *world)
{
	unsigned before = library.created;
	enum sl_nats_verdict verdict = sl_nats_tail_run(world->tail, set_monotonic_ms);
	if (library.created != before)
		world->dseq = 0;
	return verdict;
}

static void
open_world(struct world *world, uint64_t first, uint64_t last)
{
	memset(&library, 0, sizeof library);
	forged_drop();
	*world = (struct world){ .state = { .created_ns = 1000, .has_leader = true } };
	set_monotonic_ms = 10000;
	world->bus = create_bus(&default_config, NULL);
	struct sl_nats_tail_config config = { .bus = world->bus, .bus_name = "main",
		.stream = "sluice-main", .json_depth_max = 4, .message_max = 100, .on_own = note_own, .arg = world };
	CU_ASSERT_EQUAL_FATAL(sl_nats_tail_create(&world->tail, &config), 0);
	begin(world, first, last);
	sl_nats_tail_use(world->tail, CONNECTION, NULL);
	CU_ASSERT_EQUAL(run(world), SL_NATS_SAME);
	CU_ASSERT_EQUAL(library.created, 1);
	CU_ASSERT_TRUE(sl_nats_tail_wants_stream(world->tail)); /* where does the log end? */
	sl_nats_tail_tell_stream(world->tail, &world->state, set_monotonic_ms);
	CU_ASSERT_FALSE(sl_nats_tail_wants_stream(world->tail));
}

static void
close_world(struct world *world)
{
	sl_nats_tail_use(world->tail, NULL, NULL);
	CU_ASSERT_FALSE(library.is_subscribed);
	sl_nats_tail_destroy(world->tail);
	sl_bus_destroy(world->bus);
}

static void
send_raw(struct world *world, natsMsg *raw)
{
	forged_send(raw);
	if (!library.is_holding)
		sl_nats_tail_read(world->tail);
}

static void
send(struct world *world, uint64_t first, uint64_t last)
{
	for (uint64_t seq = first; seq <= last; seq++)
		send_raw(world, forged_message(seq, ++world->dseq, (int64_t)seq * 1000000, "chat", "1"));
}

static struct sl_nats_tail_stats
tail_stats(struct world *world)
{
	struct sl_nats_tail_stats stats;
	sl_nats_tail_get_stats(world->tail, &stats);
	return stats;
}

/* ---- the tests ---- */

static void
test_what_the_log_holds_is_delivered(void)
{
	struct world world;
	open_world(&world, 1, 3);
	CU_ASSERT_FALSE(sl_nats_tail_has_caught_up(world.tail));
	CU_ASSERT_EQUAL(tail_stats(&world).lag_now, 3);
	send(&world, 1, 3);
	CU_ASSERT_TRUE(sl_nats_tail_has_caught_up(world.tail));
	CU_ASSERT_EQUAL(tail_stats(&world).lag_now, 0);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 3);
	struct look look = look_at(world.bus, "chat", 0);
	CU_ASSERT_EQUAL(look.count, 3);
	CU_ASSERT_EQUAL(look.gap_resumed, 0);
	close_world(&world);
}

static void
test_the_consumer_is_the_one_that_the_log_is_read_by(void)
{
	struct world world;
	open_world(&world, 1, 3);
	CU_ASSERT_EQUAL(library.consumer.OptStartSeq, 1);
	CU_ASSERT_EQUAL(library.consumer.DeliverPolicy, js_DeliverByStartSequence);
	CU_ASSERT_EQUAL(library.consumer.AckPolicy, js_AckNone);
	CU_ASSERT_EQUAL(library.consumer.Heartbeat, 500000000);
	CU_ASSERT_EQUAL(library.consumer.InactiveThreshold, 10000000000);
	CU_ASSERT_EQUAL(library.consumer.Replicas, 1);
	CU_ASSERT(library.consumer.FlowControl && library.consumer.MemoryStorage);
	CU_ASSERT_PTR_NULL(library.consumer.FilterSubject);
	CU_ASSERT_PTR_NULL(library.consumer.Durable);
	close_world(&world);
}

static void
test_time_and_number_are_the_logs(void)
{
	struct world world;
	open_world(&world, 42, 42);
	send_raw(&world, forged_message(42, 1, 1790000000123456789, "chat", "1"));
	struct sl_message *message;
	struct sl_read_channel wanted = { .after = 41 };
	struct sl_read read = { .channels = &wanted, .channel_count = 1, .max_messages = 1,
		.max_bytes = SIZE_MAX, .messages = &message };
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(sl_bus_want(world.bus, 0, "chat", 4, 0, &wanted.channel, &since), 0);
	sl_bus_read(world.bus, &read);
	CU_ASSERT_EQUAL_FATAL(read.count, 1);
	CU_ASSERT_NSTRING_EQUAL(message->object,
		"{\"id\":\"00000007-42\",\"channel\":\"chat\",\"time\":1790000000123456,\"data\":1}",
		message->object_len);
	sl_message_unref(message);
	sl_bus_unwant(world.bus, 0, wanted.channel);
	close_world(&world);
}

static void
test_what_the_log_has_no_more_is_told_as_a_gap(void)
{
	struct world world;
	open_world(&world, 5, 6);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 4);
	send(&world, 5, 6);
	struct look look = look_at(world.bus, "chat", 2);
	CU_ASSERT_EQUAL(look.count, 2);
	CU_ASSERT_EQUAL(look.gap_resumed, 4);
	CU_ASSERT_EQUAL(tail_stats(&world).lost, 0);
	close_world(&world);
}

static void
test_messages_that_arrive_together_are_taken_in_together(void)
{
	struct world world;
	open_world(&world, 1, 100);
	library.is_holding = true;
	send(&world, 1, 2 * SL_NATS_BATCH_MAX + 1);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 0);
	sl_nats_tail_read(world.tail);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 2 * SL_NATS_BATCH_MAX + 1);
	close_world(&world);
}

static void
test_own_ids_are_told_when_their_message_is_delivered(void)
{
	struct world world;
	open_world(&world, 1, 1);
	natsMsg *raw = forged_message(1, ++world.dseq, 5, "chat", "1");
	forged_header(raw, "Nats-Msg-Id", "p/abcdefgh/0");
	send_raw(&world, raw);
	CU_ASSERT_STRING_EQUAL(world.own, "p/abcdefgh/0");
	CU_ASSERT(world.own_id.seq == 1 && world.own_id.epoch == 7);
	raw = forged_message(2, ++world.dseq, 5, "chat", "{"); /* refused: nobody had it */
	forged_header(raw, "Nats-Msg-Id", "p/abcdefgh/1");
	forged_header(raw, "Sluice-Type", "json");
	log_lines_begin();
	send_raw(&world, raw);
	log_lines_end();
	CU_ASSERT_STRING_EQUAL(world.own, "p/abcdefgh/0");
	close_world(&world);
}

static void
test_what_others_wrote_and_nobody_can_read_is_a_hole(void)
{
	struct world world;
	open_world(&world, 1, 3);
	send(&world, 1, 1);
	log_lines_begin();
	send_raw(&world, forged_message(2, ++world.dseq, 5, "no=2Achannel", "secret"));
	const char *lines = log_lines_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(lines, "backend.foreign seq=2 error="));
	CU_ASSERT_PTR_NULL(strstr(lines, "secret"));
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 1);
	CU_ASSERT_EQUAL(tail_stats(&world).foreign, 1);
	send(&world, 3, 3);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 1).gap_resumed, 0); /* nobody lost anything */
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 2);
	CU_ASSERT_EQUAL(tail_stats(&world).resyncs, 0);
	close_world(&world);
}

static void
test_a_message_that_the_library_keeps_stops_nobody(void)
{
	struct world world;
	open_world(&world, 1, 3);
	send(&world, 1, 1);
	log_lines_begin();
	world.dseq++;
	send_raw(&world, NULL);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "backend.foreign"));
	CU_ASSERT_EQUAL(tail_stats(&world).foreign, 1);
	send(&world, 3, 3);
	CU_ASSERT_TRUE(sl_nats_tail_has_caught_up(world.tail));
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 2);
	CU_ASSERT_EQUAL(tail_stats(&world).resyncs, 0);
	close_world(&world);
}

static void
test_the_last_message_of_the_log_may_be_a_hole(void)
{
	struct world world;
	open_world(&world, 1, 1);
	log_lines_begin();
	send_raw(&world, forged_message(1, ++world.dseq, 5, "no=20channel", "1"));
	log_lines_end();
	CU_ASSERT_TRUE(sl_nats_tail_has_caught_up(world.tail));
	close_world(&world);
}

static void
test_the_servers_questions_are_answered(void)
{
	struct world world;
	open_world(&world, 1, 1);
	send_raw(&world, forged_control("100", "$JS.FC.1"));
	CU_ASSERT_STRING_EQUAL(library.answered, "$JS.FC.1");
	natsMsg *raw = forged_heartbeat(0);
	forged_header(raw, "Nats-Consumer-Stalled", "$JS.FC.2");
	send_raw(&world, raw);
	CU_ASSERT_STRING_EQUAL(library.answered, "$JS.FC.2");
	CU_ASSERT_EQUAL(tail_stats(&world).resyncs, 0);
	close_world(&world);
}

static void
test_a_question_is_answered_when_what_came_before_has_been_delivered(void)
{
	struct world world;
	open_world(&world, 1, 9);
	library.is_holding = true;
	send(&world, 1, 2);
	send_raw(&world, forged_control("100", "$JS.FC.1"));
	CU_ASSERT_STRING_EQUAL(library.answered, "");
	library.is_holding = false;
	send(&world, 3, 3);
	CU_ASSERT_STRING_EQUAL(library.answered, "$JS.FC.1");
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 3);
	close_world(&world);
}

/* Takes the log line of it away. */
static enum sl_nats_verdict
run_quietly(struct world *world)
{
	log_lines_begin();
	enum sl_nats_verdict verdict = run(world);
	log_lines_end();
	return verdict;
}

static void
test_messages_flow_after_silence(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	set_monotonic_ms += SL_NATS_SILENCE_MS;
	run(&world);
	CU_ASSERT_EQUAL(library.created, 1);
	CU_ASSERT_TRUE(sl_nats_tail_is_live(world.tail, set_monotonic_ms));
	set_monotonic_ms += 1;
	log_lines_begin();
	run(&world);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "backend.resync reason=silence from=2"));
	CU_ASSERT_EQUAL(library.created, 2);
	CU_ASSERT_EQUAL(library.consumer.OptStartSeq, 2);
	CU_ASSERT_EQUAL(tail_stats(&world).resyncs, 1);
	send(&world, 2, 4);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 4);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 4);
	close_world(&world);
}

static void
test_what_was_dropped_on_the_way_is_asked_for_again(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	world.dseq++;
	send(&world, 4, 4);
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 2);
	send(&world, 2, 4);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 4);
	send_raw(&world, forged_heartbeat(world.dseq + 1));
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 3);
	send_raw(&world, forged_control("409", NULL));
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 4);
	close_world(&world);
}

static void
test_a_consumer_that_cannot_be_made_is_tried_again_after_a_while(void)
{
	struct world world;
	open_world(&world, 1, 2);
	library.answer = NATS_TIMEOUT;
	set_monotonic_ms += SL_NATS_SILENCE_MS + 1;
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 2);
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 2);
	static const uint64_t pauses_ms[] = { 100, 200, 400, 800, 1000, 1000 };
	for (unsigned i = 0; i < 6; i++) { /* who is in trouble is not asked all the time */
		set_monotonic_ms += pauses_ms[i] - 1;
		run(&world);
		CU_ASSERT_EQUAL(library.created, 2 + i);
		set_monotonic_ms += 1;
		log_lines_begin();
		run(&world);
		bool is_told = strstr(log_lines_end(), "reason=no-consumer");
		CU_ASSERT_EQUAL(is_told, i == 0);
		CU_ASSERT_EQUAL(library.created, 3 + i);
	}
	set_monotonic_ms += 1000;
	library.answer = NATS_OK;
	run_quietly(&world);
	CU_ASSERT_EQUAL(library.created, 9);
	send(&world, 1, 2);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 2);
	close_world(&world);
}

static void
test_another_connection_brings_another_consumer_at_once(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	sl_nats_tail_use(world.tail, NULL, NULL);
	CU_ASSERT_FALSE(library.is_subscribed);
	run(&world);
	CU_ASSERT_EQUAL(library.created, 1);
	CU_ASSERT_FALSE(sl_nats_tail_has_caught_up(world.tail));
	sl_nats_tail_use(world.tail, CONNECTION, NULL);
	run(&world);
	CU_ASSERT_EQUAL(library.created, 2);
	world.state.last = 3;
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	send(&world, 2, 2);
	CU_ASSERT_FALSE(sl_nats_tail_has_caught_up(world.tail));
	send(&world, 3, 3);
	CU_ASSERT_TRUE(sl_nats_tail_has_caught_up(world.tail));
	CU_ASSERT_EQUAL(tail_stats(&world).resyncs, 0);
	close_world(&world);
}

static void
test_another_log_is_read_from_its_beginning(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	world.state.created_ns++;
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	CU_ASSERT_EQUAL(run(&world), SL_NATS_REPLACED);
	send(&world, 3, 3);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 2); /* nothing under the old epoch */
	sl_bus_reset(world.bus, 8);
	begin(&world, 1, 1);
	CU_ASSERT_EQUAL(run(&world), SL_NATS_SAME);
	CU_ASSERT_EQUAL(library.consumer.OptStartSeq, 1);
	send(&world, 1, 1);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).epoch, 8);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 1);
	CU_ASSERT_EQUAL(tail_stats(&world).resets, 1);
	close_world(&world);
}

static void
test_a_log_that_was_rolled_back_has_the_next_generation(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	sl_nats_tail_use(world.tail, CONNECTION, NULL);
	run(&world);
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	CU_ASSERT_FALSE(sl_nats_tail_wants_stream(world.tail));
	send_raw(&world, forged_message(2, ++world.dseq, 999, "chat", "1"));
	CU_ASSERT_TRUE(sl_nats_tail_wants_stream(world.tail));
	CU_ASSERT_EQUAL(run(&world), SL_NATS_SAME);
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	CU_ASSERT_EQUAL(run(&world), SL_NATS_ROLLED_BACK);
	CU_ASSERT_EQUAL(sl_nats_tail_get_generation(world.tail), 0);
	sl_bus_reset(world.bus, 8);
	world.state.generation = 1;
	begin(&world, 1, 2);
	CU_ASSERT_EQUAL(sl_nats_tail_get_generation(world.tail), 1);
	CU_ASSERT_EQUAL(run(&world), SL_NATS_SAME);
	close_world(&world);
}

static void
test_a_purge_reaches_what_the_bus_holds(void)
{
	struct world world;
	open_world(&world, 1, 4);
	send(&world, 1, 4);
	world.state.first = 4;
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	struct look look = look_at(world.bus, "chat", 0);
	CU_ASSERT_EQUAL(look.count, 1);
	CU_ASSERT_EQUAL(look.gap_resumed, 3);
	close_world(&world);
}

static void
test_what_was_purged_before_it_came_is_lost(void)
{
	struct world world;
	open_world(&world, 1, 2);
	send(&world, 1, 2);
	world.state.first = 6;
	world.state.last = 5;
	sl_nats_tail_tell_stream(world.tail, &world.state, set_monotonic_ms);
	send_raw(&world, forged_heartbeat(world.dseq));
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 5);
	CU_ASSERT_EQUAL(tail_stats(&world).lost, 3);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 2).gap_resumed, 5);
	close_world(&world);
}

static void
test_without_memory_nothing_is_skipped(void)
{
	struct world world;
	open_world(&world, 1, 3);
	send(&world, 1, 1);
	natsMsg *raw = forged_message(2, ++world.dseq, 2000000, "chat", "1");
	failing_alloc_set(1, false);
	send_raw(&world, raw);
	failing_alloc_off();
	send(&world, 3, 3);
	CU_ASSERT_EQUAL(sl_bus_head(world.bus).seq, 1);
	run_quietly(&world);
	send(&world, 1, 3);
	CU_ASSERT_EQUAL(look_at(world.bus, "chat", 0).count, 3);
	close_world(&world);
}

static void
test_a_tail_that_was_never_used_can_be_destroyed(void)
{
	struct sl_nats_tail *tail = NULL;
	for_each_failing_allocation(failing) {
		struct sl_nats_tail_config config = { .bus_name = "main", .stream = "sluice-main" };
		failing_expect(sl_nats_tail_create(&tail, &config));
		sl_nats_tail_destroy(failing_alloc_has_failed() ? NULL : tail);
	}
	sl_nats_tail_destroy(NULL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_what_the_log_holds_is_delivered),
		UNIT_TEST(test_the_consumer_is_the_one_that_the_log_is_read_by),
		UNIT_TEST(test_time_and_number_are_the_logs),
		UNIT_TEST(test_what_the_log_has_no_more_is_told_as_a_gap),
		UNIT_TEST(test_messages_that_arrive_together_are_taken_in_together),
		UNIT_TEST(test_own_ids_are_told_when_their_message_is_delivered),
		UNIT_TEST(test_what_others_wrote_and_nobody_can_read_is_a_hole),
		UNIT_TEST(test_a_message_that_the_library_keeps_stops_nobody),
		UNIT_TEST(test_the_last_message_of_the_log_may_be_a_hole),
		UNIT_TEST(test_the_servers_questions_are_answered),
		UNIT_TEST(test_a_question_is_answered_when_what_came_before_has_been_delivered),
		UNIT_TEST(test_messages_flow_after_silence),
		UNIT_TEST(test_what_was_dropped_on_the_way_is_asked_for_again),
		UNIT_TEST(test_a_consumer_that_cannot_be_made_is_tried_again_after_a_while),
		UNIT_TEST(test_another_connection_brings_another_consumer_at_once),
		UNIT_TEST(test_another_log_is_read_from_its_beginning),
		UNIT_TEST(test_a_log_that_was_rolled_back_has_the_next_generation),
		UNIT_TEST(test_a_purge_reaches_what_the_bus_holds),
		UNIT_TEST(test_what_was_purged_before_it_came_is_lost),
		UNIT_TEST(test_without_memory_nothing_is_skipped),
		UNIT_TEST(test_a_tail_that_was_never_used_can_be_destroyed),
		{ NULL, NULL },
	};
	if (nats_Open(-1) != NATS_OK) /* messages need the library */
		return 1;
	int status = unit_main("nats_tail", tests);
	nats_Close();
	return status;
}
