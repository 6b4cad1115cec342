#include "config/value.h"

#include <string.h>

#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/err.h"

/* What a parse makes of `text`; 77 where it makes nothing. */
struct made {
	int err;
	uint64_t value;
};

typedef int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

static struct made
make(parse_number *parse, const char *text)
{
	struct made made = { .value = 77 };
	made.err = parse(text, 10, 100000, &made.value);
	CU_ASSERT(made.err == 0 || made.value == 77); /* untouched */
	return made;
}

struct row {
	const char *text;
	struct made made;
};

static void
expect_all(parse_number *parse, const struct row *rows)
{
	for (; rows->text; rows++) {
		struct made made = make(parse, rows->text);
		CU_ASSERT_EQUAL(made.err, rows->made.err);
		if (rows->made.err == 0)
			CU_ASSERT_EQUAL(made.value, rows->made.value);
	}
}

static void
test_value_counts_are_decimals_within_bounds(void)
{
	static const struct row rows[] = {
		{ "10", { 0, 10 } }, { "100000", { 0, 100000 } }, { "0012", { 0, 12 } },
		{ "9", { SL_ETOOBIG } }, { "100001", { SL_ETOOBIG } },
		{ "18446744073709551615", { SL_ETOOBIG } }, { "18446744073709551616", { SL_ETOOBIG } },
		{ "", { SL_EINVAL } }, { "-10", { SL_EINVAL } }, { "+10", { SL_EINVAL } },
		{ " 10", { SL_EINVAL } }, { "10 ", { SL_EINVAL } }, { "0x10", { SL_EINVAL } },
		{ "10.0", { SL_EINVAL } }, { NULL, { 0 } },
	};
	expect_all(sl_config_value_count, rows);
}

