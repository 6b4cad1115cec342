#include "util/log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/log_lines.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define STAMP_LEN 25 /* "2026-10-01T12:34:56.789Z " */

/* Behind the time, which must have the right form. */
static const char *
past_time(const char *line)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)line[i]) : line[i] != form[i])
			return "no time";
	return line + STAMP_LEN;
}

static size_t
count_lines(const char *text)
{
	size_t lines = 0;
	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void
test_log_line_is_time_level_event_and_pairs(void)
{
	log_lines_begin();
	sl_log(SL_LOG_WARNING, "slow.consumer", "bytes=%d name=\"%s\"", 42, "a b");
	CU_ASSERT_STRING_EQUAL(past_time(log_lines_end()),
		"warning slow.consumer bytes=42 name=\"a b\"\n");
	log_lines_begin();
	sl_log(SL_LOG_INFO, "started", "%s", ""); /* no space at the end */
	CU_ASSERT_STRING_EQUAL(past_time(log_lines_end()), "info started\n");
}

static void
test_log_drops_what_is_above_the_level(void)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	for (int level = SL_LOG_ERROR; level <= SL_LOG_DEBUG; level++) {
		sl_log_set_level((enum sl_log_level)level);
		log_lines_begin();
		for (int line = SL_LOG_ERROR; line <= SL_LOG_DEBUG; line++)
			sl_log((enum sl_log_level)line, "event", "n=%d", line);
		const char *text = log_lines_end();
		CU_ASSERT_EQUAL(count_lines(text), (size_t)level + 1);
		for (int line = SL_LOG_ERROR; line <= SL_LOG_DEBUG; line++)
			CU_ASSERT_EQUAL(strstr(text, names[line]) != NULL, line <= level);
	}
	sl_log_set_level(SL_LOG_INFO);
}

static void
test_log_level_goes_by_its_name(void)
{
	for (int i = SL_LOG_ERROR; i <= SL_LOG_DEBUG; i++) {
		enum sl_log_level level;
		CU_ASSERT_EQUAL(sl_log_parse_level(sl_log_level_name((enum sl_log_level)i), &level), 0);
		CU_ASSERT_EQUAL(level, (enum sl_log_level)i);
	}
	enum sl_log_level level = SL_LOG_DEBUG;
	CU_ASSERT_EQUAL(sl_log_parse_level("loud", &level), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_log_parse_level("", &level), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_log_parse_level("Info", &level), SL_EINVAL);
	CU_ASSERT_EQUAL(level, SL_LOG_DEBUG);
}

static void
test_log_a_value_breaks_no_line_and_fills_no_disk(void)
{
	char value[3000];
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	log_lines_begin();
	sl_log(SL_LOG_INFO, "event", "a=%s", "1\n2\r3\t4\x1b[31m\x7f");
	sl_log(SL_LOG_INFO, "event", "a=%s", value);
	const char *text = log_lines_end();
	CU_ASSERT_EQUAL(strncmp(past_time(text), "info event a=1?2?3?4?[31m?\n", 27), 0);
	CU_ASSERT_EQUAL(count_lines(text), 2);
	CU_ASSERT(strlen(text) < 1100);
}

/* One place in the code, as many lines as asked for. */
static size_t
say(unsigned times, const char **last)
{
	log_lines_begin();
	for (unsigned i = 0; i < times; i++)
		sl_log_limited(SL_LOG_INFO, "client.did", "n=%u", i);
	const char *text = log_lines_end();
	*last = text;
	for (const char *at = text; (at = strchr(at, '\n')) && at[1]; at++)
		*last = at + 1;
	return count_lines(text);
}

static void
test_log_ten_lines_a_second_of_each_place_and_the_rest_is_counted(void)
{
	const char *last;
	CU_ASSERT_EQUAL(say(25, &last), 10);
	CU_ASSERT_STRING_EQUAL(past_time(last), "info client.did n=9\n");
	CU_ASSERT_EQUAL(say(3, &last), 0); /* still the same second */
	set_monotonic_ms += 1000;
	CU_ASSERT_EQUAL(say(1, &last), 1);
	CU_ASSERT_STRING_EQUAL(past_time(last), "info client.did n=0 suppressed=18\n");
	CU_ASSERT_EQUAL(say(1, &last), 1); /* and told once */
	CU_ASSERT_STRING_EQUAL(past_time(last), "info client.did n=0\n");
	sl_log_set_level(SL_LOG_WARNING);
	CU_ASSERT_EQUAL(say(1, &last), 0);
	sl_log_set_level(SL_LOG_INFO);
}

static void
test_log_a_long_line_still_says_what_was_left_out(void)
{
	char value[3000];
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	set_monotonic_ms += 1000;
	for (int second = 0; second < 2; second++) {
		log_lines_begin();
		for (int i = 0; i < (second ? 1 : 12); i++)
			sl_log_limited(SL_LOG_INFO, "event", "a=%s", value);
		const char *text = log_lines_end();
		CU_ASSERT_EQUAL(strstr(text, "v suppressed=2\n") != NULL, second == 1);
		set_monotonic_ms += 1000;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_log_line_is_time_level_event_and_pairs),
		UNIT_TEST(test_log_drops_what_is_above_the_level),
		UNIT_TEST(test_log_level_goes_by_its_name),
		UNIT_TEST(test_log_a_value_breaks_no_line_and_fills_no_disk),
		UNIT_TEST(test_log_ten_lines_a_second_of_each_place_and_the_rest_is_counted),
		UNIT_TEST(test_log_a_long_line_still_says_what_was_left_out),
		{ NULL, NULL },
	};
	return unit_main("log", tests);
}
