#include "bus/nats_batch.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/nats_forged.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_nats_arrival_limits limits = { "main", 8, 1000 };

/* What becomes of one message; finish it. */
static const struct sl_nats_item *
add(struct sl_nats_batch *batch, natsMsg *raw)
{
	*batch = (struct sl_nats_batch){ 0 };
	forged_send(raw);
	sl_nats_batch_fetch(batch, NULL, &limits);
	CU_ASSERT_EQUAL_FATAL(batch->count, 1);
	return &batch->items[0];
}

static void
test_a_message_is_ready_for_the_bus(void)
{
	struct sl_nats_batch batch;
	natsMsg *raw = forged_message(4182, 17, 1790000000123456789, "chat", "hello");
	forged_header(raw, "Nats-Msg-Id", "p/abcdefgh/1");
	forged_header(raw, "Sluice-Type", "binary");
	forged_header(raw, "Sluice-Compress", "no");
	forged_header(raw, "Sluice-Owner", "00000000000000ff");
	forged_header(raw, "Sluice-Event", "an=20event");
	const struct sl_nats_item *item = add(&batch, raw);
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_MESSAGE);
	CU_ASSERT_EQUAL(item->reply.sseq, 4182);
	CU_ASSERT_EQUAL(item->reply.dseq, 17);
	CU_ASSERT_EQUAL(item->err, 0);
	CU_ASSERT_STRING_EQUAL(item->msg_id, "p/abcdefgh/1");
	CU_ASSERT_PTR_NULL(item->answer_to);
	CU_ASSERT_PTR_NOT_NULL_FATAL(item->message);
	CU_ASSERT_STRING_EQUAL(item->message->channel, "chat");
	CU_ASSERT_EQUAL(item->message->type, SL_BINARY);
	CU_ASSERT_TRUE(item->message->uncompressed);
	CU_ASSERT_EQUAL(item->message->owner, 0xff);
	CU_ASSERT_STRING_EQUAL(item->message->event, "an event");
	sl_nats_batch_finish(&batch);
	CU_ASSERT_EQUAL(batch.count, 0);
}

static void
test_a_message_without_headers_is_ready_too(void)
{
	struct sl_nats_batch batch;
	const struct sl_nats_item *item = add(&batch, forged_message(1, 1, 5, "chat", "{\"a\":1}"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(item->message);
	CU_ASSERT_EQUAL(item->message->type, SL_JSON);
	CU_ASSERT_STRING_EQUAL(item->msg_id, "");
	sl_nats_batch_finish(&batch);
	item = add(&batch, forged_message(1, 1, 5, "chat", ""));
	CU_ASSERT_PTR_NOT_NULL_FATAL(item->message);
	CU_ASSERT_EQUAL(item->message->payload_len, 0);
	sl_nats_batch_finish(&batch);
}

static void
test_a_message_that_is_refused_keeps_its_number(void)
{
	struct sl_nats_batch batch;
	const struct sl_nats_item *item = add(&batch, forged_message(7, 3, 5, "no=2Achannel", "1"));
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_MESSAGE);
	CU_ASSERT_EQUAL(item->reply.sseq, 7);
	CU_ASSERT_EQUAL(item->err, SL_EINVAL);
	CU_ASSERT_PTR_NULL(item->message);
	sl_nats_batch_finish(&batch);
}

static void
test_a_message_that_claims_a_status_is_a_message(void)
{
	struct sl_nats_batch batch;
	natsMsg *raw = forged_message(7, 3, 5, "chat", "");
	forged_header(raw, "Status", "503");
	forged_header(raw, "Nats-Last-Consumer", "99");
	const struct sl_nats_item *item = add(&batch, raw);
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_MESSAGE);
	CU_ASSERT_EQUAL(item->reply.dseq, 3);
	CU_ASSERT_PTR_NOT_NULL(item->message);
	sl_nats_batch_finish(&batch);
}

static void
test_a_heartbeat_says_what_came_last(void)
{
	struct sl_nats_batch batch;
	const struct sl_nats_item *item = add(&batch, forged_heartbeat(12));
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_HEARTBEAT);
	CU_ASSERT_EQUAL(item->reply.dseq, 12);
	CU_ASSERT_PTR_NULL(item->answer_to);
	sl_nats_batch_finish(&batch);
	natsMsg *raw = forged_heartbeat(0);
	forged_header(raw, "Nats-Consumer-Stalled", "$JS.FC.x");
	item = add(&batch, raw);
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_HEARTBEAT);
	CU_ASSERT_STRING_EQUAL(item->answer_to, "$JS.FC.x");
	sl_nats_batch_finish(&batch);
}

static void
test_a_question_about_the_flow_is_to_be_answered(void)
{
	struct sl_nats_batch batch;
	const struct sl_nats_item *item = add(&batch, forged_control("100", "$JS.FC.y"));
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_FLOW);
	CU_ASSERT_STRING_EQUAL(item->answer_to, "$JS.FC.y");
	sl_nats_batch_finish(&batch);
}

