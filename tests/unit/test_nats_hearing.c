/* How the stream of notices is read, with answers and a clock of the test's own. */
#include "bus/nats_hearing.h"

#include "tests/unit/unit.h"
#include "util/json_check.h"

#define PREFIX "_INBOX.abcdefghijklmnopqrst."
#define DAY_S 86400

static const struct sl_nats_hearing_config config = { "main", 3, 100000, DAY_S };

static struct sl_nats_hearing hearing;
static uint64_t now_ms, number;
static char asked[160], body[1024];

static void
begin(void)
{
	sl_nats_hearing_init(&hearing, &config);
	now_ms = 1000;
	sl_nats_hearing_connect(&hearing, PREFIX, now_ms);
}

/* The call of JetStream's API that is asked now, or "". */
static const char *
ask(void)
{
	struct sl_nats_question question;
	if (!sl_nats_hearing_ask(&hearing, number + 1, now_ms, &question))
		return "";
	number++;
	snprintf(asked, sizeof asked, "%s", question.subject);
	snprintf(body, sizeof body, "%.*s", (int)question.body.len,
		question.body.bytes ? question.body.bytes : "");
	CU_ASSERT_EQUAL(sl_buffer_status(&question.body), 0);
	if (question.body.len > 0)
		CU_ASSERT_EQUAL(sl_json_check(question.body.bytes, question.body.len, 8), 0);
	sl_buffer_finish(&question.body);
	return asked;
}

static void
answer(const char *text)
{
	CU_ASSERT_TRUE(sl_nats_hearing_answer(&hearing, number, NULL,
		(struct sl_span){ text, strlen(text) }, now_ms));
}

static void
answer_info(const char *created, unsigned last, unsigned age_s)
{
	char text[512];
	snprintf(text, sizeof text, "{\"config\":{\"name\":\"sluice-main-nodes\",\"max_age\":%llu,"
		"\"num_replicas\":5},\"created\":\"%s\",\"state\":{\"messages\":2,\"last_seq\":%u}}",
		age_s * 1000000000ull, created, last);
	answer(text);
}

static void
take(unsigned sseq, unsigned dseq, unsigned pending)
{
	char reply[128];
	snprintf(reply, sizeof reply, "$JS.ACK.sluice-main-nodes.%s.1.%u.%u.1700000000000000000.%u",
		hearing.consumer, sseq, dseq, pending);
	sl_nats_hearing_take(&hearing, (struct sl_span){ reply, strlen(reply) }, now_ms);
}

/* Listening, with numbers up to 5 heard. */
static void
listen_to_five(void)
{
	begin();
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	answer_info("2026-01-01T00:00:00Z", 5, DAY_S);
	ask();
	answer("{\"name\":\"x\",\"num_pending\":2}");
	take(3, 1, 1);
	CU_ASSERT_FALSE(hearing.has_caught_up);
	take(5, 2, 0);
	CU_ASSERT_TRUE(hearing.has_caught_up);
}

static bool
has(const char *text)
{
	return strstr(body, text);
}

