#include "clients/socket_io/sio_names.h"

#include <stdio.h>
#include <string.h>

#include "bus/message.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static int
add_json(struct sl_sio_names *names, const char *json, bool splits)
{
	struct sl_json_member value = { .value = span(json),
		.kind = *json == '"' ? SL_JSON_STRING : *json == '[' ? SL_JSON_ARRAY : SL_JSON_NUMBER };
	return sl_sio_names_add_json(names, &value, splits);
}

/* Each behind a '|'. */
static void
expect(struct sl_sio_names *names, const char *expected)
{
	struct sl_span got[SL_CHANNELS_MAX];
	char text[512] = "";
	unsigned count = sl_sio_names_get(names, got);
	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "|%.*s", (int)got[i].len, got[i].bytes);
	CU_ASSERT_STRING_EQUAL(text, expected);
	sl_sio_names_finish(names);
}

static void
test_sio_names_are_there_once(void)
{
	struct sl_sio_names names = { .count = 0 };
	CU_ASSERT_EQUAL(sl_sio_names_add(&names, span("a")), 0);
	CU_ASSERT_EQUAL(sl_sio_names_add(&names, span("a,b")), 0); /* a comma may be in a name */
	CU_ASSERT_EQUAL(sl_sio_names_add(&names, span("a")), 0);
	CU_ASSERT_EQUAL(add_json(&names, "[\"b\",\"a\",\"\\u00e4\"]", true), 0);
	CU_ASSERT_TRUE(sl_sio_names_has(&names, span("a,b")));
	CU_ASSERT_FALSE(sl_sio_names_has(&names, span("a,")));
	expect(&names, "|a|a,b|b|\xc3\xa4");
}

static void
test_sio_names_of_a_text_stand_between_commas(void)
{
	struct sl_sio_names names = { .count = 0 };
	CU_ASSERT_EQUAL(sl_sio_names_add_text(&names, span("")), 0);
	CU_ASSERT_EQUAL(sl_sio_names_add_text(&names, (struct sl_span){ NULL, 0 }), 0);
	CU_ASSERT_EQUAL(sl_sio_names_add_text(&names, span("a,b,a")), 0);
	CU_ASSERT_EQUAL(add_json(&names, "\"c,d\"", true), 0);
	CU_ASSERT_EQUAL(add_json(&names, "\"e,f\"", false), 0);
	CU_ASSERT_EQUAL(add_json(&names, "[\"g,h\"]", true), 0); /* an array has names */
	CU_ASSERT_EQUAL(add_json(&names, "\"\"", true), 0);
	CU_ASSERT_EQUAL(add_json(&names, "[]", true), 0);
	expect(&names, "|a|b|c|d|e,f|g,h");
}

static void
test_sio_names_that_are_not_legal_are_refused(void)
{
	static const char *const bad[] = { "1", "[1]", "[\"\"]", "[\"a\",[]]", "[\"*\"]", "[\"a\\u0001\"]", "[\"\\ud800\"]" };
	static const char *const bad_texts[] = { ",", "a,", ",a", "a,,b", "a,*" };
	struct sl_sio_names names = { .count = 0 };
	char json[8 * SL_CHANNEL_MAX];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(add_json(&names, bad[i], true), SL_EINVAL);
	for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++)
		CU_ASSERT_EQUAL(sl_sio_names_add_text(&names, span(bad_texts[i])), SL_EINVAL);
	CU_ASSERT_EQUAL(add_json(&names, "\"\"", false), SL_EINVAL);
	memset(json, 'x', sizeof json);
	memcpy(json, "[\"", 2);
	strcpy(json + 2 + SL_CHANNEL_MAX + 1, "\"]");
	CU_ASSERT_EQUAL(add_json(&names, json, true), SL_EINVAL);
	sl_sio_names_finish(&names);
}

static void
test_sio_names_are_as_many_as_a_connection_may_have(void)
{
	struct sl_sio_names names = { .count = 0 };
	char name[8];
	for (int i = 0; i < SL_CHANNELS_MAX; i++) {
		snprintf(name, sizeof name, "n%d", i);
		CU_ASSERT_EQUAL(sl_sio_names_add(&names, span(name)), 0);
	}
	CU_ASSERT_EQUAL(sl_sio_names_add(&names, span("n0")), 0);
	CU_ASSERT_EQUAL(sl_sio_names_add(&names, span("more")), SL_EFULL);
	CU_ASSERT_EQUAL(names.count, SL_CHANNELS_MAX);
	sl_sio_names_finish(&names);
}

static void
test_sio_names_without_memory_are_as_they_were(void)
{
	for_each_failing_allocation(failing) {
		struct sl_sio_names names = { .count = 0 };
		int err = add_json(&names, "[\"abc\",\"d\"]", false);
		failing_expect(err);
		CU_ASSERT_TRUE(err != 0 || names.count == 2);
		sl_sio_names_finish(&names);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_names_are_there_once),
		UNIT_TEST(test_sio_names_of_a_text_stand_between_commas),
		UNIT_TEST(test_sio_names_that_are_not_legal_are_refused),
		UNIT_TEST(test_sio_names_are_as_many_as_a_connection_may_have),
		UNIT_TEST(test_sio_names_without_memory_are_as_they_were),
		{ NULL, NULL },
	};
	return unit_main("sio_names", tests);
}
