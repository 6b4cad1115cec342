#include "util/json_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

#define TEXT(literal) { literal, sizeof(literal) - 1 }

struct text {
	const char *bytes;
	size_t len;
};

/* In the manner of JSONTestSuite: y_ must be accepted, n_ must not. */
static const struct text accepted[] = {
	TEXT("0"), TEXT("-0"), TEXT("1"), TEXT("-1"), TEXT("123"), TEXT("1.0"), TEXT("0.1"),
	TEXT("-0.0"), TEXT("1e1"), TEXT("1E1"), TEXT("1e+1"), TEXT("1e-1"), TEXT("0e1"),
	TEXT("0e+1"), TEXT("1.5e10"), TEXT("0.4e006"), TEXT("1e999"), TEXT("-1e-999"),
	TEXT("12345678901234567890"), TEXT("-12345678901234567890.12345678901234567890"),
	TEXT("-237462374673276894279832749832423479823246327846"),
	TEXT(" 1"), TEXT("1 "), TEXT("\t\r\n 1\t\r\n "),
	TEXT("true"), TEXT("false"), TEXT("null"), TEXT(" true "),
	TEXT("\"\""), TEXT("\"a\""), TEXT("\" \""), TEXT("\"\x7f\""),
	TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), TEXT("\"\\u0000\""), TEXT("\"\\uABCD\\uabcd\\u0123\""),
	TEXT("\"\\uD83D\\uDE00\""), TEXT("\"\\uD800\""), TEXT("\"\\\\u0000\""), TEXT("\"\\\\\""),
	TEXT("\"a string much longer than eight bytes, with \\\"quotes\\\" in it\""),
	TEXT("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""), TEXT("\"\xff\""),
	TEXT("\"\xe2\x80\xa8\xe2\x80\xa9\""),
	TEXT("[]"), TEXT("[ ]"), TEXT("[1]"), TEXT("[1,2]"), TEXT("[ 1 , 2 ]"), TEXT("[[]]"),
	TEXT("[[],[]]"), TEXT("[null,true,false,0,\"\",{},[]]"), TEXT("[1\n]"), TEXT("[-0]"),
	TEXT("[1,null,null,null,2]"), TEXT("[\"a\"]"), TEXT("[{}]"), TEXT("[0e1]"),
	TEXT("{}"), TEXT("{ }"), TEXT("{\"\":0}"), TEXT("{\"a\":1}"), TEXT("{\"a\":1,\"b\":2}"),
	TEXT("{\"a\":1,\"a\":2}"), TEXT("{ \"a\" : [ ] , \"b\" : { } }"), TEXT("{\"a\\u0000b\":1}"),
	TEXT("{\"a\":{\"b\":{\"c\":[{\"d\":[]}]}}}"), TEXT("{\n\"a\":\n\"b\"\n}"), TEXT("{\"min\":-1.0e+28}"),
};

