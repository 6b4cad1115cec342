#include "live/refusal.h"

#include <stdio.h>
#include <string.h>

#include "config/options.h"
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
	for (int err = 0; err >= SL_ELIMITED; err--) {
		struct sl_refusal refusal;
		sl_refusal_set_err(&refusal, err);
		CU_ASSERT_STRING_EQUAL(refusal.code, sl_err_code(err));
		if (err != SL_ESYNTAX)
			CU_ASSERT_STRING_EQUAL(refusal.message, sl_strerror(err));
	}
}

static void
test_refusal_of_wrong_syntax_says_what_would_be_right(void)
{
	struct sl_refusal refusal = { 0 };
	sl_refusal_set_err(&refusal, SL_ESYNTAX);
	CU_ASSERT_STRING_EQUAL(refusal.message, "the payload is not valid JSON; use one JSON value (RFC 8259)");
}

static void
test_refusal_of_a_limit_names_its_option_and_when_to_ask_again(void)
{
	static const struct { uint64_t wait_ms; uint32_t retry_ms; uint64_t retry_s; } waits[] = {
		{ 1, 1000, 1 }, { 1000, 1000, 1 }, { 1001, 1001, 2 }, { UINT64_MAX, 3600000, 3600 },
	};
	struct sl_refusal refusal;
	memset(&refusal, 0xff, sizeof refusal);
	sl_refusal_set_limit(&refusal, SL_LIMIT_PUBLISHES, 1500);
	CU_ASSERT_STRING_EQUAL(refusal.code, "rate_limited");
	CU_ASSERT_STRING_EQUAL(refusal.message,
		"more publishes than --publish-rate allows one client; try again in 2 s");
	CU_ASSERT_FALSE(refusal.is_final);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		sl_refusal_set_limit(&refusal, SL_LIMIT_REQUESTS, waits[i].wait_ms);
		CU_ASSERT_EQUAL(refusal.retry_ms, waits[i].retry_ms);
		CU_ASSERT_EQUAL(sl_refusal_get_retry_s(&refusal), waits[i].retry_s);
	}
	sl_refusal_set(&refusal, "code", "another one");
	CU_ASSERT_EQUAL(refusal.retry_ms, 0);
}

/* An operator finds the option by the sentence. */
static void
test_refusal_of_every_limit_names_an_option_that_there_is(void)
{
	for (int limit = 0; limit < SL_LIMIT_COUNT; limit++) {
		struct sl_refusal refusal;
		char name[64];
		sl_refusal_set_limit(&refusal, (enum sl_limit)limit, 1);
		const char *option = strstr(refusal.message, " --");
		CU_ASSERT_PTR_NOT_NULL_FATAL(option);
		CU_ASSERT_EQUAL_FATAL(sscanf(option, " --%63[a-z-]", name), 1);
		CU_ASSERT_PTR_NOT_NULL(sl_config_option_find(name));
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
		UNIT_TEST(test_refusal_of_wrong_syntax_says_what_would_be_right),
		UNIT_TEST(test_refusal_of_a_limit_names_its_option_and_when_to_ask_again),
		UNIT_TEST(test_refusal_of_every_limit_names_an_option_that_there_is),
		UNIT_TEST(test_refusal_cuts_a_sentence_that_is_too_long),
		{ NULL, NULL },
	};
	return unit_main("refusal", tests);
}
