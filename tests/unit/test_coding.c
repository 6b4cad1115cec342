#include "http/coding.h"

#include "tests/unit/unit.h"

static bool
takes_gzip(const char *const *lines)
{
	struct sl_coding_weights weights = SL_CODING_WEIGHTS_INIT;
	for (; *lines; lines++)
		sl_coding_read(&weights, (struct sl_span){ *lines, strlen(*lines) });
	return sl_coding_takes_gzip(&weights);
}

static void
expect(const char *line, bool wanted)
{
	bool taken = takes_gzip((const char *const[]){ line, NULL });
	CU_ASSERT_EQUAL(taken, wanted);
	if (taken != wanted)
		printf("\n    %s", line);
}

static void
test_coding_gzip_is_for_who_names_it(void)
{
	static const char *const lines[] = { "gzip", "gzip, deflate, br, zstd", "deflate,GZIP", "x-gzip",
		"br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "identity, *", "gzip;q=0.001", "gzip;q=1", "gzip;q=1.",
		"gzip;q=1.000", "gzip ; q=0.5", "\tgzip\t", ",,gzip,,", "gzip;level=9;q=0.5", "gzip;Q=0.5",
		"*;q=0, gzip", "identity;q=0.5, gzip;q=0.5", "gzip;q=0, gzip", "gzip;", "gzip;x" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		expect(lines[i], true);
}

static void
test_coding_gzip_is_for_nobody_else(void)
{
	static const char *const lines[] = { "", " ", "identity", "br", "deflate", "gzip;q=0", "gzip;q=0.",
		"gzip;q=0.000", "*;q=0", "gzip;q=0, *", "x-gzip;q=0", "gzipped", "gzi", "\"gzip\"", "gzip/1",
		"gzip;q=0.5, identity", "gzip;q=0.4, identity;q=0.5", "gzip q=1", "gzip, gzip;q=0" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		expect(lines[i], false);
	CU_ASSERT_FALSE(takes_gzip((const char *const[]){ NULL }));
}

static void
test_coding_weight_that_is_none_refuses(void)
{
	static const char *const lines[] = { "gzip;q=", "gzip;q", "gzip;q=2", "gzip;q=1.001", "gzip;q=-1",
		"gzip;q=0.0001", "gzip;q=.5", "gzip;q=x", "gzip;q=0,5", "gzip;q=\"1\"", "gzip;q=1 0", "gzip;q=01",
		"gzip;q=1.5e", "gzip;q==1" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		expect(lines[i], false);
}

static void
test_coding_lines_are_one_list(void)
{
	CU_ASSERT_TRUE(takes_gzip((const char *const[]){ "br", "gzip", NULL }));
	CU_ASSERT_TRUE(takes_gzip((const char *const[]){ "", "gzip", "", NULL }));
	CU_ASSERT_FALSE(takes_gzip((const char *const[]){ "gzip", "gzip;q=0", NULL }));
	CU_ASSERT_FALSE(takes_gzip((const char *const[]){ "gzip;q=0", "*", NULL }));
}

static void
test_coding_gzip_is_of_the_bytes_that_its_trailer_says(void)
{
	static const char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\2\3\xcbI-QH\xe4\2\0lT\x05\xdf\6\0\0\0";
	char copy[sizeof gzip - 1];
	struct sl_span bytes = { "let a\n", 6 }, whole = { copy, sizeof copy };
	memcpy(copy, gzip, sizeof copy);
	CU_ASSERT_TRUE(sl_coding_is_gzip_of(whole, bytes));
	CU_ASSERT_FALSE(sl_coding_is_gzip_of(whole, (struct sl_span){ "let b\n", 6 }));
	CU_ASSERT_FALSE(sl_coding_is_gzip_of(whole, (struct sl_span){ "let a", 5 }));
	CU_ASSERT_FALSE(sl_coding_is_gzip_of(whole, (struct sl_span){ "", 0 }));
	CU_ASSERT_FALSE(sl_coding_is_gzip_of(bytes, bytes));
	for (size_t len = 0; len < sizeof copy; len++)
		CU_ASSERT_FALSE(sl_coding_is_gzip_of((struct sl_span){ copy, len }, bytes));
	for (size_t i = 0; i < sizeof copy; i++) {
		bool is_seen = i < 3 || i >= sizeof copy - 8;
		copy[i] ^= 4;
		CU_ASSERT_EQUAL(sl_coding_is_gzip_of(whole, bytes), !is_seen);
		copy[i] ^= 4;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_coding_gzip_is_for_who_names_it),
		UNIT_TEST(test_coding_gzip_is_for_nobody_else),
		UNIT_TEST(test_coding_weight_that_is_none_refuses),
		UNIT_TEST(test_coding_lines_are_one_list),
		UNIT_TEST(test_coding_gzip_is_of_the_bytes_that_its_trailer_says),
		{ NULL, NULL },
	};
	return unit_main("coding", tests);
}