static const struct text refused[] = {
	TEXT(""), TEXT(" "), TEXT("\n"), TEXT("\0"), TEXT("1\0"), TEXT("\xef\xbb\xbf{}"), TEXT("\xef\xbb\xbf"),
	TEXT("-"), TEXT("--1"), TEXT("+1"), TEXT("01"), TEXT("-01"), TEXT("00"), TEXT("1."), TEXT(".1"), TEXT("-.1"),
	TEXT("1.e1"), TEXT("1e"), TEXT("1e+"), TEXT("1e-"), TEXT("1ee1"), TEXT("1e+-1"), TEXT("1.1.1"),
	TEXT("1e1.1"), TEXT("0x1"), TEXT("0e"), TEXT("0.e1"), TEXT("0.3e"), TEXT("0.3e+"), TEXT("1 000"),
	TEXT("1_0"), TEXT("-a"), TEXT("1a"), TEXT("Infinity"), TEXT("-Infinity"), TEXT("NaN"), TEXT("\xef\xbc\x91"),
	TEXT("t"), TEXT("tru"), TEXT("truE"), TEXT("True"), TEXT("truee"), TEXT("nul"), TEXT("nulll"),
	TEXT("fals"), TEXT("true false"), TEXT("n ull"),
	TEXT("\""), TEXT("\"a"), TEXT("\"a\\\""), TEXT("\"\\"), TEXT("\"\\a\""), TEXT("\"\\x00\""), TEXT("\"\\\0\""),
	TEXT("\"\\u\""), TEXT("\"\\u1\""), TEXT("\"\\u12\""), TEXT("\"\\u123\""), TEXT("\"\\u123g\""),
	TEXT("\"\\u123/\""), TEXT("\"\\u123@\""), TEXT("\"\\u123`\""), TEXT("\"\\u123:\""), TEXT("\"\\u123G\""),
	TEXT("\"\\U0000\""), TEXT("\"\\'\""), TEXT("\"\n\""), TEXT("\"\t\""), TEXT("\"\0\""), TEXT("\"\x1f\""),
	TEXT("\"1234567\x01\""), TEXT("\"12345678\x1f\""), TEXT("'a'"), TEXT("\"a\"\"b\""), TEXT("\"a\"b"),
	TEXT("\xc3\xa4"), TEXT("a"), TEXT("\\u0022a\""),
	TEXT("["), TEXT("]"), TEXT("[1"), TEXT("[1,"), TEXT("[1,]"), TEXT("[,1]"), TEXT("[,]"), TEXT("[1,,2]"),
	TEXT("[1 2]"), TEXT("[1]]"), TEXT("[1],"), TEXT("[1}"), TEXT("[\"a\":1]"), TEXT("[1:2]"), TEXT("[[]"), TEXT("[][]"),
	TEXT("[1]x"), TEXT("[-]"), TEXT("[1.]"), TEXT("[\x0c]"), TEXT("[\xc2\xa0]"), TEXT("[*]"), TEXT("[\"\",\n"),
	TEXT("{"), TEXT("}"), TEXT("{\"a\""), TEXT("{\"a\":"), TEXT("{\"a\":1"), TEXT("{\"a\":1,"), TEXT("{\"a\":1,}"),
	TEXT("{,}"), TEXT("{\"a\":1,,\"b\":2}"), TEXT("{\"a\" 1}"), TEXT("{\"a\",1}"), TEXT("{\"a\"::1}"), TEXT("{\"a\":}"),
	TEXT("{:1}"), TEXT("{a:1}"), TEXT("{'a':1}"), TEXT("{1:1}"), TEXT("{null:1}"), TEXT("{\"a\":1]"), TEXT("{\"a\":1}}"),
	TEXT("{\"a\":1}{}"), TEXT("{\"a\":1 \"b\":2}"), TEXT("{\"a\":1}#"), TEXT("{\"a\":1/**/}"), TEXT("{\"a\":\"b\"}//"),
	TEXT("{\"a\":1,1}"), TEXT("{{}}"), TEXT("{[]:1}"), TEXT("{\"a\":[}"), TEXT("[{]}"), TEXT("<null>"),
};

/* Of a copy that ends where the text ends, so that a byte too many is seen. */
static int
check_within(const struct text *text, unsigned depth_max)
{
	char *copy = malloc(text->len + 1);
	if (!copy)
		return SL_ENOMEM;
	char *exact = memcpy(copy + 1, text->bytes, text->len);
	int result = sl_json_check(exact, text->len, depth_max);
	free(copy);
	return result;
}

static void
expect(const struct text *texts, size_t count, int result)
{
	for (size_t i = 0; i < count; i++) {
		int got = check_within(&texts[i], SL_JSON_DEPTH_MAX);
		CU_ASSERT_EQUAL(got, result);
		if (got != result)
			printf("\n    %s\n", texts[i].bytes);
	}
}

static void
test_json_check_accepts_json(void)
{
	expect(accepted, sizeof accepted / sizeof *accepted, 0);
	CU_ASSERT_EQUAL(sl_json_check(NULL, 0, SL_JSON_DEPTH_MAX), SL_ESYNTAX);
}

static void
test_json_check_refuses_the_beginning_of_an_array(void)
{
	for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
		for (size_t len = 0; *accepted[i].bytes == '[' && len < accepted[i].len; len++)
			CU_ASSERT_EQUAL(check_within(&(struct text){ accepted[i].bytes, len },
				SL_JSON_DEPTH_MAX), SL_ESYNTAX);
}

