#include "bench/answer.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char head[] =
	"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  5 \r\nSluice-Cursor: 9f3a1c07-7\r\n\r\n";
static const struct bench_answer answer = {
	.status = 200, .head = head, .head_len = sizeof head - 1,
};

static void
expect(const char *name, const char *wanted)
{
	const char *value;
	size_t len;
	CU_ASSERT_FATAL(bench_answer_field(&answer, name, &value, &len));
	CU_ASSERT_EQUAL(len, strlen(wanted));
	CU_ASSERT_EQUAL(memcmp(value, wanted, len), 0);
}

static void
test_answer_field_is_found_in_any_case_without_spaces(void)
{
	expect("sluice-cursor", "9f3a1c07-7");
	expect("Content-Length", "5");
}

static void
test_answer_field_needs_its_whole_name(void)
{
	const char *value;
	size_t len;
	CU_ASSERT_FALSE(bench_answer_field(&answer, "Sluice", &value, &len));
	CU_ASSERT_FALSE(bench_answer_field(&answer, "Cursor", &value, &len));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_answer_field_is_found_in_any_case_without_spaces),
		UNIT_TEST(test_answer_field_needs_its_whole_name),
		{ NULL, NULL },
	};
	return unit_main("bench answer", tests);
}
