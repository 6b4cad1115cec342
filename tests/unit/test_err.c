#include "util/err.h"

#include <limits.h>
#include <string.h>

#include "tests/unit/unit.h"

#define LAST SL_EUNKNOWN

static void
test_err_has_a_status_and_a_code_of_the_protocol(void)
{
	static const struct {
		int err;
		unsigned status;
		const char *code;
	} rows[] = {
		{ 0, 200, "internal" }, { SL_ENOMEM, 500, "internal" }, { SL_EINVAL, 400, "bad_value" },
		{ SL_ESYNTAX, 400, "bad_json" }, { SL_EUTF8, 400, "bad_utf8" },
		{ SL_ETOOBIG, 413, "too_large" }, { SL_EFULL, 429, "limit" },
		{ SL_ENOENT, 404, "not_found" }, { SL_EAGAIN, 500, "internal" },
		{ SL_ECLOSED, 500, "internal" }, { SL_EIO, 500, "internal" },
		{ SL_EDRAINING, 429, "draining" }, { SL_EBACKEND, 500, "backend" },
		{ SL_EPROTO, 400, "protocol" }, { SL_ETOODEEP, 400, "too_deep" },
		{ SL_ENOLEASE, 404, "no_check_channel" }, { SL_ELEASEFULL, 429, "check_full" },
		{ SL_ELEASESPENT, 429, "check_used_up" }, { SL_EFORBIDDEN, 403, "forbidden" },
		{ SL_ELIMITED, 429, "rate_limited" }, { SL_EUNKNOWN, 500, "unknown_outcome" },
	};
	CU_ASSERT_EQUAL(sizeof rows / sizeof *rows, -LAST + 1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CU_ASSERT_EQUAL(sl_err_http_status(rows[i].err), rows[i].status);
		CU_ASSERT_STRING_EQUAL(sl_err_code(rows[i].err), rows[i].code);
	}
}

static void
test_err_each_has_a_sentence_of_its_own(void)
{
	for (int a = 0; a >= LAST; a--) {
		const char *text = sl_strerror(a);
		CU_ASSERT_FATAL(strlen(text) > 4);
		CU_ASSERT_NOT_EQUAL(text[strlen(text) - 1], '.');
		CU_ASSERT_STRING_NOT_EQUAL(text, "unknown error");
		for (int b = 0; b > a; b--)
			CU_ASSERT_STRING_NOT_EQUAL(text, sl_strerror(b));
	}
}

static void
test_err_any_other_number_is_an_unknown_one_of_ours(void)
{
	static const int others[] = { LAST - 1, SL_PENDING, 2, 1000, INT_MAX, INT_MIN, INT_MIN + 1 };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		CU_ASSERT_STRING_EQUAL(sl_strerror(others[i]), "unknown error");
		CU_ASSERT_STRING_EQUAL(sl_err_code(others[i]), "internal");
		CU_ASSERT_EQUAL(sl_err_http_status(others[i]), 500);
	}
}

static void
test_err_no_status_is_one_that_a_hop_between_uses(void)
{
	for (int err = 0; err >= LAST; err--) {
		unsigned status = sl_err_http_status(err);
		CU_ASSERT(status != 408 && (status < 502 || status > 504));
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_err_has_a_status_and_a_code_of_the_protocol),
		UNIT_TEST(test_err_each_has_a_sentence_of_its_own),
		UNIT_TEST(test_err_any_other_number_is_an_unknown_one_of_ours),
		UNIT_TEST(test_err_no_status_is_one_that_a_hop_between_uses),
		{ NULL, NULL },
	};
	return unit_main("err", tests);
}
