#include "bench/obstacle/value.h"

#include <stdbool.h>
#include <string.h>

#include "util/err.h"

#define TIME_MAX_MS (24ull * 3600 * 1000)
#define SIZE_MAX_BYTES (1ull << 40)

struct unit {
	const char *suffix;
	uint64_t times;
};

static const struct unit time_units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { 0 } };
static const struct unit size_units[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 },
	{ "G", 1 << 30 }, { 0 } };

static const struct {
	const char *word;
	enum ob_ending ending;
} endings[] = {
	{ "fin", OB_END_FIN }, { "rst", OB_END_RST }, { "hole", OB_END_HOLE },
	{ "hole-up", OB_END_HOLE_UP }, { "hole-down", OB_END_HOLE_DOWN },
};

static const struct {
	const char *name, *help;
} kinds[] = {
	[OB_NO_VALUE] = { "", "no value" },
	[OB_TIME] = { "TIME", "a time such as 200ms, 5s or 2m, at most a day" },
	[OB_SIZE] = { "SIZE", "a size in bytes such as 512, 64K or 1M, more than 0" },
	[OB_COUNT] = { "COUNT", "a number from 1 to 1000000" },
	[OB_SHARE] = { "SHARE", "a share from 0 to 1, such as 0.3" },
	[OB_PORT] = { "PORT", "a port from 1 to 65535" },
	[OB_ENDING] = { "ENDING", "fin, rst, hole, hole-up, hole-down or a status from 200 to 599" },
	[OB_WORD] = { "WORD", "a word of 1 to 63 visible characters" },
};

const char *
ob_kind_help(enum ob_kind kind)
{
	return kinds[kind].help;
}

const char *
ob_kind_name(enum ob_kind kind)
{
	return kinds[kind].name;
}

/* Digits at the start; `*used` of them. */
static int
parse_digits(const char *text, size_t len, size_t *used, uint64_t *number)
{
	*number = 0;
	for (*used = 0; *used < len && text[*used] >= '0' && text[*used] <= '9'; ++*used)
		*number = *number * 10 + (uint64_t)(text[*used] - '0');
	return *used > 0 && *used <= 12 ? 0 : SL_EINVAL;
}

static int
parse_with_unit(const struct unit *units, const char *text, size_t len, uint64_t max,
	uint64_t *number)
{
	size_t used;
	if (len > 14 || parse_digits(text, len, &used, number) != 0)
		return SL_EINVAL;
	for (; units->suffix; units++)
		if (strlen(units->suffix) == len - used
				&& memcmp(text + used, units->suffix, len - used) == 0) {
			if (*number > max / units->times)
				return SL_EINVAL;
			*number *= units->times;
			return 0;
		}
	return SL_EINVAL;
}

static int
parse_between(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *number)
{
	size_t used;
	if (parse_digits(text, len < 13 ? len : 13, &used, number) != 0 || used != len)
		return SL_EINVAL;
	return *number >= min && *number <= max ? 0 : SL_EINVAL;
}

/* 0, 1, 0.3, at most six digits behind the point. */
static int
parse_share(const char *text, size_t len, uint64_t *number)
{
	if (len == 0 || len > 8 || (text[0] != '0' && text[0] != '1') || (len > 1 && text[1] != '.')
		|| len == 2)
		return SL_EINVAL;
	uint64_t unit = OB_MILLION;
	*number = (uint64_t)(text[0] - '0') * unit;
	for (size_t i = 2; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return SL_EINVAL;
		unit /= 10;
		*number += (uint64_t)(text[i] - '0') * unit;
	}
	return *number <= OB_MILLION ? 0 : SL_EINVAL;
}

static int
parse_ending(const char *text, size_t len, uint64_t *number)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (strlen(endings[i].word) == len && memcmp(endings[i].word, text, len) == 0) {
			*number = endings[i].ending;
			return 0;
		}
	return parse_between(text, len, 200, 599, number);
}

static int
parse_word(const char *text, size_t len, char *word)
{
	if (len == 0 || len > OB_WORD_MAX)
		return SL_EINVAL;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == ',' || text[i] == '@')
			return SL_EINVAL;
	memcpy(word, text, len);
	word[len] = '\0';
	return 0;
}

int
ob_value_parse(enum ob_kind kind, const char *text, size_t len, struct ob_value *value)
{
	memset(value, 0, sizeof *value);
	switch (kind) {
	case OB_TIME: return parse_with_unit(time_units, text, len, TIME_MAX_MS, &value->number);
	case OB_SIZE:
		if (parse_with_unit(size_units, text, len, SIZE_MAX_BYTES, &value->number) != 0)
			return SL_EINVAL;
		return value->number ? 0 : SL_EINVAL;
	case OB_COUNT: return parse_between(text, len, 1, OB_MILLION, &value->number);
	case OB_SHARE: return parse_share(text, len, &value->number);
	case OB_PORT: return parse_between(text, len, 1, 65535, &value->number);
	case OB_ENDING: return parse_ending(text, len, &value->number);
	case OB_WORD: return parse_word(text, len, value->word);
	case OB_NO_VALUE: break;
	}
	return SL_EINVAL;
}