static void
test_json_check_refuses_what_is_not_json(void)
{
	expect(refused, sizeof refused / sizeof *refused, SL_ESYNTAX);
}

static void
test_json_check_nests_as_deep_as_it_says(void)
{
	static const unsigned limits[] = { 0, 1, 2, 63, 64, 65, 256, SL_JSON_DEPTH_MAX,
		SL_JSON_DEPTH_MAX + 1 };
	char text[2 * (SL_JSON_DEPTH_MAX + 2)];
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		for (size_t depth = limits[i]; depth <= limits[i] + 1u; depth++) {
			memset(text, '[', depth);
			memset(text + depth, ']', depth);
			struct text whole = { depth ? text : "1", depth ? 2 * depth : 1 };
			CU_ASSERT_EQUAL(check_within(&whole, limits[i]),
				depth == limits[i] ? 0 : SL_ETOODEEP);
		}
}

static void
test_json_check_tells_too_deep_from_wrong(void)
{
	static const struct text deep[] = { TEXT("[[[]]]"), TEXT("[{\"a\":{\"b\":[1,{}]}}]"),
		TEXT("{\"a\":[[\"]\\\"]\",[]]],\"b\":[[[{}]]]}"), TEXT(" [ [ [ 1 , -1.5e3 , true ] ] ] "),
		TEXT("[[[1 2 ,, nonsense : ]]]") /* what is below is nobody's business */ };
	static const struct text wrong[] = { TEXT("[[["), TEXT("[[[]]"), TEXT("[[[]]]]"), TEXT("[[[]]] 1"),
		TEXT("[[[\"]]]"), TEXT("[[[\"\\x\"]]]"), TEXT("[[[\x01]]]"), TEXT("[[[]]x]"), TEXT("[[[]}]"),
		TEXT("[[[]],]"), TEXT("[[[\xff]]]") };
	for (size_t i = 0; i < sizeof deep / sizeof *deep; i++)
		CU_ASSERT_EQUAL(check_within(&deep[i], 2), SL_ETOODEEP);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(check_within(&wrong[i], 2), SL_ESYNTAX);
}

static void
test_json_check_remembers_the_kind_of_each_level(void)
{
	char text[8 * SL_JSON_DEPTH_MAX];
	size_t len = 0;
	for (int i = 0; i < SL_JSON_DEPTH_MAX; i++)
		len += (size_t)sprintf(text + len, i % 3 ? "[" : "{\"k\":");
	text[len++] = '1';
	for (int i = SL_JSON_DEPTH_MAX - 1; i >= 0; i--)
		text[len++] = i % 3 ? ']' : '}';
	struct text whole = { text, len };
	CU_ASSERT_EQUAL(check_within(&whole, SL_JSON_DEPTH_MAX), 0);
	text[len - 100] ^= ']' ^ '}';
	CU_ASSERT_EQUAL(check_within(&whole, SL_JSON_DEPTH_MAX), SL_ESYNTAX);
}

static void
test_json_plain_len_stops_at_each_byte_that_needs_an_escape(void)
{
	char text[24];
	for (unsigned c = 0; c <= 0xff; c++) {
		bool plain = c >= 0x20 && c != '"' && c != '\\';
		for (size_t at = 0; at < sizeof text; at++) {
			memset(text, 'a', sizeof text);
			text[at] = (char)c;
			size_t len = sl_json_plain_len(text, sizeof text);
			if (len != (plain ? sizeof text : at))
				CU_FAIL("stopped at the wrong byte");
		}
	}
	CU_ASSERT_EQUAL(sl_json_plain_len("", 0), 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_json_check_accepts_json),
		UNIT_TEST(test_json_check_refuses_the_beginning_of_an_array),
		UNIT_TEST(test_json_check_refuses_what_is_not_json),
		UNIT_TEST(test_json_check_nests_as_deep_as_it_says),
		UNIT_TEST(test_json_check_tells_too_deep_from_wrong),
		UNIT_TEST(test_json_check_remembers_the_kind_of_each_level),
		UNIT_TEST(test_json_plain_len_stops_at_each_byte_that_needs_an_escape),
		{ NULL, NULL },
	};
	return unit_main("json_check", tests);
}
