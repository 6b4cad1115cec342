/* A list of patterns: what is legal, and what each stands for, told here in another way. The input is
 * lines: a channel's name, then patterns. */
#include "auth/pattern.h"

#include "bus/message.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"

static bool
is_legal(const char *text, size_t len)
{
	if (len == 1 && text[0] == '*')
		return true;
	bool is_prefix = len >= 2 && text[len - 1] == '*' && text[len - 2] == '.';
	size_t name_len = is_prefix ? len - 2 : len;
	return name_len > 0 && text[0] != '~' && sl_channel_name_valid(text, name_len);
}

/* Of a legal pattern and a legal name. */
static bool
stands_for(const char *pattern, size_t len, const char *name, size_t name_len)
{
	if (name[0] == '~')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (pattern[i] == '*')
			return i < name_len;
		if (i >= name_len || pattern[i] != name[i])
			return false;
	}
	return len == name_len;
}

static size_t
take_line(const char **at, const char *end)
{
	const char *line = *at, *stop = line < end ? memchr(line, '\n', (size_t)(end - line)) : NULL;
	size_t len = (size_t)((stop ? stop : end) - line);
	*at = stop ? stop + 1 : end;
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	const char *at = text, *end = text + len;
	struct sl_span name = { text, take_line(&at, end) };
	bool has_name = sl_channel_name_valid(name.bytes, name.len), expected = false;
	struct sl_patterns patterns = { 0 };
	while (at < end) {
		struct sl_span pattern = { at, 0 };
		size_t count = patterns.count;
		pattern.len = take_line(&at, end);
		bool legal = is_legal(pattern.bytes, pattern.len);
		FUZZ_EXPECT(sl_pattern_is_valid(pattern) == legal);
		int err = sl_patterns_add(&patterns, pattern);
		bool is_full = count == SL_PATTERNS_MAX;
		int wanted = is_full ? SL_EFULL : 0;
		FUZZ_EXPECT(err == (legal ? wanted : SL_EINVAL));
		FUZZ_EXPECT(patterns.count == count + (err == 0));
		if (err == 0 && has_name)
			expected |= stands_for(pattern.bytes, pattern.len, name.bytes, name.len);
	}
	if (has_name)
		FUZZ_EXPECT(sl_patterns_match(&patterns, name) == expected);
	sl_patterns_finish(&patterns);
	free(text);
	return 0;
}
