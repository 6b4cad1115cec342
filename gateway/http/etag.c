#include "http/etag.h"

static bool
is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* A tag has its quotes, between which commas separate nothing. */
static size_t
measure_element(struct sl_span list)
{
	size_t len = 0;
	if (list.bytes[0] != '"') {
		while (len < list.len && !is_between(list.bytes[len]))
			len++;
		return len;
	}
	const char *end = memchr(list.bytes + 1, '"', list.len - 1);
	return end ? (size_t)(end + 1 - list.bytes) : list.len;
}

bool
sl_etag_matches(struct sl_span list, const char *etag)
{
	while (list.len > 0) {
		size_t skipped = is_between(list.bytes[0]) ? 1 :
			list.len > 2 && memcmp(list.bytes, "W/\"", 3) == 0 ? 2 : 0;
		if (skipped == 0) {
			struct sl_span element = { list.bytes, measure_element(list) };
			if (sl_span_equals(element, etag) || sl_span_equals(element, "*"))
				return true;
			skipped = element.len;
		}
		list = (struct sl_span){ list.bytes + skipped, list.len - skipped };
	}
	return false;
}
