#include "bench/obstacle/fault.h"

#include <string.h>

#include "bench/obstacle/control_json.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char why[256];

static struct ob_fault
parse(const char *text)
{
	struct ob_fault fault;
	CU_ASSERT_EQUAL_FATAL(ob_fault_parse(&fault, text, why, sizeof why), 0);
	return fault;
}

static void
expect_refused(const char *text, const char *reason)
{
	struct ob_fault fault;
	CU_ASSERT_EQUAL(ob_fault_parse(&fault, text, why, sizeof why), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, reason));
}

static void
test_fault_values_have_units(void)
{
	CU_ASSERT_EQUAL(parse("delay=250ms").values[0].number, 250);
	CU_ASSERT_EQUAL(parse("delay=5s").values[0].number, 5000);
	CU_ASSERT_EQUAL(parse("delay=2m").values[0].number, 120000);
	CU_ASSERT_EQUAL(parse("cut-bytes=100").values[0].number, 100);
	CU_ASSERT_EQUAL(parse("cut-bytes=64K").values[0].number, 65536);
	CU_ASSERT_EQUAL(parse("cut-bytes=1M").values[0].number, 1 << 20);
	CU_ASSERT_EQUAL(parse("loss=0.05").values[0].number, 50000);
	CU_ASSERT_EQUAL(parse("connect-only=8443").values[0].number, 8443);
	CU_ASSERT_STRING_EQUAL(parse("drop-header=Cookie").values[0].word, "Cookie");
	CU_ASSERT_EQUAL(parse("refuse=451").values[0].number, 451);
	CU_ASSERT_EQUAL(parse("refuse=hole-up").values[0].number, OB_END_HOLE_UP);
}

static void
test_fault_values_that_are_not_given_are_the_defaults(void)
{
	struct ob_fault fault = parse("cut-idle");
	CU_ASSERT_EQUAL(fault.values[0].number, 10000);
	CU_ASSERT_EQUAL(fault.values[1].number, OB_END_FIN);
	fault = parse("cut-idle=1s@path=/ws");
	CU_ASSERT_EQUAL(fault.values[0].number, 1000);
	CU_ASSERT_EQUAL(fault.values[1].number, OB_END_FIN);
	fault = parse("cut-idle=1s,rst");
	CU_ASSERT_EQUAL(fault.values[1].number, OB_END_RST);
}

static void
test_fault_qualifiers_are_read_in_any_order(void)
{
	struct ob_fault fault = parse("hole@share=0.3@after=5s@path=/ws@bytes=64K@until=1m@age=2s"
		"@method=POST@transport=publish");
	CU_ASSERT_EQUAL(fault.share, 300000);
	CU_ASSERT_EQUAL(fault.after_ms, 5000);
	CU_ASSERT_EQUAL(fault.until_ms, 60000);
	CU_ASSERT_EQUAL(fault.age_ms, 2000);
	CU_ASSERT_EQUAL(fault.bytes, 65536);
	CU_ASSERT_STRING_EQUAL(fault.path, "/ws");
	CU_ASSERT_STRING_EQUAL(fault.method, "POST");
	CU_ASSERT_STRING_EQUAL(fault.transport, "publish");
	CU_ASSERT_TRUE(ob_fault_is_of_requests(&fault));
	fault = parse("hole@share=0");
	CU_ASSERT_EQUAL(fault.share, 0);
	CU_ASSERT_FALSE(ob_fault_is_of_requests(&fault));
	CU_ASSERT_EQUAL(parse("hole").share, OB_MILLION);
}

static void
test_fault_texts_that_are_wrong_are_refused_with_the_reason(void)
{
	expect_refused("", "unknown fault \"\"");
	expect_refused("Hole", "unknown fault \"Hole\"");
	expect_refused("hole=", "takes no value");
	expect_refused("delay=", "a time");
	expect_refused("delay=5", "a time");
	expect_refused("delay=5 s", "a time");
	expect_refused("delay=-5s", "a time");
	expect_refused("delay=999999m", "a time");
	expect_refused("delay=1s,2s", "too many values");
	expect_refused("cut-bytes=0", "a size");
	expect_refused("cut-bytes=64k", "a size");
	expect_refused("loss=1.5", "a share");
	expect_refused("loss=.5", "a share");
	expect_refused("loss=0.", "a share");
	expect_refused("retry=0", "a number");
	expect_refused("refuse=199", "a status");
	expect_refused("refuse=600", "a status");
	expect_refused("connect-only=65536", "a port");
	expect_refused("drop-header", "a word");
	expect_refused("hole@", "unknown qualifier");
	expect_refused("hole@path", "@path is a word");
	expect_refused("hole@path=", "@path is a word");
	expect_refused("hole@transport=x", "@transport: \"x\" is unknown; use websocket");
}

