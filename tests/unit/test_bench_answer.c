#include "bench/answer.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static const char two_answers[] =
	"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  5 \r\nSluice-Cursor: 9f3a1c07-7\r\n\r\nhello"
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n";

static void
test_answer_is_complete_only_with_its_whole_body(void)
{
	struct bench_answer answer;
	size_t first = (size_t)(strstr(two_answers, "HTTP/1.1 304") - two_answers);
	for (size_t len = 0; len < first; len++)
		CU_ASSERT_EQUAL(bench_answer_parse(&answer, two_answers, len), 0);
	CU_ASSERT_EQUAL(bench_answer_parse(&answer, two_answers, first), 1);
	CU_ASSERT_EQUAL(answer.status, 200);
	CU_ASSERT_EQUAL(answer.head_len + answer.body_len, first);
	CU_ASSERT_EQUAL(memcmp(answer.body, "hello", 5), 0);
}

static void
test_answer_without_body_ends_with_its_head(void)
{
	struct bench_answer answer;
	const char *second = strstr(two_answers, "HTTP/1.1 304");
	CU_ASSERT_EQUAL(bench_answer_parse(&answer, second, strlen(second)), 1);
	CU_ASSERT_EQUAL(answer.body_len, 0);
	CU_ASSERT_EQUAL(answer.head_len, strlen(second));
}

static void
test_answer_field_is_found_in_any_case_without_spaces(void)
{
	struct bench_answer answer;
	const char *value;
	size_t len;
	bench_answer_parse(&answer, two_answers, sizeof two_answers - 1);
	CU_ASSERT_FATAL(bench_answer_field(&answer, "sluice-cursor", &value, &len));
	CU_ASSERT_EQUAL(len, 10);
	CU_ASSERT_EQUAL(memcmp(value, "9f3a1c07-7", 10), 0);
	CU_ASSERT_FATAL(bench_answer_field(&answer, "Content-Length", &value, &len));
	CU_ASSERT_EQUAL(len, 1);
	CU_ASSERT_FALSE(bench_answer_field(&answer, "Sluice", &value, &len));
}

static void
test_answer_of_unknown_length_is_refused(void)
{
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char noise[] = "not an answer at all";
	struct bench_answer answer;
	CU_ASSERT_EQUAL(bench_answer_parse(&answer, chunked, sizeof chunked - 1), SL_EPROTO);
	CU_ASSERT_EQUAL(bench_answer_parse(&answer, noise, sizeof noise - 1), SL_EPROTO);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_answer_is_complete_only_with_its_whole_body),
		UNIT_TEST(test_answer_without_body_ends_with_its_head),
		UNIT_TEST(test_answer_field_is_found_in_any_case_without_spaces),
		UNIT_TEST(test_answer_of_unknown_length_is_refused),
		{ NULL, NULL },
	};
	return unit_main("bench answer", tests);
}
