#include "check/report.h"

#include "tests/unit/check_report.h"
#include "tests/unit/failing_alloc.h"
#include "util/err.h"

static struct sl_report report;
static char error[SL_REPORT_ERROR_MAX];

static int
read_text(const char *text)
{
	error[0] = '\0';
	return sl_report_read(&report, text, strlen(text), error);
}

static void
expect_text(const char *text)
{
	CU_ASSERT_EQUAL(report.text.len, strlen(text) + 1);
	CU_ASSERT_EQUAL(strncmp(report.text.bytes, text, strlen(text)), 0);
	CU_ASSERT_EQUAL(report.text.bytes[report.text.len - 1], '\n');
	sl_report_finish(&report);
}

static void
expect_refused(const char *text, const char *sentence)
{
	CU_ASSERT_EQUAL(read_text(text), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error, sentence);
	CU_ASSERT_PTR_NULL(report.text.bytes);
}

static void
test_report_that_is_right_is_written_again_as_it_is(void)
{
	CU_ASSERT_EQUAL_FATAL(read_text(REPORT), 0);
	CU_ASSERT_STRING_EQUAL(report.code, REPORT_CODE);
	CU_ASSERT_EQUAL(report.verdicts[SL_CLASS_WEBSOCKET], SL_VERDICT_WORKS);
	CU_ASSERT_EQUAL(report.verdicts[SL_CLASS_SSE], SL_VERDICT_DEGRADED);
	CU_ASSERT_EQUAL(report.verdicts[SL_CLASS_STREAM], SL_VERDICT_DEAD);
	CU_ASSERT_EQUAL(report.verdicts[SL_CLASS_LONGPOLL], SL_VERDICT_WORKS);
	CU_ASSERT_EQUAL(report.verdicts[SL_CLASS_POLL], SL_VERDICT_DEGRADED);
	expect_text(REPORT);
}

static void
test_report_comes_out_in_the_order_of_the_schema_without_white_space(void)
{
	CU_ASSERT_EQUAL_FATAL(read_text(report_with("{\"version\":1,\"made\":\"2026-11-27T03:40:00Z\",",
		" {\n\t\"made\" : \"2026-11-27T03:40:00Z\" , \"version\":1,")), 0);
	expect_text(REPORT);
}

static void
test_report_has_numbers_in_tenths(void)
{
	static const char *const cases[][2] = { { "0", "0" }, { "-0.0", "0" }, { "41.04999", "41" },
		{ "41.05", "41.1" }, { "4.15e1", "41.5" }, { "600000", "600000" }, { "1e-300", "0" },
		{ "0.06", "0.1" }, { "599999.99", "600000" } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char from[64], to[64];
		static char expected[65536];
		snprintf(from, sizeof from, "\"latency_ms\":%s", cases[i][0]);
		snprintf(to, sizeof to, "\"latency_ms\":%s", cases[i][1]);
		strcpy(expected, report_with("\"latency_ms\":41.5", to));
		CU_ASSERT_EQUAL_FATAL(read_text(report_with("\"latency_ms\":41.5", from)), 0);
		expect_text(expected);
	}
}

static void
test_report_has_texts_as_parsed(void)
{
	static char expected[65536];
	strcpy(expected, report_with("It works.", "\xc3\xa4\\\"/\\\\"));
	CU_ASSERT_EQUAL_FATAL(read_text(report_with("It works.", "\\u00e4\\u0022\\/\\\\")), 0);
	expect_text(expected);
	strcpy(expected, report_with("1.1 squid", "1.1 -"));
	CU_ASSERT_EQUAL_FATAL(read_text(report_with("1.1 squid", "1.1 192.0.2.7:3128")), 0);
	expect_text(expected);
}

static void
test_report_refusals_name_the_member_and_what_is_right(void)
{
	expect_refused(report_with("\"version\":1", "\"version\":2"),
		"version: must be a whole number from 1 to 1");
	expect_refused(report_with("\"patient\":false", "\"patient\":0"),
		"patient: must be true or false");
	expect_refused(report_with("\"seconds\":6.2", "\"seconds\":300.01"),
		"seconds: must be a number from 0 to 300");
	expect_refused(report_with("\"base_ms\":null", "\"base_ms\":-1"),
		"base_ms: must be a number from 0 to 600000, or null");
	expect_refused(report_with("\"works\"", "\"fine\""),
		"transports.websocket.state: must be one of works, degraded, dead");
	expect_refused(report_with("\"count\":20", "\"count\":20.5"),
		"transports.websocket.round_trip.count: must be a whole number from 1 to 200");
	expect_refused(report_with("\"count\":20,", ""),
		"transports.websocket.round_trip: must be an object with these members and no other: count, "
		"p50_ms, p90_ms, or null");
	expect_refused(report_with("\"largest_up\":65536", "\"largest_up\":65535"),
		"transports.websocket.largest_up: must be one of 0, 64, 4096, 65536, or null");
	expect_refused(report_with("\"Beg.\"", "17"), "advice: must be a list of at most 10 texts, each of at "
		"most 400 characters without control characters");
	expect_refused(report_with("http/1.1", "HTTP/1.1"), "http: must be a text of at most 16 characters "
		"without control characters: at most 16 of a to z, 0 to 9, '.', '/' and '-'");
	expect_refused("[]", "the report: must be an object with these members and no other: version, made, "
		"code, patient, seconds, secure, http, choice, latency_ms, base_ms, verdict, advice, proxies, "
		"transports");
}

