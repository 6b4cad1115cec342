#include "check/code.h"

#include "tests/unit/unit.h"
#include "util/err.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int
read_code(struct sl_code *code, const char *text)
{
	return sl_code_read(code, (struct sl_span){ text, strlen(text) });
}

static void
test_code_has_its_parts_where_doc_check_says(void)
{
	struct sl_code code;
	CU_ASSERT_EQUAL_FATAL(read_code(&code, "5W94-T7ZY-T45J"), 0);
	CU_ASSERT_EQUAL(code.version, 1);
	CU_ASSERT_EQUAL(memcmp(code.classes, ((uint8_t[]){ 7, 8, 9, 2, 6 }), 5), 0);
	CU_ASSERT_EQUAL(code.choice, 4);
	CU_ASSERT_FALSE(code.secure);
	CU_ASSERT_TRUE(code.patient);
	CU_ASSERT_EQUAL(code.base, 15);
	CU_ASSERT_EQUAL(memcmp(code.times, ((uint8_t[]){ 15, 14, 13, 1, 0 }), 5), 0);
	CU_ASSERT_EQUAL(code.silence, 5);
	CU_ASSERT_EQUAL_FATAL(read_code(&code, "41K0-GSVG-130P"), 0);
	CU_ASSERT_TRUE(code.secure);
	CU_ASSERT_FALSE(code.patient);
	CU_ASSERT_EQUAL(code.silence, 0);
}

static void
test_code_of_another_version_is_read(void)
{
	struct sl_code code;
	CU_ASSERT_EQUAL_FATAL(read_code(&code, "8000-0R00-000V"), 0);
	CU_ASSERT_EQUAL(code.version, 2);
}

static void
test_code_with_a_wrong_character_is_refused(void)
{
	static const char *const codes[] = { "5W94-T7ZY-T45J", "41K0-GSVG-130P", "0000-0000-0000" };
	struct sl_code code;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		for (size_t at = 0; at < SL_CODE_LEN; at++) {
			char text[SL_CODE_LEN + 1];
			strcpy(text, codes[i]);
			for (const char *other = alphabet; *other; other++) {
				text[at] = *other;
				CU_ASSERT_EQUAL(read_code(&code, text), *other == codes[i][at] ? 0 : SL_EINVAL);
			}
		}
}

static void
test_code_with_two_neighbours_exchanged_is_refused(void)
{
	static const char original[] = "5W94-T7ZY-T45J";
	struct sl_code code;
	for (size_t at = 0; at + 1 < SL_CODE_LEN; at++) {
		char text[] = "5W94-T7ZY-T45J";
		size_t next = at + (original[at + 1] == '-' ? 2 : 1); /* neighbours across a hyphen too */
		text[at] = original[next];
		text[next] = original[at];
		if (original[at] != '-')
			CU_ASSERT_EQUAL(read_code(&code, text), SL_EINVAL);
	}
}

static void
test_code_in_another_form_is_refused(void)
{
	static const char *const bad[] = { "", "5W94-T7ZY-T45", "5W94-T7ZY-T45J0", "5W94T7ZYT45J",
		"5w94-T7ZY-T45J", "5W94 T7ZY T45J", "5W94-T7ZY-T4-5", "OW94-T7ZY-T45J", "5W94-T7ZY-T4\xc3\xa4" };
	struct sl_code code;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(read_code(&code, bad[i]), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_code_read(&code, (struct sl_span){ "5W94-T7ZY-T4\0J", SL_CODE_LEN }), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_code_has_its_parts_where_doc_check_says),
		UNIT_TEST(test_code_of_another_version_is_read),
		UNIT_TEST(test_code_with_a_wrong_character_is_refused),
		UNIT_TEST(test_code_with_two_neighbours_exchanged_is_refused),
		UNIT_TEST(test_code_in_another_form_is_refused),
		{ NULL, NULL },
	};
	return unit_main("code", tests);
}
