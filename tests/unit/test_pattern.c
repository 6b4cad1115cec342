#include "auth/pattern.h"

#include <stdio.h>
#include <string.h>

#include "bus/message.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_pattern_is_a_name_a_prefix_or_a_star(void)
{
	static const char *const legal[] = { "a", "chat.42", "chat.*", "a.b.*", "*", "A_b-c:1", "a..*", ".a.*",
		"a.", ".", "a b", "a,b", "\xc3\xa4.*", "\"}\\.*" };
	static const char *const others[] = { "", ".*", "**", "*.a", "a*", "a.*.b", "a.**", "~abc", "~abc.*", "~",
		"a.*.*", "a\n", "\x7f.*", "\xc3.*" };
	for (size_t i = 0; i < sizeof legal / sizeof *legal; i++)
		CU_ASSERT_TRUE(sl_pattern_is_valid(span(legal[i])));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CU_ASSERT_FALSE(sl_pattern_is_valid(span(others[i])));
	CU_ASSERT_FALSE(sl_pattern_is_valid((struct sl_span){ "a\0b", 3 }));
	CU_ASSERT_FALSE(sl_pattern_is_valid((struct sl_span){ NULL, 0 }));
}

static void
test_pattern_is_as_long_as_a_name_and_its_star(void)
{
	char text[SL_CHANNEL_MAX + 4];
	memset(text, 'a', sizeof text);
	CU_ASSERT_TRUE(sl_pattern_is_valid((struct sl_span){ text, SL_CHANNEL_MAX }));
	CU_ASSERT_FALSE(sl_pattern_is_valid((struct sl_span){ text, SL_CHANNEL_MAX + 1 }));
	memcpy(text + SL_CHANNEL_MAX, ".*", 2);
	CU_ASSERT_TRUE(sl_pattern_is_valid((struct sl_span){ text, SL_CHANNEL_MAX + 2 }));
	memcpy(text + SL_CHANNEL_MAX, "a.*", 3);
	CU_ASSERT_FALSE(sl_pattern_is_valid((struct sl_span){ text, SL_CHANNEL_MAX + 3 }));
}

static bool
matches(const char *pattern, const char *channel)
{
	struct sl_patterns patterns = { 0 };
	CU_ASSERT_EQUAL_FATAL(sl_patterns_add(&patterns, span(pattern)), 0);
	bool does = sl_patterns_match(&patterns, span(channel));
	CU_ASSERT_EQUAL(sl_pattern_matches(pattern, span(channel)), does);
	sl_patterns_finish(&patterns);
	return does;
}

static void
test_pattern_stands_for_what_it_says(void)
{
	CU_ASSERT_TRUE(matches("chat", "chat"));
	CU_ASSERT_FALSE(matches("chat", "chat.1"));
	CU_ASSERT_FALSE(matches("chat", "cha"));
	CU_ASSERT_FALSE(matches("chat", "Chat"));
	CU_ASSERT_TRUE(matches("chat.*", "chat.1"));
	CU_ASSERT_TRUE(matches("chat.*", "chat.1.2"));
	CU_ASSERT_FALSE(matches("chat.*", "chat"));
	CU_ASSERT_FALSE(matches("chat.*", "chats.1"));
	CU_ASSERT_FALSE(matches("chat.*", "chat:1"));
	CU_ASSERT_TRUE(matches("*", "a"));
	CU_ASSERT_TRUE(matches("*", "a.b.c"));
	CU_ASSERT_FALSE(matches("*", "~abc"));
}

static void
test_pattern_list_without_any_stands_for_nothing(void)
{
	struct sl_patterns patterns = { 0 };
	CU_ASSERT_FALSE(sl_patterns_match(&patterns, span("a")));
	sl_patterns_finish(&patterns);
}

