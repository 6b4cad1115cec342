#include "bus/args.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_args_have_names(void)
{
	enum sl_args args;
	CU_ASSERT_PTR_NULL(sl_args_get_name(SL_ARGS_ONE));
	CU_ASSERT_TRUE(sl_args_parse(span("list"), &args) && args == SL_ARGS_LIST);
	CU_ASSERT_TRUE(sl_args_parse(span("binary"), &args) && args == SL_ARGS_BINARY);
	CU_ASSERT_FALSE(sl_args_parse(span("one"), &args));
	CU_ASSERT_FALSE(sl_args_parse(span(""), &args));
	CU_ASSERT_FALSE(sl_args_parse((struct sl_span){ 0 }, &args));
}

static void
test_args_of_a_list_are_an_array(void)
{
	CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_ONE, span("1")), 0);
	CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_LIST, span("[]")), 0);
	CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_LIST, span(" [1, {}] ")), 0);
	CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_LIST, span("{}")), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_LIST, span("\"[]\"")), SL_EINVAL);
}

#define BINARY(list, attachments) "{\"list\":" list ",\"attachments\":" attachments "}"
#define PLACE(number) "{\"_placeholder\":true,\"num\":" number "}"

static void
test_args_with_attachments_have_each_one_that_they_name(void)
{
	static const char *const good[] = {
		BINARY("[]", "[]"), BINARY("[1]", "[\"AQI=\"]"),
		BINARY("[" PLACE("0") "]", "[\"\"]"),
		BINARY("[{\"a\":[" PLACE("1") "]}," PLACE("0") "]", "[\"AQI=\",\"\\/\\/\\/\\/\"]"),
		BINARY("[" PLACE("9") "]", "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"),
		" { \"attachments\" : [ ] , \"x\" : 1 , \"list\" : [ ] } ",
		BINARY("[{\"_placeholder\":false,\"num\":7},{\"num\":7},{\"_placeholder\":1}]", "[]"),
		BINARY("[\"" "{\\\"_placeholder\\\":true}" "\"]", "[]"),
		"{\"list\":1,\"list\":[],\"attachments\":1,\"attachments\":[]}",
	};
	static const char *const bad[] = {
		"[]", "1", "{}", "{\"list\":[]}", "{\"attachments\":[]}", BINARY("{}", "[]"), BINARY("[]", "{}"),
		BINARY("[]", "\"AQI=\""), BINARY("[]", "[1]"), BINARY("[]", "[\"A\"]"), BINARY("[]", "[\"A-_=\"]"),
		BINARY("[]", "[\"\\ud800\"]"),
		BINARY("[]", "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"),
		BINARY("[" PLACE("0") "]", "[]"), BINARY("[" PLACE("1") "]", "[\"\"]"), BINARY("[" PLACE("-1") "]", "[\"\"]"),
		BINARY("[" PLACE("0.0") "]", "[\"\"]"), BINARY("[" PLACE("\"0\"") "]", "[\"\"]"),
		BINARY("[" PLACE("18446744073709551616") "]", "[\"\"]"),
		BINARY("[{\"_placeholder\":true}]", "[\"\"]"),
		BINARY("[{\"a\":{\"b\":[[" PLACE("3") "]]}}]", "[\"\"]"),
		BINARY("[{\"\\u005fplaceholder\":true,\"\\u006eum\":5}]", "[\"\"]"),
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_BINARY, span(good[i])), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(sl_args_check(SL_ARGS_BINARY, span(bad[i])), SL_EINVAL);
}

static void
test_args_attachments_are_decoded(void)
{
	struct sl_args_binary binary;
	struct sl_buffer out = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL_FATAL(sl_args_read_binary(&binary, span(BINARY("[1]", "[\"AQI=\",\"\\/w==\"]"))), 0);
	CU_ASSERT_TRUE(sl_span_equals(binary.list, "[1]"));
	CU_ASSERT_EQUAL_FATAL(binary.count, 2);
	CU_ASSERT_EQUAL(sl_args_decode_attachment(&out, binary.attachments[0]), 0);
	CU_ASSERT_EQUAL(sl_args_decode_attachment(&out, binary.attachments[1]), 0);
	CU_ASSERT_EQUAL(sl_args_decode_attachment(&out, span("?")), SL_EINVAL);
	CU_ASSERT_EQUAL_FATAL(out.len, 3);
	CU_ASSERT_EQUAL(memcmp(out.bytes, "\x01\x02\xff", 3), 0);
	sl_buffer_finish(&out);
}

static void
test_args_are_checked_or_memory_ran_out(void)
{
	for_each_failing_allocation(failing)
		failing_expect(sl_args_check(SL_ARGS_BINARY, span(BINARY("[]", "[\"AQI=\",\"\\/\\/\\/\\/\"]"))));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_args_have_names),
		UNIT_TEST(test_args_of_a_list_are_an_array),
		UNIT_TEST(test_args_with_attachments_have_each_one_that_they_name),
		UNIT_TEST(test_args_attachments_are_decoded),
		UNIT_TEST(test_args_are_checked_or_memory_ran_out),
		{ NULL, NULL },
	};
	return unit_main("args", tests);
}
