#include "demo/wanted.h"

#include <string.h>

#include "util/err.h"

#define DIGITS_MAX 18

/* Cuts the next part off a list with commas; an empty list still has one, empty. */
static struct sl_span
next_part(struct sl_span *list)
{
	const char *comma = memchr(list->bytes, ',', list->len);
	struct sl_span part = { list->bytes, comma ? (size_t)(comma - list->bytes) : list->len };
	if (comma)
		*list = (struct sl_span){ comma + 1, list->len - part.len - 1 };
	else
		*list = (struct sl_span){ 0 };
	return part;
}

static bool
same(struct sl_span a, struct sl_span b)
{
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static struct sl_wanted *
find(struct sl_wanted *wanted, unsigned count, struct sl_span name)
{
	for (unsigned i = 0; i < count; i++)
		if (same(wanted[i].name, name))
			return &wanted[i];
	return NULL;
}

static int
parse_one(struct sl_span part, struct sl_wanted *out)
{
	const char *colon = memchr(part.bytes, ':', part.len);
	*out = (struct sl_wanted){ .name = part };
	if (colon) {
		out->name.len = (size_t)(colon - part.bytes);
		struct sl_span digits = { colon + 1, part.len - out->name.len - 1 };
		if (digits.len > DIGITS_MAX || !sl_span_to_number(digits, UINT64_MAX, &out->after))
			return SL_EINVAL;
	}
	return sl_name_valid(out->name) ? 0 : SL_EINVAL;
}

int
sl_wanted_parse(struct sl_wanted out[SL_NAMES_MAX], unsigned *count, struct sl_span of,
	struct sl_span show)
{
	*count = 0;
	if (!of.bytes)
		return SL_EINVAL;
	while (of.bytes) {
		struct sl_wanted wanted;
		if (*count == SL_NAMES_MAX || parse_one(next_part(&of), &wanted) != 0 ||
				find(out, *count, wanted.name))
			return SL_EINVAL;
		out[(*count)++] = wanted;
	}
	while (show.bytes && show.len) {
		struct sl_wanted *shown = find(out, *count, next_part(&show));
		if (shown)
			shown->shows_bytes = true;
	}
	return 0;
}
