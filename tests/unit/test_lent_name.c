#include "check/lent_name.h"

#include <string.h>

#include "bus/message.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const uint8_t key[SL_LENT_KEY_LEN] = "one", other_key[SL_LENT_KEY_LEN] = "another";
static const struct sl_lent_name name = { 1790000000, 0x89abcdef };

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_lent_name_says_by_whom_and_until_when(void)
{
	char text[SL_LENT_NAME_LEN + 1];
	struct sl_lent_name read;
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(text, &name, key), 0);
	CU_ASSERT_EQUAL(strlen(text), SL_LENT_NAME_LEN);
	CU_ASSERT_TRUE(sl_channel_name_valid(text, SL_LENT_NAME_LEN));
	CU_ASSERT_TRUE(sl_channel_name_is_leased(text));
	CU_ASSERT_TRUE_FATAL(sl_lent_name_read(span(text), key, &read));
	CU_ASSERT_EQUAL(read.expires_s, name.expires_s);
	CU_ASSERT_EQUAL(read.lender, name.lender);
}

static void
test_lent_name_is_new_each_time(void)
{
	char one[SL_LENT_NAME_LEN + 1], two[SL_LENT_NAME_LEN + 1];
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(one, &name, key), 0);
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(two, &name, key), 0);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
}

static void
test_lent_name_of_another_key_is_none(void)
{
	char text[SL_LENT_NAME_LEN + 1];
	struct sl_lent_name read;
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(text, &name, key), 0);
	CU_ASSERT_FALSE(sl_lent_name_read(span(text), other_key, &read));
}

/* A later end, another lender, another MAC: whatever is changed, and a name that is longer or shorter. */
static void
test_lent_name_that_was_changed_is_none(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:=";
	char text[SL_LENT_NAME_LEN + 2], changed[SL_LENT_NAME_LEN + 2];
	struct sl_lent_name read;
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(text, &name, key), 0);
	for (int i = 0; i < SL_LENT_NAME_LEN; i++)
		for (const char *letter = letters; *letter; letter++) {
			strcpy(changed, text);
			changed[i] = *letter;
			CU_ASSERT_EQUAL(sl_lent_name_read(span(changed), key, &read), *letter == text[i]);
		}
	strcpy(changed, text);
	strcat(changed, "A");
	CU_ASSERT_FALSE(sl_lent_name_read(span(changed), key, &read));
	for (size_t len = 0; len < SL_LENT_NAME_LEN; len++)
		CU_ASSERT_FALSE(sl_lent_name_read((struct sl_span){ text, len }, key, &read));
}

/* Made with Python's hmac, so that gateways of any version agree. */
static void
test_lent_name_is_the_same_for_every_version(void)
{
	static const char known[] = "~arE9AiavN7wAAQIDBAVIHtPY8P3-JtxhUDIAjdcg";
	static const uint8_t known_key[SL_LENT_KEY_LEN] = { 0 };
	struct sl_lent_name read;
	CU_ASSERT_TRUE_FATAL(sl_lent_name_read(span(known), known_key, &read));
	CU_ASSERT_EQUAL(read.expires_s, 1790000386);
	CU_ASSERT_EQUAL(read.lender, 0x26af37bc);
}

static void
test_lent_name_without_memory_is_none(void)
{
	char text[SL_LENT_NAME_LEN + 1];
	CU_ASSERT_EQUAL_FATAL(sl_lent_name_make(text, &name, key), 0);
	for_each_failing_allocation(failing) {
		struct sl_lent_name read;
		bool is_read = sl_lent_name_read(span(text), key, &read);
		failing_expect(is_read ? 0 : SL_ENOMEM);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_lent_name_says_by_whom_and_until_when),
		UNIT_TEST(test_lent_name_is_new_each_time),
		UNIT_TEST(test_lent_name_of_another_key_is_none),
		UNIT_TEST(test_lent_name_that_was_changed_is_none),
		UNIT_TEST(test_lent_name_is_the_same_for_every_version),
		UNIT_TEST(test_lent_name_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("lent_name", tests);
}
