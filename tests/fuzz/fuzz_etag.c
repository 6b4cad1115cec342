/* If-None-Match: what is said of a list is said of it with more tags behind it, and by a reader that walks
 * over the list in another way. The tag that is asked for is the input's first line, in quotes. */
#include "http/etag.h"

#include "tests/fuzz/fuzz.h"

static bool
is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* Once over the bytes: quotes open and close; outside of them elements end. */
static bool
has_element(const char *list, size_t len, const char *tag, size_t tag_len)
{
	for (size_t at = 0; at < len;) {
		size_t end = at;
		if (is_between(list[at])) {
			at++;
			continue;
		}
		if (len - at > 2 && list[at] == 'W' && list[at + 1] == '/' && list[at + 2] == '"')
			end = at += 2;
		bool is_quoted = list[at] == '"';
		for (end++; end < len && (is_quoted ? list[end - 1] != '"' || end == at + 1 :
				!is_between(list[end])); end++)
			;
		if ((end - at == tag_len && memcmp(list + at, tag, tag_len) == 0) ||
				(end - at == 1 && list[at] == '*'))
			return true;
		at = end;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *line_end = memchr(bytes, '\n', len);
	size_t tag_len = line_end ? (size_t)(line_end - bytes) : 0;
	if (!line_end || tag_len > 60 || memchr(bytes, '"', tag_len) || memchr(bytes, '\0', tag_len))
		return 0;
	char tag[64];
	snprintf(tag, sizeof tag, "\"%.*s\"", (int)tag_len, (const char *)bytes);
	size_t list_len = len - tag_len - 1;
	char *list = fuzz_copy(line_end + 1, list_len);
	bool matches = sl_etag_matches((struct sl_span){ list, list_len }, tag);
	FUZZ_EXPECT(matches == has_element(list, list_len, tag, strlen(tag)));
	char *longer = malloc(list_len + sizeof tag + 2);
	FUZZ_EXPECT(longer);
	int more = snprintf(longer, sizeof tag + 2, "%s,", tag);
	memcpy(longer + more, list, list_len);
	FUZZ_EXPECT(sl_etag_matches((struct sl_span){ longer, list_len + (size_t)more }, tag));
	free(longer);
	free(list);
	return 0;
}