static void
test_fault_texts_have_a_limit(void)
{
	char text[OB_FAULT_TEXT_MAX + 2];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	expect_refused(text, "at most");
}

static void
test_fault_types_have_defaults_that_parse_and_a_synopsis(void)
{
	unsigned count = 0;
	for (const struct ob_fault_type *const *family = ob_fault_families; *family; family++)
		for (const struct ob_fault_type *type = *family; type->name; type++) {
			struct ob_fault fault;
			char synopsis[OB_FAULT_TEXT_MAX];
			bool needs_value = type->values[0].kind && !type->values[0].fallback;
			CU_ASSERT_EQUAL(ob_fault_parse(&fault, type->name, why, sizeof why) != 0, needs_value);
			ob_fault_type_synopsis(type, synopsis, sizeof synopsis);
			CU_ASSERT_EQUAL(strncmp(synopsis, type->name, strlen(type->name)), 0);
			CU_ASSERT_PTR_EQUAL(ob_fault_type_find(type->name, strlen(type->name)), type);
			count++;
		}
	CU_ASSERT_EQUAL(count, 65);
	char synopsis[OB_FAULT_TEXT_MAX];
	ob_fault_type_synopsis(ob_fault_type_find("fail-every", 10), synopsis, sizeof synopsis);
	CU_ASSERT_STRING_EQUAL(synopsis, "fail-every=COUNT[,ENDING]");
}

static int
read_json(struct ob_fault_set **set, const char *text, const struct ob_fault_set *before,
	uint64_t now_ms)
{
	return ob_faults_read_json(set, text, strlen(text), before, now_ms, why, sizeof why);
}

static void
test_fault_set_keeps_times_of_what_stays(void)
{
	struct ob_fault_set *first, *second;
	CU_ASSERT_EQUAL_FATAL(read_json(&first, "[\"hole\",\"delay=1s\"]", NULL, 1000), 0);
	first->faults[0].applied = 3;
	CU_ASSERT_EQUAL_FATAL(read_json(&second, "[\"delay=2s\",\"hole\"]", first, 5000), 0);
	CU_ASSERT_EQUAL(second->faults[0].set_ms, 5000);
	CU_ASSERT_EQUAL(second->faults[1].set_ms, 1000);
	CU_ASSERT_EQUAL(second->faults[1].applied, 3);
	char *text = ob_faults_write_json(second);
	CU_ASSERT_STRING_EQUAL(text, "[\"delay=2s\",\"hole\"]");
	free(text);
	ob_fault_set_unref(first);
	ob_fault_set_unref(ob_fault_set_ref(second));
	ob_fault_set_unref(second);
}

static void
test_fault_set_refuses_bad_lists(void)
{
	struct ob_fault_set *set;
	static const char *const texts[] = { "", "{}", "\"hole\"", "[1]", "[null]", "[\"x\"]",
		"[\"hole\",\"hole\"]", "[\"hole\"", NULL };
	for (int i = 0; texts[i]; i++)
		CU_ASSERT_EQUAL(read_json(&set, texts[i], NULL, 0), SL_EINVAL);
	const char *many[OB_FAULTS_MAX + 1] = { 0 };
	CU_ASSERT_EQUAL(ob_fault_set_create(&set, many, OB_FAULTS_MAX + 1, NULL, 0, why, sizeof why),
		SL_ETOOBIG);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_fault_values_have_units),
	UNIT_TEST(test_fault_values_that_are_not_given_are_the_defaults),
	UNIT_TEST(test_fault_qualifiers_are_read_in_any_order),
	UNIT_TEST(test_fault_texts_that_are_wrong_are_refused_with_the_reason),
	UNIT_TEST(test_fault_texts_have_a_limit),
	UNIT_TEST(test_fault_types_have_defaults_that_parse_and_a_synopsis),
	UNIT_TEST(test_fault_set_keeps_times_of_what_stays),
	UNIT_TEST(test_fault_set_refuses_bad_lists),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_fault", tests);
}
