#include "util/json_members.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/json_check.h"

/* Writes a walk as `name=value:kind;` with the kind's first letter. */
static void
expect_walk(const char *text, const char *walk)
{
	static const char kinds[] = "snoatfN";
	CU_ASSERT_EQUAL(sl_json_check(text, strlen(text), SL_JSON_DEPTH_MAX), 0);
	struct sl_buffer got = SL_BUFFER_INIT;
	struct sl_json_members members;
	struct sl_json_member member;
	int err = sl_json_members_open(&members, text, strlen(text));
	if (err != 0)
		err = sl_json_elements_open(&members, text, strlen(text));
	CU_ASSERT_EQUAL_FATAL(err, 0);
	while (sl_json_members_next(&members, &member)) {
		if (member.name.bytes)
			sl_buffer_printf(&got, "%.*s=", (int)member.name.len, member.name.bytes);
		sl_buffer_printf(&got, "%.*s:%c;", (int)member.value.len, member.value.bytes,
			kinds[member.kind]);
	}
	CU_ASSERT_FALSE(sl_json_members_next(&members, &member));
	sl_buffer_append_char(&got, '\0');
	CU_ASSERT_STRING_EQUAL(got.bytes, walk);
	sl_buffer_finish(&got);
}

static void
test_members_come_in_order_with_their_kinds(void)
{
	expect_walk("{\"a\":\"x\",\"b\":-1.5E+3,\"c\":{},\"d\":[],\"e\":true,\"f\":false,\"g\":null}",
		"a=\"x\":s;b=-1.5E+3:n;c={}:o;d=[]:a;e=true:t;f=false:f;g=null:N;");
	expect_walk("{}", "");
	expect_walk(" \n{ } ", "");
	expect_walk("{\"a\":1,\"a\":2}", "a=1:n;a=2:n;");
}

static void
test_members_skip_white_space_between_tokens(void)
{
	expect_walk(" {\n\t\"a\" :\r\n 1 , \"b\" : [ 1 , 2 ] \n} ", "a=1:n;b=[ 1 , 2 ]:a;");
}

static void
test_members_are_not_fooled_by_what_is_inside_values(void)
{
	expect_walk("{\"a\":\"},{\\\"\",\"b\":[{\"x\":\"]\\\\\"},[\"[\"]],\"c\":{\"d\":{\"e\":\"}\"}},\"f\":0}",
		"a=\"},{\\\"\":s;b=[{\"x\":\"]\\\\\"},[\"[\"]]:a;c={\"d\":{\"e\":\"}\"}}:o;f=0:n;");
	expect_walk("{\"a\\\"b\":1,\"\":2,\"\\u0022\":3}", "a\\\"b=1:n;=2:n;\\u0022=3:n;");
}

static void
test_elements_are_walked_like_members_without_names(void)
{
	expect_walk("[\"a\", 1 ,[],{\"b\":2},null]", "\"a\":s;1:n;[]:a;{\"b\":2}:o;null:N;");
	expect_walk("[]", "");
	expect_walk("[ ]", "");
}

static void
test_members_open_only_what_has_members(void)
{
	static const char *const others[] = { "1", "\"{}\"", "null", " true", "" };
	struct sl_json_members members;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		size_t len = strlen(others[i]);
		CU_ASSERT_EQUAL(sl_json_members_open(&members, others[i], len), SL_EINVAL);
		CU_ASSERT_EQUAL(sl_json_elements_open(&members, others[i], len), SL_EINVAL);
	}
	CU_ASSERT_EQUAL(sl_json_members_open(&members, "[]", 2), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_json_elements_open(&members, "{}", 2), SL_EINVAL);
}

static void
expect_decoded(const char *raw, const char *bytes, size_t len)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_buffer_append_char(&out, '>');
	CU_ASSERT_EQUAL(sl_json_string_decode(&out, raw, strlen(raw)), 0);
	CU_ASSERT_EQUAL_FATAL(out.len, len + 1);
	CU_ASSERT_EQUAL(memcmp(out.bytes + 1, bytes, len), 0);
	sl_buffer_finish(&out);
	if (!memchr(bytes, '\0', len))
		CU_ASSERT_TRUE(sl_json_string_equals(raw, strlen(raw), bytes));
}

static void
test_strings_decode_every_escape(void)
{
	expect_decoded("", "", 0);
	expect_decoded("plain", "plain", 5);
	expect_decoded("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", 8);
	expect_decoded("a\\u0041\\u00e4\\u20AC\\u007f!", "aA\xc3\xa4\xe2\x82\xac\x7f!", 9);
	expect_decoded("\\u0000", "\0", 1);
	expect_decoded("\\ud83d\\uDE00x", "\xf0\x9f\x98\x80x", 5);
	expect_decoded("\\uD800\\uDC00\\uDBFF\\uDFFF", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
	expect_decoded("\\uD7FF\\uE000\\uFFFF", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 9);
	expect_decoded("\\\\u0041", "\\u0041", 6);
}

static void
test_strings_with_a_lone_surrogate_are_not_utf8(void)
{
	static const char *const raws[] = {
		"\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041", "\\ud800\\ud800\\udc00",
		"\\udc00\\ud800", "a\\udfffb",
	};
	for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		CU_ASSERT_EQUAL(sl_json_string_decode(&out, raws[i], strlen(raws[i])), SL_EUTF8);
		CU_ASSERT_FALSE(sl_json_string_equals(raws[i], strlen(raws[i]), ""));
		sl_buffer_finish(&out);
	}
}

static void
test_strings_compare_by_what_they_stand_for(void)
{
	CU_ASSERT_TRUE(sl_json_string_equals("t\\u0079pe", 9, "type"));
	CU_ASSERT_TRUE(sl_json_string_equals("\\u00e4", 6, "\xc3\xa4"));
	CU_ASSERT_TRUE(sl_json_string_equals("", 0, ""));
	CU_ASSERT_FALSE(sl_json_string_equals("typ", 3, "type"));
	CU_ASSERT_FALSE(sl_json_string_equals("types", 5, "type"));
	CU_ASSERT_FALSE(sl_json_string_equals("Type", 4, "type"));
	CU_ASSERT_FALSE(sl_json_string_equals("typ\\u00e4", 9, "typ\xc3"));
	CU_ASSERT_FALSE(sl_json_string_equals("type\\u0000", 10, "type"));
}

static void
test_strings_decode_whole_or_tell_that_memory_is_missing(void)
{
	char raw[200];
	memset(raw, 'x', sizeof raw);
	memcpy(raw + 100, "\\u00e4", 6);
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT;
		int err = sl_json_string_decode(&out, raw, sizeof raw);
		failing_expect(err);
		CU_ASSERT(err != 0 || out.len == sizeof raw - 4);
		sl_buffer_finish(&out);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_members_come_in_order_with_their_kinds),
		UNIT_TEST(test_members_skip_white_space_between_tokens),
		UNIT_TEST(test_members_are_not_fooled_by_what_is_inside_values),
		UNIT_TEST(test_elements_are_walked_like_members_without_names),
		UNIT_TEST(test_members_open_only_what_has_members),
		UNIT_TEST(test_strings_decode_every_escape),
		UNIT_TEST(test_strings_with_a_lone_surrogate_are_not_utf8),
		UNIT_TEST(test_strings_compare_by_what_they_stand_for),
		UNIT_TEST(test_strings_decode_whole_or_tell_that_memory_is_missing),
		{ NULL, NULL },
	};
	return unit_main("json_members", tests);
}