static void
test_pattern_list_has_a_limit_and_takes_no_other_text(void)
{
	struct sl_patterns patterns = { 0 };
	char text[16];
	for (int i = 0; i < SL_PATTERNS_MAX; i++) {
		snprintf(text, sizeof text, "c%d.*", i);
		CU_ASSERT_EQUAL_FATAL(sl_patterns_add(&patterns, span(text)), 0);
	}
	CU_ASSERT_EQUAL(sl_patterns_add(&patterns, span("one.more")), SL_EFULL);
	CU_ASSERT_EQUAL(sl_patterns_add(&patterns, span("a*")), SL_EINVAL);
	CU_ASSERT_EQUAL(patterns.count, SL_PATTERNS_MAX);
	CU_ASSERT_TRUE(sl_patterns_match(&patterns, span("c0.x")));
	CU_ASSERT_TRUE(sl_patterns_match(&patterns, span("c255.x")));
	CU_ASSERT_FALSE(sl_patterns_match(&patterns, span("c256.x")));
	CU_ASSERT_FALSE(sl_patterns_match(&patterns, span("one.more")));
	sl_patterns_finish(&patterns);
	CU_ASSERT_EQUAL(patterns.count, 0);
}

/* ---- against a naive model, over all short texts of few characters ---- */

#define LETTERS "ab.*~"
#define SHORT_MAX 5

/* The `number`-th text of LETTERS, shortest first; false after the last. */
static bool
get_text(unsigned number, char text[SHORT_MAX + 1])
{
	unsigned base = sizeof LETTERS - 1, of_len = 1;
	size_t len = 0;
	for (; number >= of_len; of_len *= base, len++)
		number -= of_len;
	if (len > SHORT_MAX)
		return false;
	for (size_t i = 0; i < len; i++, number /= base)
		text[i] = LETTERS[number % base];
	text[len] = '\0';
	return true;
}

/* Cuts both at their dots and compares part by part: a last part `*` stands for what is left, of one character or
 * more. */
static bool
model(const char *pattern, const char *channel)
{
	char left[SHORT_MAX + 1], right[SHORT_MAX + 1], *left_at = left, *right_at = right;
	if (channel[0] == '~')
		return false;
	strcpy(left, pattern);
	strcpy(right, channel);
	char *one = strsep(&left_at, "."), *other = strsep(&right_at, ".");
	while (one && other) {
		if (strcmp(one, "*") == 0)
			return *other || right_at;
		if (strcmp(one, other) != 0)
			return false;
		one = strsep(&left_at, ".");
		other = strsep(&right_at, ".");
	}
	return !one && !other;
}

static void
test_pattern_matches_as_a_naive_model_does(void)
{
	char pattern[SHORT_MAX + 1], channel[SHORT_MAX + 1];
	unsigned patterns_seen = 0, pairs = 0, wrong = 0, matched = 0;
	for (unsigned i = 0; get_text(i, pattern); i++) {
		struct sl_patterns patterns = { 0 };
		if (sl_patterns_add(&patterns, span(pattern)) != 0)
			continue;
		patterns_seen++;
		for (unsigned j = 0; get_text(j, channel); j++) {
			if (!sl_channel_name_valid(channel, strlen(channel)))
				continue;
			bool does = sl_patterns_match(&patterns, span(channel));
	CU_ASSERT_EQUAL(sl_pattern_matches(pattern, span(channel)), does);
			pairs++;
			matched += does;
			wrong += does != model(pattern, channel);
		}
		sl_patterns_finish(&patterns);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_TRUE(patterns_seen > 100);
	CU_ASSERT_TRUE(pairs > 20000);
	CU_ASSERT_TRUE(matched > 300);
}

static void
test_pattern_list_without_memory_stays_as_it_was(void)
{
	for_each_failing_allocation(failing) {
		struct sl_patterns patterns = { 0 };
		failing_alloc_off();
		CU_ASSERT_EQUAL(sl_patterns_add(&patterns, span("a.*")), 0);
		failing_again(&failing);
		int err = sl_patterns_add(&patterns, span("b"));
		failing_expect(err);
		CU_ASSERT_TRUE(sl_patterns_match(&patterns, span("a.1")));
		CU_ASSERT_EQUAL(sl_patterns_match(&patterns, span("b")), err == 0);
		sl_patterns_finish(&patterns);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_pattern_is_a_name_a_prefix_or_a_star),
		UNIT_TEST(test_pattern_is_as_long_as_a_name_and_its_star),
		UNIT_TEST(test_pattern_stands_for_what_it_says),
		UNIT_TEST(test_pattern_list_without_any_stands_for_nothing),
		UNIT_TEST(test_pattern_list_has_a_limit_and_takes_no_other_text),
		UNIT_TEST(test_pattern_matches_as_a_naive_model_does),
		UNIT_TEST(test_pattern_list_without_memory_stays_as_it_was),
		{ NULL, NULL },
	};
	return unit_main("pattern", tests);
}