static void
test_report_refusals_repeat_nothing_of_the_text(void)
{
	CU_ASSERT_EQUAL(read_text(report_with("\"patient\":false", "\"patient\":false,\"evil\":1")), SL_EINVAL);
	CU_ASSERT_PTR_NULL(strstr(error, "evil"));
	CU_ASSERT_EQUAL(read_text(report_with("\"secure\":true", "\"secure\":true,\"secure\":true")),
		SL_EINVAL);
	CU_ASSERT_PTR_NULL(strstr(error, "secure"));
	CU_ASSERT_EQUAL(read_text("{evil"), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error, "the body is not JSON");
}

static void
test_report_is_no_larger_and_no_deeper_than_it_may_be(void)
{
	static char text[SL_REPORT_BYTES_MAX + 2];
	snprintf(text, sizeof text, "%-*s", SL_REPORT_BYTES_MAX, REPORT);
	CU_ASSERT_EQUAL_FATAL(read_text(text), 0);
	expect_text(REPORT);
	strcat(text, " ");
	expect_refused(text, "a report has at most 16384 bytes");
	memset(text, '[', SL_REPORT_BYTES_MAX);
	memset(text + SL_REPORT_BYTES_MAX / 2, ']', SL_REPORT_BYTES_MAX / 2);
	text[SL_REPORT_BYTES_MAX] = '\0';
	expect_refused(text, "the body is nested more deeply than a report is");
}

static void
test_report_of_bytes_that_are_no_text_is_refused(void)
{
	static const char *const bad[] = { "\xff", "\xc3", "\xed\xa0\x80", "\\ud800", "\\u0000", "\\u001b",
		"\\u202e", "\xc0\x80" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(read_text(report_with("It works.", bad[i])), SL_EINVAL);
	CU_ASSERT_EQUAL(read_text(""), SL_EINVAL);
	CU_ASSERT_EQUAL(read_text(REPORT "x"), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_report_read(&report, REPORT, sizeof REPORT, error), SL_EINVAL);
	CU_ASSERT_EQUAL(read_text(report_with("6.2", "1e999")), SL_EINVAL);
	CU_ASSERT_EQUAL(read_text(report_with("6.2", "99999999999999999999")), SL_EINVAL);
}

static void
test_report_and_its_code_say_the_same(void)
{
	expect_refused(report_with("\"choice\":\"websocket\"", "\"choice\":null"),
		"code: must be that of this report: its choice is another");
	expect_refused(report_with("\"choice\":\"websocket\"", "\"choice\":\"poll\""),
		"code: must be that of this report: its choice is another");
	expect_refused(report_with("\"secure\":true", "\"secure\":false"),
		"code: must be that of this report: its secure is another");
	expect_refused(report_with("\"patient\":false", "\"patient\":true"),
		"code: must be that of this report: its patient is another");
	expect_refused(report_with("\"class\":\"cached\"", "\"class\":\"cut\""),
		"code: must be that of this report: its class of a transport is another");
	expect_refused(report_with(REPORT_CODE, "8000-0R00-000V"),
		"code: must be that of this report: its version is another");
	CU_ASSERT_EQUAL(read_text(report_with(REPORT_CODE, "41K0-GSVG-130Q")), SL_EINVAL);
	CU_ASSERT_EQUAL(strncmp(error, "code: must be a text", 20), 0);
}

static void
test_report_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		int err = read_text(REPORT);
		/* What the JSON library allocates is not counted, so these are the buffers alone. */
		if (err == 0)
			sl_report_finish(&report);
		failing_expect(err);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_report_that_is_right_is_written_again_as_it_is),
		UNIT_TEST(test_report_comes_out_in_the_order_of_the_schema_without_white_space),
		UNIT_TEST(test_report_has_numbers_in_tenths),
		UNIT_TEST(test_report_has_texts_as_parsed),
		UNIT_TEST(test_report_refusals_name_the_member_and_what_is_right),
		UNIT_TEST(test_report_refusals_repeat_nothing_of_the_text),
		UNIT_TEST(test_report_is_no_larger_and_no_deeper_than_it_may_be),
		UNIT_TEST(test_report_of_bytes_that_are_no_text_is_refused),
		UNIT_TEST(test_report_and_its_code_say_the_same),
		UNIT_TEST(test_report_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("report", tests);
}
