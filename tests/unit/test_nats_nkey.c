#include "bus/nats_nkey.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

/* The pair of the manual of NATS. */
#define SEED "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define PUBLIC "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_nats_nkey_makes_the_public_key_of_a_seed(void)
{
	char key[SL_NATS_NKEY_LEN + 1];
	CU_ASSERT_EQUAL(sl_nats_nkey_public(key, span(SEED)), 0);
	CU_ASSERT_STRING_EQUAL(key, PUBLIC);
}

static void
test_nats_nkey_refuses_what_is_no_seed_of_a_user(void)
{
	char key[SL_NATS_NKEY_LEN + 1], text[sizeof SEED];
	static const char *const others[] = { "", "SU", PUBLIC, SEED "A",
		"SAACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY" }; /* an account's */
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_EQUAL(sl_nats_nkey_public(key, span(others[i])), SL_EINVAL);
	for (size_t i = 0; i < strlen(SEED); i++) { /* each character counts in the checksum */
		strcpy(text, SEED);
		text[i] = text[i] == 'B' ? 'C' : 'B';
		CU_ASSERT_EQUAL(sl_nats_nkey_public(key, span(text)), SL_EINVAL);
		text[i] = '1'; /* not of base32 */
		CU_ASSERT_EQUAL(sl_nats_nkey_public(key, span(text)), SL_EINVAL);
	}
}

static void
test_nats_nkey_finds_the_seed_in_a_file(void)
{
	struct sl_span seed;
	static const char *const texts[] = { SEED, SEED "\n", "-----BEGIN USER NKEY SEED-----\n" SEED "\n------\n",
		"SUSHORT " SEED, PUBLIC "\r\n" SEED "\r\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		CU_ASSERT_EQUAL_FATAL(sl_nats_nkey_find(&seed, span(texts[i])), 0);
		CU_ASSERT_TRUE(sl_span_equals(seed, SEED));
	}
	static const char *const others[] = { "", "SU", PUBLIC, "A" SEED, SEED "A" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_EQUAL(sl_nats_nkey_find(&seed, span(others[i])), SL_EINVAL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_nkey_makes_the_public_key_of_a_seed),
		UNIT_TEST(test_nats_nkey_refuses_what_is_no_seed_of_a_user),
		UNIT_TEST(test_nats_nkey_finds_the_seed_in_a_file),
		{ NULL, NULL },
	};
	return unit_main("nats_nkey", tests);
}