static void
test_value_names_may_stand_in_a_subject(void)
{
	CU_ASSERT_TRUE(sl_config_value_is_name("main"));
	CU_ASSERT_TRUE(sl_config_value_is_name("A-z_09"));
	CU_ASSERT_TRUE(sl_config_value_is_name("12345678901234567890123456789012"));
	CU_ASSERT_FALSE(sl_config_value_is_name("123456789012345678901234567890123"));
	static const char *const others[] = { "", "a.b", "a b", "*", ">", "a/b", "\xc3\xa4", "a\n" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_FALSE(sl_config_value_is_name(others[i]));
}

static void
test_value_sizes_take_a_unit(void)
{
	static const struct row rows[] = {
		{ "10", { 0, 10 } }, { "1K", { 0, 1024 } }, { "97k", { 0, 97 * 1024 } },
		{ "1M", { SL_ETOOBIG } }, { "1g", { SL_ETOOBIG } }, { "0K", { SL_ETOOBIG } },
		{ "17179869184G", { SL_ETOOBIG } }, /* 2 to the 64th */
		{ "1T", { SL_EINVAL } }, { "1KB", { SL_EINVAL } }, { "K", { SL_EINVAL } },
		{ "1 K", { SL_EINVAL } }, { "1.5K", { SL_EINVAL } }, { NULL, { 0 } },
	};
	expect_all(sl_config_value_size, rows);
}

static void
test_value_durations_are_seconds_with_three_decimals_that_count(void)
{
	static const struct row rows[] = {
		{ "1", { 0, 1000 } }, { "0.01", { 0, 10 } }, { "99.9999", { 0, 99999 } },
		{ "100", { 0, 100000 } }, { "100.001", { SL_ETOOBIG } }, { "0.009", { SL_ETOOBIG } },
		{ "18446744073709551", { SL_ETOOBIG } }, { "18446744073709551615", { SL_ETOOBIG } },
		{ "1.", { SL_EINVAL } }, { ".5", { SL_EINVAL } }, { "1s", { SL_EINVAL } },
		{ "1.5s", { SL_EINVAL } }, { "1,5", { SL_EINVAL } }, { "1e3", { SL_EINVAL } }, { NULL, { 0 } },
	};
	expect_all(sl_config_value_duration, rows);
}

static void
test_value_sizes_are_written_in_the_largest_whole_unit(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = { { 0, "0" }, { 1, "1" }, { 1023, "1023" }, { 1024, "1K" }, { 1536, "1536" },
		{ 65536, "64K" }, { 1 << 20, "1M" }, { UINT64_C(3) << 30, "3G" },
		{ UINT64_C(1) << 40, "1024G" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_buffer out = SL_BUFFER_INIT;
		sl_config_value_append_size(&out, rows[i].bytes);
		char *text = sl_buffer_take_string(&out);
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
		uint64_t back;
		CU_ASSERT_EQUAL(sl_config_value_size(text, 0, UINT64_MAX, &back), 0);
		CU_ASSERT_EQUAL(back, rows[i].bytes);
		free(text);
	}
}

static void
expect_origin(const char *text, const char *url, const char *authority)
{
	struct sl_origin origin;
	CU_ASSERT_EQUAL_FATAL(sl_config_value_origin(text, SL_ORIGIN_WEB, &origin), 0);
	CU_ASSERT_STRING_EQUAL(origin.url, url);
	CU_ASSERT_STRING_EQUAL(origin.authority, authority);
	free(origin.url);
}

static void
test_value_origins_equal_what_a_browser_sends(void)
{
	expect_origin("HTTPS://Push.Example.org:443", "https://push.example.org", "push.example.org");
	expect_origin("http://a:80", "http://a", "a");
	expect_origin("http://a:443", "http://a:443", "a:443");
	expect_origin("https://a:0080", "https://a:80", "a:80");
	expect_origin("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080");
	static const char *const wrong[] = { "example.org", "ws://a", "http://", "http://a/", "http://a/b",
		"http://a:0", "http://a:65536", "http://a:", "http://u@a", "http://[::1", "http://[x]", "http://a?b",
		"null", "*" };
	struct sl_origin origin;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CU_ASSERT_EQUAL(sl_config_value_origin(wrong[i], SL_ORIGIN_WEB, &origin), SL_EINVAL);
		CU_ASSERT_EQUAL(sl_config_value_origin(wrong[i], SL_ORIGIN_APP, &origin), SL_EINVAL);
	}
}

static void
test_value_origins_of_apps_are_kept_as_they_are_written(void)
{
	static const char *const origins[][2] = {
		{ "capacitor://localhost", "capacitor://localhost" },
		{ "Ionic://localhost", "ionic://localhost" },
		{ "tauri://localhost:1420", "tauri://localhost:1420" },
		{ "app://x:80", "app://x:80" }, /* no default port */
		{ "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
			"chrome-extension://abcdefghijklmnopabcdefghijklmnop" },
		{ "moz-extension://0a1b2c3d-0000-4000-8000-000000000000",
			"moz-extension://0a1b2c3d-0000-4000-8000-000000000000" },
		{ "safari-web-extension://0A1B2C3D-0000-4000-8000-000000000000",
			"safari-web-extension://0A1B2C3D-0000-4000-8000-000000000000" },
		{ "app://", "app://" }, { "app://.", "app://." }, { "app://-", "app://-" },
	};
	static const char *const wrong[] = { "capacitor:localhost", "capacitor://localhost/",
		"capacitor://:80", "app://a b", "1app://a", "://a", "app", "app:/a", "app://a:0", "app://*",
		"a_b://c", "file://", "FILE://", "file://localhost", "data://", "blob://a",
		"about://blank" };
	struct sl_origin origin;
	for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
		CU_ASSERT_EQUAL(sl_config_value_origin(origins[i][0], SL_ORIGIN_WEB, &origin), SL_EINVAL);
		CU_ASSERT_EQUAL_FATAL(sl_config_value_origin(origins[i][0], SL_ORIGIN_APP, &origin), 0);
		CU_ASSERT_STRING_EQUAL(origin.url, origins[i][1]);
		free(origin.url);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(sl_config_value_origin(wrong[i], SL_ORIGIN_APP, &origin), SL_EINVAL);
}

static void
test_value_base_path_begins_and_ends_with_a_slash(void)
{
	static const char *const pairs[][2] = { { "/", "/" }, { "", "/" }, { "a", "/a/" }, { "/a", "/a/" },
		{ "a/", "/a/" }, { "/a/b-._~9/", "/a/b-._~9/" }, { "..a", "/..a/" } };
	static const char *const wrong[] = { "//", "a//b", "/a b", "/a?b", "/a#", "/a%20", "/.", "/../", "a/..", "/\xc3\xa9" };
	char *path = NULL;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		CU_ASSERT_EQUAL_FATAL(sl_config_value_base_path(pairs[i][0], &path), 0);
		CU_ASSERT_STRING_EQUAL(path, pairs[i][1]);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(sl_config_value_base_path(wrong[i], &path), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(path, "/..a/"); /* as it was */
	free(path);
}

static void
test_value_without_memory_is_none(void)
{
	for_each_failing_allocation(failing) {
		char *path = NULL;
		int err = sl_config_value_base_path("new", &path);
		failing_expect(err);
		CU_ASSERT_EQUAL(path != NULL, err == 0);
		free(path);
	}
	for_each_failing_allocation(failing) {
		struct sl_origin origin = { 0 };
		int err = sl_config_value_origin("http://A:81", SL_ORIGIN_WEB, &origin);
		failing_expect(err);
		CU_ASSERT_EQUAL(origin.url != NULL, err == 0);
		free(origin.url);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_value_counts_are_decimals_within_bounds),
		UNIT_TEST(test_value_names_may_stand_in_a_subject),
		UNIT_TEST(test_value_sizes_take_a_unit),
		UNIT_TEST(test_value_durations_are_seconds_with_three_decimals_that_count),
		UNIT_TEST(test_value_sizes_are_written_in_the_largest_whole_unit),
		UNIT_TEST(test_value_origins_equal_what_a_browser_sends),
		UNIT_TEST(test_value_origins_of_apps_are_kept_as_they_are_written),
		UNIT_TEST(test_value_base_path_begins_and_ends_with_a_slash),
		UNIT_TEST(test_value_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("value", tests);
}
