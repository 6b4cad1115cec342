#include "auth/strict_json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
expect_refused(const char *text, size_t len, const char *expected)
{
	json_t *root;
	const char *why = "";
	CU_ASSERT_EQUAL(sl_strict_json_load(&root, (struct sl_span){ text, len }, &why), SL_EINVAL);
	CU_ASSERT_PTR_NULL(root);
	if (strcmp(why, expected) != 0)
		fprintf(stderr, "%s: \"%s\" instead of \"%s\"\n", text, why, expected);
	CU_ASSERT_STRING_EQUAL(why, expected);
}
#define REFUSED(text, why) expect_refused(text, sizeof text - 1, why)

static void
test_strict_json_takes_objects(void)
{
	json_t *root;
	const char *why;
	static const char text[] = " {\"a\":[1,{\"b\":null}],\"c\":\"\xc3\xa9\",\"d\":1.5e3}\n";
	CU_ASSERT_EQUAL_FATAL(sl_strict_json_load(&root, (struct sl_span){ text, sizeof text - 1 }, &why), 0);
	CU_ASSERT_EQUAL(json_object_size(root), 3);
	json_decref(root);
}

static void
test_strict_json_refuses_what_two_readers_may_understand_differently(void)
{
	REFUSED("", "is not a JSON object");
	REFUSED("[]", "is not a JSON object");
	REFUSED("1", "is not a JSON object");
	REFUSED("{\"a\":1}{}", "is not a JSON object");
	REFUSED("{\"a\":1,}", "is not a JSON object");
	REFUSED("{'a':1}", "is not a JSON object");
	REFUSED("{\"a\":1}\0", "is not a JSON object");
	REFUSED("{\"a\":\"x\0y\"}", "is not a JSON object");
	REFUSED("{\"a\":\"\\u0000\"}", "is not a JSON object");
	REFUSED("{\"\\u0000\":1}", "is not a JSON object");
	REFUSED("{\"a\":\"\xff\"}", "is not a JSON object");
	REFUSED("{\"a\":\"\xed\xa0\x80\"}", "is not a JSON object");
	REFUSED("{\"a\":1,\"a\":1}", "has a member twice");
	REFUSED("{\"a\":1,\"\\u0061\":2}", "has a member twice");
	REFUSED("{\"x\":{\"a\":1,\"a\":1}}", "has a member twice");
	REFUSED("{\"x\":[{\"a\":1,\"a\":1}]}", "has a member twice");
	REFUSED("{\"a\":99999999999999999999}", "has a number that is too large");
	REFUSED("{\"a\":1e999}", "has a number that is too large");
}

static void
test_strict_json_bounds_its_depth(void)
{
	char text[4096] = "{\"a\":";
	json_t *root;
	const char *why;
	size_t depth = SL_STRICT_JSON_DEPTH - 1;
	memset(text + 5, '[', depth);
	memset(text + 5 + depth, ']', depth);
	strcpy(text + 5 + 2 * depth, "}");
	CU_ASSERT_EQUAL_FATAL(sl_strict_json_load(&root, (struct sl_span){ text, strlen(text) }, &why), 0);
	json_decref(root);
	for (depth = SL_STRICT_JSON_DEPTH; depth < 2000; depth *= 2) {
		memset(text + 5, '[', depth);
		memset(text + 5 + depth, ']', depth);
		strcpy(text + 5 + 2 * depth, "}");
		expect_refused(text, strlen(text), "is nested too deeply");
	}
}

static void
test_strict_json_without_memory(void)
{
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_get_alloc_funcs(&own_malloc, &own_free);
	json_set_alloc_funcs(malloc, free); /* which are the failing ones here */
	for_each_failing_allocation(failing) {
		json_t *root;
		const char *why;
		static const char text[] = "{\"alg\":\"HS256\",\"kid\":[\"a\",2.5]}";
		int err = sl_strict_json_load(&root, (struct sl_span){ text, sizeof text - 1 }, &why);
		failing_alloc_off();
		/* The reader may take a string that it has no memory for as a wrong one. */
		CU_ASSERT(err == 0 ? !failing_alloc_has_failed() && root : failing_alloc_has_failed() && !root);
		json_decref(root);
	}
	json_set_alloc_funcs(own_malloc, own_free);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_strict_json_takes_objects),
		UNIT_TEST(test_strict_json_refuses_what_two_readers_may_understand_differently),
		UNIT_TEST(test_strict_json_bounds_its_depth),
		UNIT_TEST(test_strict_json_without_memory),
		{ NULL, NULL },
	};
	json_object_seed(1);
	return unit_main("strict_json", tests);
}
