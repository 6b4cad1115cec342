#include "core/tls_names.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const char *
normalize(const char *text, bool with_wildcard)
{
	static char name[SL_TLS_NAME_MAX];
	return sl_tls_name_normalize(text, strlen(text), with_wildcard, name) == 0 ? name : NULL;
}

static void
test_tls_names_are_compared_in_lower_case_without_the_last_dot(void)
{
	CU_ASSERT_STRING_EQUAL(normalize("Push.Example.ORG", false), "push.example.org");
	CU_ASSERT_STRING_EQUAL(normalize("push.example.org.", false), "push.example.org");
	CU_ASSERT_STRING_EQUAL(normalize("localhost", false), "localhost");
	CU_ASSERT_STRING_EQUAL(normalize("xn--bcher-kva.example", false), "xn--bcher-kva.example");
	CU_ASSERT_STRING_EQUAL(normalize("a_b.example", false), "a_b.example");
	CU_ASSERT_STRING_EQUAL(normalize("*.Example.org", true), "*.example.org");
}

static void
test_tls_names_that_are_none_are_refused(void)
{
	static const char *const refused[] = { "", ".", "..", ".a", "a..b", "a b", "a/b", "b\xc3\xbc.example",
		"*", "*.", "*..", "a.*.b", "*a.b", "a*.b", "**.a", "[::1]", "a:443" };
	char longest[SL_TLS_NAME_MAX + 2], name[SL_TLS_NAME_MAX];
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		CU_ASSERT_PTR_NULL(normalize(refused[i], true));
		CU_ASSERT_PTR_NULL(normalize(refused[i], false));
	}
	CU_ASSERT_PTR_NULL(normalize("*.example.org", false)); /* nobody asks for a pattern */
	CU_ASSERT_EQUAL(sl_tls_name_normalize("a\0b", 3, true, name), SL_EINVAL);
	memset(longest, 'a', sizeof longest);
	CU_ASSERT_EQUAL(sl_tls_name_normalize(longest, SL_TLS_NAME_MAX - 1, true, name), 0);
	CU_ASSERT_EQUAL(sl_tls_name_normalize(longest, SL_TLS_NAME_MAX, true, name), SL_EINVAL);
}

static void
test_tls_names_of_a_certificate_are_kept_once(void)
{
	struct sl_tls_names names = { 0 };
	CU_ASSERT_EQUAL(sl_tls_names_add(&names, "*.Example.org", 13), 0);
	CU_ASSERT_EQUAL(sl_tls_names_add(&names, "other.example", 13), 0);
	CU_ASSERT_EQUAL(sl_tls_names_add(&names, "OTHER.example.", 14), 0); /* is there */
	CU_ASSERT_EQUAL(sl_tls_names_add(&names, "no name", 7), SL_EINVAL);
	CU_ASSERT_EQUAL_FATAL(names.count, 2);
	CU_ASSERT_STRING_EQUAL(names.names[0], "*.example.org");
	CU_ASSERT_STRING_EQUAL(names.names[1], "other.example");
	sl_tls_names_finish(&names);
	CU_ASSERT_EQUAL(names.count, 0);
	sl_tls_names_finish(&names);
}

static void
test_tls_names_a_wildcard_stands_for_the_first_label(void)
{
	char pattern[SL_TLS_NAME_MAX];
	CU_ASSERT_TRUE(sl_tls_name_widen("www.example.org", pattern));
	CU_ASSERT_STRING_EQUAL(pattern, "*.example.org");
	CU_ASSERT_TRUE(sl_tls_name_widen("a.www.example.org", pattern));
	CU_ASSERT_STRING_EQUAL(pattern, "*.www.example.org");
	CU_ASSERT_FALSE(sl_tls_name_widen("localhost", pattern));
	CU_ASSERT_FALSE(sl_tls_name_widen("*.example.org", pattern));
}

static void
test_tls_names_without_memory_are_an_error(void)
{
	for_each_failing_allocation(failing) {
		struct sl_tls_names names = { 0 };
		int err = sl_tls_names_add(&names, "a.example", 9);
		if (err == 0)
			err = sl_tls_names_add(&names, "b.example", 9);
		failing_expect(err);
		sl_tls_names_finish(&names);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_names_are_compared_in_lower_case_without_the_last_dot),
		UNIT_TEST(test_tls_names_that_are_none_are_refused),
		UNIT_TEST(test_tls_names_of_a_certificate_are_kept_once),
		UNIT_TEST(test_tls_names_a_wildcard_stands_for_the_first_label),
		UNIT_TEST(test_tls_names_without_memory_are_an_error),
		{ NULL, NULL },
	};
	return unit_main("tls_names", tests);
}
