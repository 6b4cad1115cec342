/* Answers to numbers, over a real server. */
#include "bus/nats_inbox.h"

#include <stdatomic.h>

#include "tests/unit/nats_world.h"

static natsConnection *connection;
static _Atomic uint64_t last_number;
static _Atomic unsigned count;
static char last_status[8], last_body[32];

static void
handle_reply(void *arg, uint64_t number, const char *status, struct sl_span body)
{
	CU_ASSERT_PTR_EQUAL(arg, &count);
	snprintf(last_status, sizeof last_status, "%s", status ? status : "none");
	snprintf(last_body, sizeof last_body, "%.*s", (int)body.len, body.bytes ? body.bytes : "");
	atomic_store(&last_number, number);
	atomic_fetch_add(&count, 1);
}

static struct sl_nats_inbox *
open_inbox(void)
{
	struct sl_nats_inbox *inbox;
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&connection, world_server.url), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(sl_nats_inbox_create(&inbox, connection, handle_reply, &count), 0);
	atomic_store(&count, 0);
	return inbox;
}

static void
wait_for(unsigned wanted)
{
	while (atomic_load(&count) < wanted)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void
test_nats_inbox_gets_the_number_that_was_asked_under(void)
{
	char subject[SL_NATS_REPLY_MAX];
	struct sl_nats_inbox *inbox = open_inbox();
	sl_nats_inbox_write_subject(inbox, UINT64_MAX, subject);
	natsConnection_PublishString(connection, subject, "answer");
	wait_for(1);
	CU_ASSERT_EQUAL(last_number, UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(last_body, "answer");
	CU_ASSERT_STRING_EQUAL(last_status, "none");
	sl_nats_inbox_write_subject(inbox, 5, subject);
	natsConnection_PublishRequestString(connection, "nobody.listens", subject, "question");
	wait_for(2);
	CU_ASSERT_EQUAL(last_number, 5);
	CU_ASSERT_STRING_EQUAL(last_body, "");
	CU_ASSERT_STRING_EQUAL(last_status, "503");
	sl_nats_inbox_destroy(inbox);
	natsConnection_Destroy(connection);
}

static void
handle_other(void *arg, natsMsg *message)
{
	CU_ASSERT_PTR_EQUAL(arg, &count);
	snprintf(last_body, sizeof last_body, "%.*s", natsMsg_GetDataLength(message),
		natsMsg_GetData(message));
	atomic_fetch_add(&count, 1);
}

static void
test_nats_inbox_at_a_subject_gets_all_that_comes_there(void)
{
	struct sl_nats_inbox *exact, *inbox = open_inbox();
	char subject[SL_NATS_REPLY_MAX + 1];
	snprintf(subject, sizeof subject, "%sh", sl_nats_inbox_get_prefix(inbox));
	CU_ASSERT_EQUAL_FATAL(sl_nats_inbox_create_at(&exact, connection, subject, handle_other, &count), 0);
	natsConnection_PublishString(connection, subject, "delivered");
	wait_for(1);
	CU_ASSERT_STRING_EQUAL(last_body, "delivered");
	sl_nats_inbox_destroy(exact);
	natsConnection_PublishString(connection, subject, "too late");
	sl_nats_inbox_write_subject(inbox, 3, subject);
	natsConnection_PublishString(connection, subject, "answer");
	wait_for(2);
	CU_ASSERT_EQUAL(last_number, 3);
	CU_ASSERT_EQUAL(atomic_load(&count), 2);
	sl_nats_inbox_destroy(inbox);
	natsConnection_Destroy(connection);
}

static void
test_nats_inbox_passes_over_what_is_no_number(void)
{
	char subject[SL_NATS_REPLY_MAX];
	struct sl_nats_inbox *inbox = open_inbox();
	sl_nats_inbox_write_subject(inbox, 1, subject);
	snprintf(strrchr(subject, '.'), 8, ".x");
	natsConnection_PublishString(connection, subject, "noise");
	sl_nats_inbox_write_subject(inbox, 2, subject);
	natsConnection_PublishString(connection, subject, "");
	wait_for(1);
	CU_ASSERT_EQUAL(last_number, 2);
	sl_nats_inbox_destroy(inbox);
	natsConnection_Destroy(connection);
}

static void
test_nats_inbox_is_silent_once_it_is_destroyed(void)
{
	char subject[SL_NATS_REPLY_MAX];
	for (unsigned i = 0; i < 20; i++) {
		struct sl_nats_inbox *inbox = open_inbox();
		sl_nats_inbox_write_subject(inbox, 1, subject);
		for (unsigned k = 0; k < 100; k++)
			natsConnection_PublishString(connection, subject, "answer");
		natsConnection_Flush(connection);
		sl_nats_inbox_destroy(inbox);
		unsigned after = atomic_load(&count);
		natsConnection_Destroy(connection);
		CU_ASSERT_EQUAL(atomic_load(&count), after);
	}
	sl_nats_inbox_destroy(NULL);
}

static void
test_nats_inbox_on_a_closed_connection_is_an_error(void)
{
	struct sl_nats_inbox *inbox;
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&connection, world_server.url), NATS_OK);
	natsConnection_Close(connection);
	CU_ASSERT_EQUAL(sl_nats_inbox_create(&inbox, connection, handle_reply, &count), SL_EIO);
	natsConnection_Destroy(connection);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_inbox_gets_the_number_that_was_asked_under),
		UNIT_TEST(test_nats_inbox_at_a_subject_gets_all_that_comes_there),
		UNIT_TEST(test_nats_inbox_passes_over_what_is_no_number),
		UNIT_TEST(test_nats_inbox_is_silent_once_it_is_destroyed),
		UNIT_TEST(test_nats_inbox_on_a_closed_connection_is_an_error),
		{ NULL, NULL },
	};
	return world_main("nats_inbox", tests);
}
