#include "live/refusal.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static void
test_refusal_says_code_and_sentence(void)
{
	struct sl_refusal refusal = { 0 };
	sl_refusal_set(&refusal, "bad_key", "a key is expected");
	CU_ASSERT_STRING_EQUAL(refusal.code, "bad_key");
	CU_ASSERT_STRING_EQUAL(refusal.message, "a key is expected");
}

/* What each protocol says of an error is the same. */
static void
test_refusal_of_an_error_is_whole(void)
{
	for (int err = 0; err >= SL_EFORBIDDEN; err--) {
		struct sl_refusal refusal;
		sl_refusal_set_err(&refusal, err);
		CU_ASSERT_STRING_EQUAL(refusal.code, sl_err_code(err));
		CU_ASSERT_STRING_EQUAL(refusal.message, sl_strerror(err));
	}
}

static void
test_refusal_cuts_a_sentence_that_is_too_long(void)
{
	struct sl_refusal refusal;
	char text[2 * SL_REFUSAL_MAX] = { 0 };
	memset(text, 'x', sizeof text - 1);
	sl_refusal_set(&refusal, "code", text);
	CU_ASSERT_EQUAL(strlen(refusal.message), SL_REFUSAL_MAX - 1);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_refusal_says_code_and_sentence),
		UNIT_TEST(test_refusal_of_an_error_is_whole),
		UNIT_TEST(test_refusal_cuts_a_sentence_that_is_too_long),
		{ NULL, NULL },
	};
	return unit_main("refusal", tests);
}
