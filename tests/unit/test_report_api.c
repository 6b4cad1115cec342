#include "check/report_api.h"

#include <sys/socket.h>
#include <unistd.h>

#include "check/report_quota.h"
#include "check/store.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/http.h"
#include "http/request.h"
#include "live/shard.h"
#include "tests/unit/check_report.h"

#define FAR_FUTURE_US INT64_C(4102444800000000)

static struct sl_http http;
static struct sl_shard shard;
static struct sl_connection connection;
static char folder[] = "test_report_api_XXXXXX";

static void
wake(void)
{
}

static void
begin(void)
{
	memset(&shard, 0, sizeof shard);
	shard.loop.now_ms = 10000000;
	connection.link.client = (struct sl_address){ .family = AF_INET6, .bytes = { 0x20, 1 } };
	CU_ASSERT_EQUAL_FATAL(sl_store_create(&http.report_store, folder, wake), 0);
	http.report_quota = sl_report_quota_create();
	CU_ASSERT_PTR_NOT_NULL_FATAL(http.report_quota);
}

static void
end(void)
{
	sl_store_run(http.report_store, &shard.metrics, FAR_FUTURE_US); /* writes all, and removes it */
	sl_store_destroy(http.report_store);
	sl_report_quota_destroy(http.report_quota);
	http = (struct sl_http){ .report_store = NULL };
}

static const char *
field(const struct sl_reply *reply, const char *name)
{
	for (unsigned i = 0; i < reply->head.field_count; i++)
		if (strcmp(reply->head.fields[i].name, name) == 0)
			return reply->head.fields[i].value.bytes;
	return "";
}

static void
expect_counts(uint64_t accepted, uint64_t bad, uint64_t limited, uint64_t busy)
{
	const _Atomic uint64_t *counters = shard.metrics.counters;
	CU_ASSERT_EQUAL(counters[SL_COUNTER_CHECK_REPORTS_ACCEPTED], accepted);
	CU_ASSERT_EQUAL(counters[SL_COUNTER_CHECK_REPORTS_BAD], bad);
	CU_ASSERT_EQUAL(counters[SL_COUNTER_CHECK_REPORTS_LIMITED], limited);
	CU_ASSERT_EQUAL(counters[SL_COUNTER_CHECK_REPORTS_BUSY], busy);
}

/* The status; the reply's body must hold `part`, and Retry-After be `retry`. */
static void
expect_answer(const char *text, unsigned status, const char *part, const char *retry)
{
	struct sl_exchange exchange = { .http = &http, .shard = &shard, .connection = &connection };
	sl_buffer_append_str(&exchange.body, text);
	sl_report_api_take(&exchange);
	sl_buffer_append_char(&exchange.reply.body, '\0');
	CU_ASSERT_EQUAL(exchange.reply.head.status, status);
	CU_ASSERT_PTR_NOT_NULL(strstr(exchange.reply.body.bytes, part));
	CU_ASSERT_STRING_EQUAL(field(&exchange.reply, "Retry-After"), retry);
	sl_buffer_finish(&exchange.body);
	sl_reply_finish(&exchange.reply);
}

/* The status that prepare() answers with; 0 when the request passes. */
static unsigned
prepare(const char *content_type)
{
	struct sl_head head = { .first = { [SL_FIELD_CONTENT_TYPE] = { content_type,
		content_type ? strlen(content_type) : 0 } } };
	struct sl_request request = { .head = &head };
	struct sl_exchange exchange = { .http = &http, .shard = &shard, .connection = &connection };
	sl_report_api_prepare(&exchange, &request);
	unsigned status = exchange.reply.head.status;
	sl_reply_finish(&exchange.reply);
	return status;
}

static void
test_report_api_without_a_folder_takes_nothing(void)
{
	CU_ASSERT_EQUAL(prepare("application/json"), 404);
}