static void
expect_unreadable(natsMsg *raw)
{
	struct sl_nats_batch batch;
	const struct sl_nats_item *item = add(&batch, raw);
	CU_ASSERT_EQUAL(item->kind, SL_NATS_ITEM_UNREADABLE);
	CU_ASSERT_PTR_NULL(item->message);
	sl_nats_batch_finish(&batch);
}

static void
test_everything_else_asks_for_another_consumer(void)
{
	expect_unreadable(forged_control("100", NULL));
	expect_unreadable(forged_control("409", NULL));
	expect_unreadable(forged_control("503", "$JS.ACK.s.c.1.2.3.4"));
	natsMsg *raw = forged_control("100", NULL);
	forged_header(raw, "Nats-Last-Consumer", "many");
	expect_unreadable(raw);
	CU_ASSERT_EQUAL_FATAL(natsMsg_Create(&raw, "sluice.main.a", NULL, "1", 1), NATS_OK);
	expect_unreadable(raw);
	CU_ASSERT_EQUAL_FATAL(natsMsg_Create(&raw, "sluice.main.a", "$JS.ACK.s.c.1.2", "1", 1), NATS_OK);
	expect_unreadable(raw);
}

static void
test_without_memory_the_message_is_asked_for_again(void)
{
	for_each_failing_allocation(failing) {
		struct sl_nats_batch batch;
		failing_alloc_off();
		natsMsg *raw = forged_message(1, 1, 5, "chat", "needs \"escapes\"");
		failing_again(&failing);
		const struct sl_nats_item *item = add(&batch, raw);
		bool has_failed = failing_alloc_has_failed();
		failing_alloc_off();
		CU_ASSERT_EQUAL(item->kind, has_failed ? SL_NATS_ITEM_UNREADABLE : SL_NATS_ITEM_MESSAGE);
		sl_nats_batch_finish(&batch);
	}
}

static void
test_as_much_is_taken_as_fits(void)
{
	struct sl_nats_batch batch = { 0 };
	for (unsigned i = 1; i <= SL_NATS_BATCH_MAX + 3; i++)
		forged_send(forged_message(i, i, 5, "chat", "1"));
	sl_nats_batch_fetch(&batch, NULL, &limits);
	CU_ASSERT_EQUAL(batch.count, SL_NATS_BATCH_MAX);
	sl_nats_batch_clear(&batch);
	sl_nats_batch_fetch(&batch, NULL, &limits);
	CU_ASSERT_EQUAL_FATAL(batch.count, 3);
	CU_ASSERT_EQUAL(batch.items[0].reply.sseq, SL_NATS_BATCH_MAX + 1);
	sl_nats_batch_clear(&batch);
	sl_nats_batch_fetch(&batch, NULL, &limits);
	CU_ASSERT_EQUAL(batch.count, 0);
	sl_nats_batch_finish(&batch);
}

static void
test_a_message_that_the_library_keeps_has_a_place(void)
{
	struct sl_nats_batch batch = { 0 };
	forged_send(forged_message(1, 1, 5, "chat", "1"));
	forged_send(NULL);
	forged_send(forged_message(3, 3, 5, "chat", "1"));
	sl_nats_batch_fetch(&batch, NULL, &limits);
	CU_ASSERT_EQUAL_FATAL(batch.count, 3);
	CU_ASSERT_EQUAL(batch.items[1].kind, SL_NATS_ITEM_HIDDEN);
	CU_ASSERT_EQUAL(batch.items[2].kind, SL_NATS_ITEM_MESSAGE);
	sl_nats_batch_finish(&batch);
}

static void
test_a_subscription_that_ended_has_nothing(void)
{
	struct sl_nats_batch batch = { 0 };
	forged_status = NATS_INVALID_SUBSCRIPTION;
	forged_send(forged_message(1, 1, 5, "chat", "1"));
	sl_nats_batch_fetch(&batch, NULL, &limits);
	CU_ASSERT_EQUAL(batch.count, 0);
	forged_status = NATS_OK;
	forged_drop();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_message_is_ready_for_the_bus),
		UNIT_TEST(test_a_message_without_headers_is_ready_too),
		UNIT_TEST(test_a_message_that_is_refused_keeps_its_number),
		UNIT_TEST(test_a_message_that_claims_a_status_is_a_message),
		UNIT_TEST(test_a_heartbeat_says_what_came_last),
		UNIT_TEST(test_a_question_about_the_flow_is_to_be_answered),
		UNIT_TEST(test_everything_else_asks_for_another_consumer),
		UNIT_TEST(test_without_memory_the_message_is_asked_for_again),
		UNIT_TEST(test_as_much_is_taken_as_fits),
		UNIT_TEST(test_a_message_that_the_library_keeps_has_a_place),
		UNIT_TEST(test_a_subscription_that_ended_has_nothing),
		{ NULL, NULL },
	};
	if (nats_Open(-1) != NATS_OK) /* messages need the library */
		return 1;
	int status = unit_main("nats_batch", tests);
	nats_Close();
	return status;
}
