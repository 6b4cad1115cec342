#include "http/content.h"

#include <string.h>
#include <strings.h>

#include "util/err.h"
#include "util/span.h"

#define BLANKS " \t"

static bool
is_word(struct sl_span span, const char *word)
{
	return span.len == strlen(word) && strncasecmp(span.bytes, word, span.len) == 0;
}

/* Up to one of `stops`, or the end. */
static struct sl_span
take_until(const char **at, const char *stops)
{
	struct sl_span span = { *at, strcspn(*at, stops) };
	*at += span.len;
	return span;
}

/* A token, or what stands between quotes; what is escaped there stays so, and equals nothing. */
static struct sl_span
take_value(const char **at)
{
	if (**at != '"')
		return take_until(at, ";" BLANKS);
	const char *start = ++*at;
	while (**at && **at != '"')
		*at += **at == '\\' && (*at)[1] ? 2 : 1;
	struct sl_span span = { start, (size_t)(*at - start) };
	*at += **at == '"';
	return span;
}

/* The parameters behind a media type (RFC 9110, section 5.6.6): true unless one says that the
 * text is in another charset. ASCII is UTF-8 too. */
static bool
says_utf8(const char *at)
{
	static const char *const charsets[] = { "utf-8", "utf8", "us-ascii", "ascii" };
	for (at += strspn(at, ";" BLANKS); *at; at += strspn(at, ";" BLANKS)) {
		struct sl_span name = take_until(&at, "=;" BLANKS), value;
		bool is_known = false;
		if (*at != '=')
			continue;
		at++;
		value = take_value(&at);
		for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
			is_known |= is_word(value, charsets[i]);
		if (is_word(name, "charset") && !is_known)
			return false;
	}
	return true;
}

int
sl_content_read_type(const char *value, struct sl_content *content)
{
	static const struct {
		const char *name;
		struct sl_content content;
	} types[] = {
		{ "application/json", { false, SL_JSON } },
		{ "text/plain", { false, SL_TEXT } },
		{ "application/octet-stream", { false, SL_BINARY } },
		{ "application/x-ndjson", { true, SL_JSON } },
	};
	const char *at = value ? value : "";
	struct sl_span name = take_until(&at, ";" BLANKS);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (!is_word(name, types[i].name))
			continue;
		*content = types[i].content;
		return content->type == SL_BINARY || says_utf8(at) ? 0 : SL_EUTF8;
	}
	return SL_EINVAL;
}

bool
sl_content_is_identity(const char *value)
{
	const char *at = value ? value : "";
	for (at += strspn(at, "," BLANKS); *at; at += strspn(at, "," BLANKS))
		if (!is_word(take_until(&at, "," BLANKS), "identity"))
			return false;
	return true;
}