static void
test_report_api_takes_json_alone(void)
{
	begin();
	CU_ASSERT_EQUAL(prepare("application/json"), 0);
	CU_ASSERT_EQUAL(prepare("Application/JSON; charset=utf-8"), 0);
	CU_ASSERT_EQUAL(prepare("application/json ;x"), 0);
	CU_ASSERT_EQUAL(prepare(NULL), 415);
	CU_ASSERT_EQUAL(prepare(""), 415);
	CU_ASSERT_EQUAL(prepare("text/plain"), 415);
	CU_ASSERT_EQUAL(prepare("application/jsonx"), 415);
	CU_ASSERT_EQUAL(prepare("application/json, text/plain"), 415);
	end();
}

static void
test_report_api_accepts_and_counts_verdicts(void)
{
	begin();
	expect_answer(REPORT, 201, "{\"stored\":true,\"code\":\"" REPORT_CODE "\"}", "");
	expect_counts(1, 0, 0, 0);
	CU_ASSERT_EQUAL(shard.metrics.verdicts[SL_CLASS_WEBSOCKET][SL_VERDICT_WORKS], 1);
	CU_ASSERT_EQUAL(shard.metrics.verdicts[SL_CLASS_SSE][SL_VERDICT_DEGRADED], 1);
	CU_ASSERT_EQUAL(shard.metrics.verdicts[SL_CLASS_STREAM][SL_VERDICT_DEAD], 1);
	CU_ASSERT_EQUAL(shard.metrics.verdicts[SL_CLASS_STREAM][SL_VERDICT_WORKS], 0);
	end();
}

static void
test_report_api_refuses_what_is_wrong_and_counts_no_verdict(void)
{
	begin();
	expect_answer(report_with("\"secure\":true", "\"secure\":1"), 400,
		"{\"error\":{\"code\":\"bad_report\",\"message\":\"secure: must be true or false\"}}", "");
	expect_counts(0, 1, 0, 0);
	CU_ASSERT_EQUAL(shard.metrics.verdicts[SL_CLASS_WEBSOCKET][SL_VERDICT_WORKS], 0);
	end();
}

static void
test_report_api_limits_an_address_and_says_for_how_long(void)
{
	begin();
	for (int i = 0; i < 5; i++)
		expect_answer(REPORT, 201, "stored", "");
	shard.loop.now_ms += 1;
	expect_answer(REPORT, 429, "too_many_reports", "3600");
	expect_counts(5, 0, 1, 0);
	expect_answer("{}", 400, "bad_report", "");
	end();
}

static void
test_report_api_is_busy_without_using_up_the_quota(void)
{
	begin();
	connection.link.client.family = AF_UNIX;
	for (int i = 0; i < SL_STORE_QUEUE; i++)
		expect_answer(REPORT, 201, "stored", "");
	connection.link.client.family = AF_INET6;
	for (int i = 0; i < 6; i++)
		expect_answer(REPORT, 429, "busy", "10");
	expect_counts(SL_STORE_QUEUE, 0, 0, 6);
	sl_store_run(http.report_store, &shard.metrics, 0);
	expect_answer(REPORT, 201, "stored", "");
	end();
}

static void
test_report_api_drops_the_report_of_a_client_that_has_left(void)
{
	begin();
	struct sl_exchange exchange = { .http = &http, .shard = &shard };
	sl_buffer_append_str(&exchange.body, REPORT);
	sl_report_api_take(&exchange);
	CU_ASSERT_TRUE(exchange.reply.head.status >= 400);
	expect_counts(0, 0, 0, 0);
	sl_buffer_finish(&exchange.body);
	sl_reply_finish(&exchange.reply);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_report_api_without_a_folder_takes_nothing),
		UNIT_TEST(test_report_api_takes_json_alone),
		UNIT_TEST(test_report_api_accepts_and_counts_verdicts),
		UNIT_TEST(test_report_api_refuses_what_is_wrong_and_counts_no_verdict),
		UNIT_TEST(test_report_api_limits_an_address_and_says_for_how_long),
		UNIT_TEST(test_report_api_is_busy_without_using_up_the_quota),
		UNIT_TEST(test_report_api_drops_the_report_of_a_client_that_has_left),
		{ NULL, NULL },
	};
	if (!mkdtemp(folder))
		return 2;
	int status = unit_main("report_api", tests);
	rmdir(folder);
	return status;
}
