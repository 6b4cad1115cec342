#include "bench/load/scan.h"

#include <stdlib.h>
#include <string.h>

static const char id_text[] = "\"id\":\"", cursor_text[] = "\"cursor\":\"";

/* Both texts start with the only quote that could start them again but for their last two
 * bytes, so that a mismatch goes back to the beginning. */
static bool
match(uint8_t *matched, const char *text, char c)
{
	if (c != text[*matched])
		*matched = c == text[0];
	else
		++*matched;
	if (text[*matched] != '\0')
		return false;
	*matched = 0;
	return true;
}

static enum bench_found
take_value(struct bench_scan *scan, char c)
{
	bool is_cursor = scan->reading == BENCH_SCAN_CURSOR;
	if (c != '"') {
		if (scan->len < sizeof scan->cursor - 1)
			scan->cursor[scan->len++] = c;
		return BENCH_FOUND_NOTHING;
	}
	scan->cursor[scan->len] = '\0';
	scan->reading = BENCH_SCAN_TEXT;
	return is_cursor ? BENCH_FOUND_CURSOR : BENCH_FOUND_NOTHING;
}

enum bench_found
bench_scan_next(struct bench_scan *scan, const char **at, const char *end)
{
	while (*at < end) {
		char c = **at;
		if (scan->reading != BENCH_SCAN_TEXT) {
			++*at;
			if (take_value(scan, c) == BENCH_FOUND_CURSOR)
				return BENCH_FOUND_CURSOR;
			continue;
		}
		if (match(&scan->id_matched, id_text, c))
			scan->reading = BENCH_SCAN_ID;
		if (match(&scan->cursor_matched, cursor_text, c))
			scan->reading = BENCH_SCAN_CURSOR;
		if (scan->reading != BENCH_SCAN_TEXT)
			scan->len = 0;
		if (bench_marker_next(&scan->marker, at, *at + 1, &scan->seq))
			return BENCH_FOUND_MESSAGE;
	}
	return BENCH_FOUND_NOTHING;
}

uint64_t
bench_cursor_number(const char *cursor)
{
	const char *dash = strchr(cursor, '-');
	return dash ? strtoull(dash + 1, NULL, 10) : 0;
}
