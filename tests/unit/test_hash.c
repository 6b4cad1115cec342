#include "util/table.h"

#include <string.h>

#include "tests/unit/unit.h"

#define NAMES 2000

struct entry {
	char name[16];
	UT_hash_handle hh;
};

static uint32_t
fold(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

static void
test_hash_is_siphash_1_3(void)
{
	/* from CPython 3.11, which hashes bytes with it: PYTHONHASHSEED=0 is the zero key */
	static const struct {
		const char *text;
		uint64_t hash;
	} vectors[] = {
		{ "a", 0x407448d2b89b1813 },
		{ "chat", 0x530dccc8e24f4e99 },
		{ "1234567", 0xa33d651594fdae81 },
		{ "12345678", 0x3489982430560a87 },
		{ "123456789", 0xfbc0f0007965fcf },
		{ "orders.eu:west-1_new", 0xc5c134a21b5ee9be },
	};
	sl_hash_seed((const uint8_t[16]){ 0 });
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		CU_ASSERT_EQUAL(sl_hash(vectors[i].text, strlen(vectors[i].text)),
			fold(vectors[i].hash));
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		CU_ASSERT_EQUAL(sl_hash_with((const uint8_t[16]){ 0 }, vectors[i].text,
			strlen(vectors[i].text)), vectors[i].hash);
}

static void
test_hash_depends_on_the_seed(void)
{
	uint8_t seed[16] = { 1 };
	sl_hash_seed(seed);
	uint32_t first = sl_hash("chat", 4);
	seed[15] = 1;
	sl_hash_seed(seed);
	CU_ASSERT_NOT_EQUAL(sl_hash("chat", 4), first);
}

static void
test_table_finds_what_was_added_and_nothing_else(void)
{
	static struct entry entries[NAMES];
	struct entry *table = NULL, *found;
	for (int i = 0; i < NAMES; i++) {
		snprintf(entries[i].name, sizeof entries[i].name, "name.%d", i);
		HASH_ADD_STR(table, name, &entries[i]);
		CU_ASSERT_TRUE_FATAL(sl_table_holds(&entries[i], hh));
	}
	for (int i = 0; i < NAMES; i++) {
		HASH_FIND_STR(table, entries[i].name, found);
		CU_ASSERT_PTR_EQUAL(found, &entries[i]);
	}
	HASH_FIND_STR(table, "name.2000", found);
	CU_ASSERT_PTR_NULL(found);
	HASH_CLEAR(hh, table);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_hash_is_siphash_1_3),
		UNIT_TEST(test_hash_depends_on_the_seed),
		UNIT_TEST(test_table_finds_what_was_added_and_nothing_else),
		{ NULL, NULL },
	};
	return unit_main("hash", tests);
}
