#include "bus/nats_inquiry.h"

#include "bus/nats_stream.h"
#include "tests/unit/nats_place.h"

static natsConnection *connection;
static jsCtx *js;

/* Asks until an answer comes; time stands at `now_ms`. */
static enum sl_nats_info
await_answer(struct sl_nats_inquiry *inquiry, uint64_t now_ms, struct sl_nats_stream_state *state)
{
	enum sl_nats_info info = SL_NATS_INFO_AGAIN;
	bool is_told = false;
	place_await((is_told = is_told || sl_nats_inquiry_run(inquiry, now_ms, false, &info, state)));
	return info;
}

static void
test_nats_inquiry_learns_what_the_log_is_like_or_that_there_is_none(void)
{
	struct sl_config config;
	struct sl_nats_stream_state opened, told;
	struct sl_nats_inquiry *inquiry;
	char error[512];
	place_configure(&config, NULL);
	CU_ASSERT_EQUAL_FATAL(sl_nats_inquiry_create(&inquiry, connection, "sluice-main", 1000), 0);
	CU_ASSERT_EQUAL(await_answer(inquiry, 1500, &told), SL_NATS_INFO_MISSING);
	CU_ASSERT_EQUAL_FATAL(sl_nats_stream_open(js, &config, &opened, error, sizeof error), 0);
	CU_ASSERT_EQUAL(await_answer(inquiry, 2000, &told), SL_NATS_INFO_STATE);
	CU_ASSERT_EQUAL(told.created_ns, opened.created_ns);
	CU_ASSERT_EQUAL(told.generation, 1);
	CU_ASSERT_TRUE(told.has_leader);
	CU_ASSERT_EQUAL(sl_nats_inquiry_get_silence_ms(inquiry, 2500), 500);
	CU_ASSERT_EQUAL(sl_nats_inquiry_get_ignorance_ms(inquiry, 2500), 500);
	sl_nats_inquiry_destroy(inquiry);
	sl_config_finish(&config);
}

static void
test_nats_inquiry_counts_silence_and_hears_late_answers(void)
{
	struct sl_nats_stream_state told;
	struct sl_nats_inquiry *inquiry;
	enum sl_nats_info info;
	CU_ASSERT_EQUAL_FATAL(sl_nats_inquiry_create(&inquiry, connection, "sluice-main", 1000), 0);
	await_answer(inquiry, 1000, &told);
	nats_server_pause(&place_server);
	for (uint64_t now_ms = 2000; now_ms <= 9000; now_ms += 500)
		CU_ASSERT_FALSE(sl_nats_inquiry_run(inquiry, now_ms, true, &info, &told));
	CU_ASSERT_EQUAL(sl_nats_inquiry_get_silence_ms(inquiry, 9000), 8000);
	CU_ASSERT_EQUAL(sl_nats_inquiry_get_ignorance_ms(inquiry, 9000), 8000);
	nats_server_resume(&place_server);
	CU_ASSERT_EQUAL(await_answer(inquiry, 9000, &told), SL_NATS_INFO_STATE);
	CU_ASSERT_EQUAL(sl_nats_inquiry_get_silence_ms(inquiry, 9000), 0);
	sl_nats_inquiry_destroy(inquiry);
	sl_nats_inquiry_destroy(NULL);
}

static void
test_nats_inquiry_on_an_ended_connection_is_harmless(void)
{
	struct sl_nats_stream_state told;
	struct sl_nats_inquiry *inquiry, *late;
	enum sl_nats_info info;
	CU_ASSERT_EQUAL_FATAL(sl_nats_inquiry_create(&inquiry, connection, "sluice-main", 1000), 0);
	natsConnection_Close(connection);
	for (uint64_t now_ms = 1000; now_ms < 5000; now_ms += 100)
		sl_nats_inquiry_run(inquiry, now_ms, false, &info, &told);
	CU_ASSERT_TRUE(sl_nats_inquiry_get_silence_ms(inquiry, 5000) > 0);
	sl_nats_inquiry_destroy(inquiry);
	CU_ASSERT_EQUAL(sl_nats_inquiry_create(&late, connection, "sluice-main", 1000), SL_EIO);
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
}

static void
test_nats_inquiry_connects(void)
{
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&connection, place_server.url), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(natsConnection_JetStream(&js, connection, NULL), NATS_OK);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_inquiry_connects),
		UNIT_TEST(test_nats_inquiry_learns_what_the_log_is_like_or_that_there_is_none),
		UNIT_TEST(test_nats_inquiry_counts_silence_and_hears_late_answers),
		UNIT_TEST(test_nats_inquiry_on_an_ended_connection_is_harmless),
		{ NULL, NULL },
	};
	int status = place_main("nats_inquiry", tests);
	return status;
}
