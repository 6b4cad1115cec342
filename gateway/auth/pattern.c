#include "auth/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "bus/message.h"
#include "util/err.h"

static bool
ends_in_star(struct sl_span pattern)
{
	return pattern.len > 2 && memcmp(pattern.bytes + pattern.len - 2, ".*", 2) == 0;
}

bool
sl_pattern_is_valid(struct sl_span pattern)
{
	if (sl_span_equals(pattern, "*"))
		return true;
	if (pattern.len == 0 || sl_channel_name_is_leased(pattern.bytes))
		return false;
	size_t len = ends_in_star(pattern) ? pattern.len - 2 : pattern.len;
	return sl_channel_name_valid(pattern.bytes, len);
}

int
sl_patterns_add(struct sl_patterns *patterns, struct sl_span pattern)
{
	if (!sl_pattern_is_valid(pattern))
		return SL_EINVAL;
	if (patterns->count >= SL_PATTERNS_MAX)
		return SL_EFULL;
	/* Exactly as large as needed: there is a list for each principal, and it is made once. */
	char *texts = realloc(patterns->texts, patterns->size + pattern.len + 1);
	if (!texts)
		return SL_ENOMEM;
	memcpy(texts + patterns->size, pattern.bytes, pattern.len);
	texts[patterns->size + pattern.len] = '\0';
	patterns->texts = texts;
	patterns->size += pattern.len + 1;
	patterns->count++;
	return 0;
}

int
sl_patterns_copy(struct sl_patterns *out, const struct sl_patterns *from)
{
	if (from->count == 0)
		return 0;
	out->texts = malloc(from->size);
	if (!out->texts)
		return SL_ENOMEM;
	memcpy(out->texts, from->texts, from->size);
	out->size = from->size;
	out->count = from->count;
	return 0;
}

void
sl_patterns_finish(struct sl_patterns *patterns)
{
	free(patterns->texts);
	*patterns = (struct sl_patterns){ 0 };
}

/* `pattern` ends in NUL behind its `len` bytes. */
static bool
stands_for(const char *pattern, size_t len, struct sl_span channel)
{
	if (pattern[len - 1] != '*')
		return len == channel.len && memcmp(pattern, channel.bytes, len) == 0;
	/* The star stands for one character or more: a legal name does not end in a dot. */
	return len <= channel.len && memcmp(pattern, channel.bytes, len - 1) == 0;
}

bool
sl_pattern_matches(const char *pattern, struct sl_span channel)
{
	return !sl_channel_name_is_leased(channel.bytes) && stands_for(pattern, strlen(pattern), channel);
}

bool
sl_patterns_match(const struct sl_patterns *patterns, struct sl_span channel)
{
	const char *pattern = patterns->texts;
	if (sl_channel_name_is_leased(channel.bytes))
		return false;
	for (size_t i = 0; i < patterns->count; i++) {
		size_t len = strlen(pattern);
		if (stands_for(pattern, len, channel))
			return true;
		pattern += len + 1;
	}
	return false;
}