static void
test_nats_hearing_makes_the_stream_where_there_is_none(void)
{
	begin();
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	CU_ASSERT_STRING_EQUAL(ask(), "");
	answer("{\"error\":{\"code\":404,\"err_code\":10059,\"description\":\"stream not found\"}}");
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.CREATE.sluice-main-nodes");
	CU_ASSERT_TRUE(has("\"subjects\":[\"sluice-nodes.main.>\"]"));
	CU_ASSERT_TRUE(has("\"max_msgs_per_subject\":1,") && has("\"discard\":\"new\""));
	CU_ASSERT_TRUE(has("\"num_replicas\":3,") && has("\"max_age\":86400000000000}"));
	answer("{\"config\":{},\"created\":\"2026-01-01T00:00:00Z\"}");
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	answer_info("2026-01-01T00:00:00Z", 0, DAY_S);
	CU_ASSERT_EQUAL(strncmp(ask(), "$JS.API.CONSUMER.CREATE.sluice-main-nodes.nmnopqrst-1", 50), 0);
	CU_ASSERT_TRUE(has("\"deliver_policy\":\"all\"") && has("\"deliver_subject\":\"" PREFIX "h1\""));
	CU_ASSERT_FALSE(hearing.has_caught_up);
	answer("{\"name\":\"x\",\"num_pending\":0}");
	CU_ASSERT_TRUE(hearing.has_caught_up);
	CU_ASSERT_STRING_EQUAL(ask(), "");
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_has_a_stream_keep_notices_for_long_enough(void)
{
	begin();
	ask();
	answer_info("2026-01-01T00:00:00Z", 0, DAY_S - 1);
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.UPDATE.sluice-main-nodes");
	CU_ASSERT_TRUE(has("\"max_age\":86400000000000") && !has("86399"));
	CU_ASSERT_TRUE(has("\"num_replicas\":5") && has("\"name\":\"sluice-main-nodes\""));
	answer("{\"config\":{}}");
	ask();
	answer_info("2026-01-01T00:00:00Z", 0, 0); /* for ever */
	CU_ASSERT_EQUAL(strncmp(ask(), "$JS.API.CONSUMER", 16), 0);
	answer("{\"name\":\"x\",\"num_pending\":0}");
	sl_nats_hearing_need_age(&hearing, DAY_S);
	CU_ASSERT_STRING_EQUAL(ask(), "");
	sl_nats_hearing_need_age(&hearing, 2 * DAY_S);
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_another_connection_goes_on_where_the_last_one_was(void)
{
	listen_to_five();
	sl_nats_hearing_connect(&hearing, NULL, now_ms);
	CU_ASSERT_FALSE(hearing.has_caught_up);
	CU_ASSERT_STRING_EQUAL(ask(), "");
	sl_nats_hearing_connect(&hearing, PREFIX, now_ms);
	ask();
	answer_info("2026-01-01T00:00:00Z", 9, DAY_S);
	CU_ASSERT_NOT_EQUAL(ask()[0], '\0');
	CU_ASSERT_TRUE(has("\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":6,"));
	CU_ASSERT_TRUE(has("h2\""));
	answer("{\"name\":\"x\",\"num_pending\":4}");
	CU_ASSERT_FALSE(hearing.has_caught_up);
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_another_or_a_shorter_stream_is_read_from_its_first_number(void)
{
	static const struct { const char *created; unsigned last; } cases[] = {
		{ "2026-02-02T00:00:00Z", 9 }, { "2026-01-01T00:00:00Z", 4 } };
	for (unsigned i = 0; i < 2; i++) {
		listen_to_five();
		sl_nats_hearing_connect(&hearing, PREFIX, now_ms);
		ask();
		answer_info(cases[i].created, cases[i].last, DAY_S);
		ask();
		CU_ASSERT_TRUE(has("\"deliver_policy\":\"all\""));
		sl_nats_hearing_finish(&hearing);
	}
}

static void
test_nats_hearing_a_number_left_out_makes_another_consumer(void)
{
	listen_to_five();
	take(7, 4, 0);
	CU_ASSERT_EQUAL(hearing.heard, 5);
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	sl_nats_hearing_finish(&hearing);
	listen_to_five();
	sl_nats_hearing_beat(&hearing, PREFIX "h1", "3", now_ms);
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_silence_makes_another_consumer_and_heartbeats_keep_it(void)
{
	listen_to_five();
	for (unsigned i = 0; i < 5; i++) {
		now_ms += 2900;
		sl_nats_hearing_beat(&hearing, PREFIX "h1", "2", now_ms);
		CU_ASSERT_STRING_EQUAL(ask(), "");
	}
	now_ms += 2900;
	sl_nats_hearing_beat(&hearing, PREFIX "h0", "2", now_ms); /* another one's */
	now_ms += 100;
	CU_ASSERT_STRING_EQUAL(ask(), "");
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_messages_of_a_consumer_before_do_not_count(void)
{
	static const char reply[] = "$JS.ACK.sluice-main-nodes.other.1.9.3.1700000000000000000.0";
	listen_to_five();
	sl_nats_hearing_take(&hearing, (struct sl_span){ reply, sizeof reply - 1 }, now_ms);
	sl_nats_hearing_take(&hearing, (struct sl_span){ "_INBOX.x", 8 }, now_ms);
	CU_ASSERT_EQUAL(hearing.heard, 5);
	CU_ASSERT_STRING_EQUAL(ask(), "");
	sl_nats_hearing_finish(&hearing);
}

static void
test_nats_hearing_asks_again_where_no_good_answer_comes_and_ever_more_seldom(void)
{
	static const char *const useless[] = { "{}", "noise", "", "{\"error\":{\"code\":503,"
		"\"err_code\":10008,\"description\":\"JetStream system temporarily unavailable\"}}" };
	static const unsigned pauses_ms[] = { 500, 1000, 2000, 2000 };
	begin();
	ask();
	now_ms += 1999;
	CU_ASSERT_STRING_EQUAL(ask(), "");
	now_ms++;
	CU_ASSERT_STRING_EQUAL(ask(), "");
	now_ms += 249;
	CU_ASSERT_STRING_EQUAL(ask(), "");
	now_ms++;
	CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	CU_ASSERT_FALSE(sl_nats_hearing_answer(&hearing, number - 1, NULL, (struct sl_span){ "{}", 2 },
		now_ms));
	for (unsigned i = 0; i < 4; i++) {
		answer(useless[i]);
		CU_ASSERT_NOT_EQUAL(hearing.problem[0], '\0');
		now_ms += pauses_ms[i] - 1;
		CU_ASSERT_STRING_EQUAL(ask(), "");
		now_ms++;
		CU_ASSERT_STRING_EQUAL(ask(), "$JS.API.STREAM.INFO.sluice-main-nodes");
	}
	CU_ASSERT_TRUE(sl_nats_hearing_answer(&hearing, number, "503", (struct sl_span){ 0 }, now_ms));
	CU_ASSERT_STRING_EQUAL(ask(), "");
	sl_nats_hearing_finish(&hearing);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_hearing_makes_the_stream_where_there_is_none),
		UNIT_TEST(test_nats_hearing_has_a_stream_keep_notices_for_long_enough),
		UNIT_TEST(test_nats_hearing_another_connection_goes_on_where_the_last_one_was),
		UNIT_TEST(test_nats_hearing_another_or_a_shorter_stream_is_read_from_its_first_number),
		UNIT_TEST(test_nats_hearing_a_number_left_out_makes_another_consumer),
		UNIT_TEST(test_nats_hearing_silence_makes_another_consumer_and_heartbeats_keep_it),
		UNIT_TEST(test_nats_hearing_messages_of_a_consumer_before_do_not_count),
		UNIT_TEST(test_nats_hearing_asks_again_where_no_good_answer_comes_and_ever_more_seldom),
		{ NULL, NULL },
	};
	return unit_main("nats_hearing", tests);
}
