#include "http/content.h"

#include "util/err.h"

#define BLANKS " \t"

static bool
is_one_of(char c, const char *characters)
{
	while (*characters && *characters != c)
		characters++;
	return *characters != '\0';
}

/* Up to the first character that is one of `stops`, or that is none; moves `*rest` behind it. */
static struct sl_span
take(struct sl_span *rest, const char *stops, bool until)
{
	struct sl_span taken = { rest->bytes, 0 };
	while (taken.len < rest->len && is_one_of(rest->bytes[taken.len], stops) != until)
		taken.len++;
	if (taken.len > 0) /* what is absent stays so */
		*rest = (struct sl_span){ rest->bytes + taken.len, rest->len - taken.len };
	return taken;
}

static struct sl_span
take_until(struct sl_span *rest, const char *stops)
{
	return take(rest, stops, true);
}

static void
skip(struct sl_span *rest, const char *characters)
{
	take(rest, characters, false);
}

static bool
skip_one(struct sl_span *rest, char c)
{
	if (rest->len == 0 || rest->bytes[0] != c)
		return false;
	*rest = (struct sl_span){ rest->bytes + 1, rest->len - 1 };
	return true;
}

/* A token, or what stands between quotes; what is escaped there stays so, and equals nothing. */
static struct sl_span
take_value(struct sl_span *rest)
{
	if (!skip_one(rest, '"'))
		return take_until(rest, ";" BLANKS);
	struct sl_span value = { rest->bytes, 0 };
	while (value.len < rest->len && rest->bytes[value.len] != '"')
		value.len += rest->bytes[value.len] == '\\' && value.len + 1 < rest->len ? 2 : 1;
	*rest = (struct sl_span){ rest->bytes + value.len, rest->len - value.len };
	skip_one(rest, '"');
	return value;
}

/* The parameters behind a media type (RFC 9110, section 5.6.6): true unless one says that the
 * text is in another charset. ASCII is UTF-8 too. */
static bool
says_utf8(struct sl_span rest)
{
	static const char *const charsets[] = { "utf-8", "utf8", "us-ascii", "ascii" };
	for (skip(&rest, ";" BLANKS); rest.len; skip(&rest, ";" BLANKS)) {
		struct sl_span name = take_until(&rest, "=;" BLANKS), value;
		bool is_known = false;
		if (!skip_one(&rest, '='))
			continue;
		value = take_value(&rest);
		for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
			is_known |= sl_span_is_word(value, charsets[i]);
		if (sl_span_is_word(name, "charset") && !is_known)
			return false;
	}
	return true;
}

int
sl_content_read_type(struct sl_span value, struct sl_content *content)
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
	struct sl_span name = take_until(&value, ";" BLANKS);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (!sl_span_is_word(name, types[i].name))
			continue;
		*content = types[i].content;
		return content->type == SL_BINARY || says_utf8(value) ? 0 : SL_EUTF8;
	}
	return SL_EINVAL;
}

bool
sl_content_is_identity(struct sl_span value)
{
	for (skip(&value, "," BLANKS); value.len; skip(&value, "," BLANKS))
		if (!sl_span_is_word(take_until(&value, "," BLANKS), "identity"))
			return false;
	return true;
}
