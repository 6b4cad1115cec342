/* The gateway's goodbye is found in a stream wherever reads end, and held against what may come. */
#include "bench/load/bye.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char stream[] = "data: {\"id\":\"e-1\",\"data\":\"^00000001$\"}\n\nevent: bye\ndata: "
	"{\"type\":\"bye\",\"reason\":\"token_expired\",\"retry\":1500,\"sent\":7}\n\n";
static const struct bench_end expired = { "token_expired", 2000 };

static void
test_bye_is_found_wherever_reads_end(void)
{
	for (size_t cut = 1; cut < sizeof stream - 1; cut++) {
		struct bench_bye bye = { 0 };
		unsigned retry_ms = 0;
		bench_bye_take(&bye, stream, cut);
		CU_ASSERT(bench_bye_take(&bye, stream + cut, sizeof stream - 1 - cut));
		CU_ASSERT(bench_bye_is(&bye, &expired, &retry_ms));
		CU_ASSERT_EQUAL(retry_ms, 1500);
	}
}

static void
test_bye_comes_a_byte_at_a_time(void)
{
	struct bench_bye bye = { 0 };
	unsigned retry_ms = 0, whole = 0;
	for (const char *at = stream; *at; at++)
		whole += bench_bye_take(&bye, at, 1);
	CU_ASSERT(whole > 0);
	CU_ASSERT(bench_bye_is(&bye, &expired, &retry_ms));
}

static void
test_messages_are_no_bye(void)
{
	struct bench_bye bye = { 0 };
	CU_ASSERT_FALSE(bench_bye_take(&bye, stream, 40));
	CU_ASSERT_FALSE(bye.begun);
}

static bool
is(const char *text, const struct bench_end *end)
{
	struct bench_bye bye = { 0 };
	unsigned retry_ms;
	return bench_bye_take(&bye, text, strlen(text)) && bench_bye_is(&bye, end, &retry_ms);
}

static void
test_another_reason_or_a_longer_retry_is_not_what_may_come(void)
{
	static const struct bench_end none = { 0 };
	CU_ASSERT(is("{\"type\":\"bye\",\"reason\":\"token_expired\",\"retry\":0}", &expired));
	CU_ASSERT(is("{\"type\":\"bye\",\"reason\":\"token_expired\",\"retry\":2000}", &expired));
	CU_ASSERT_FALSE(is("{\"type\":\"bye\",\"reason\":\"token_expired\",\"retry\":2001}", &expired));
	CU_ASSERT_FALSE(is("{\"type\":\"bye\",\"reason\":\"token_expired\"}", &expired));
	CU_ASSERT_FALSE(is("{\"type\":\"bye\",\"reason\":\"token_revoked\",\"retry\":0}", &expired));
	CU_ASSERT_FALSE(is("{\"type\":\"bye\",\"reason\":\"token_expired_x\",\"retry\":0}", &expired));
	CU_ASSERT_FALSE(is("{\"type\":\"bye\",\"reason\":\"token_expired\",\"retry\":0}", &none));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bye_is_found_wherever_reads_end),
		UNIT_TEST(test_bye_comes_a_byte_at_a_time),
		UNIT_TEST(test_messages_are_no_bye),
		UNIT_TEST(test_another_reason_or_a_longer_retry_is_not_what_may_come),
		{ NULL, NULL },
	};
	return unit_main("bench bye", tests);
}
