#include "bench/obstacle/head.h"

#include <string.h>
#include <strings.h>

#include "util/err.h"

void
ob_head_init(struct ob_head *head, enum ob_head_kind kind, size_t max)
{
	head->kind = kind;
	head->max = max;
	sl_buffer_init(&head->text);
	ob_head_reset(head);
}

void
ob_head_finish(struct ob_head *head)
{
	sl_buffer_finish(&head->text);
}

void
ob_head_reset(struct ob_head *head)
{
	sl_buffer_clear(&head->text);
	head->line_at = 0;
	head->is_complete = false;
	head->count = 0;
	memset(head->parts, 0, sizeof head->parts);
}

static struct sl_span
span_of(const struct ob_head *head, struct ob_extent extent)
{
	return (struct sl_span){ extent.len ? head->text.bytes + extent.at : "", extent.len };
}

static struct ob_extent
extent_of(const struct ob_head *head, const char *from, const char *to)
{
	return (struct ob_extent){ (uint32_t)(from - head->text.bytes), (uint32_t)(to - from) };
}

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		|| (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* METHOD SP target SP version, or version SP status SP reason (whose SP may be missing). */
static int
parse_first_line(struct ob_head *head, const char *line, const char *end)
{
	const char *first = memchr(line, ' ', (size_t)(end - line));
	if (!first || first == line)
		return SL_ESYNTAX;
	const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
	if (!second && head->kind == OB_REQUEST)
		return SL_ESYNTAX;
	head->parts[0] = extent_of(head, line, first);
	head->parts[1] = extent_of(head, first + 1, second ? second : end);
	head->parts[2] = second ? extent_of(head, second + 1, end) : extent_of(head, end, end);
	struct ob_extent version = head->parts[head->kind == OB_REQUEST ? 2 : 0];
	struct sl_span text = span_of(head, version);
	if (text.len != 8 || memcmp(text.bytes, "HTTP/1.", 7) != 0
		|| (text.bytes[7] != '0' && text.bytes[7] != '1') || head->parts[1].len == 0)
		return SL_ESYNTAX;
	if (head->kind == OB_RESPONSE)
		return ob_head_status(head) ? 0 : SL_ESYNTAX;
	for (const char *c = line; c < first; c++)
		if (!is_token_char(*c))
			return SL_ESYNTAX;
	return 0;
}

static int
parse_field_line(struct ob_head *head, const char *line, const char *end)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	if (!colon || colon == line)
		return SL_ESYNTAX;
	for (const char *c = line; c < colon; c++)
		if (!is_token_char(*c))
			return SL_ESYNTAX;
	const char *value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (head->count == OB_HEAD_LINES)
		return SL_ETOOBIG;
	head->lines[head->count].name = extent_of(head, line, colon);
	head->lines[head->count++].value = extent_of(head, value, end);
	return 0;
}

/* A line has ended with the LF just appended. 0: it was the empty one behind the others. */
static int
finish_line(struct ob_head *head)
{
	const char *line = head->text.bytes + head->line_at;
	const char *end = head->text.bytes + head->text.len - 1;
	if (end > line && end[-1] == '\r')
		end--;
	if (memchr(line, '\r', (size_t)(end - line)) || memchr(line, '\0', (size_t)(end - line)))
		return SL_ESYNTAX;
	head->line_at = head->text.len;
	if (end == line) {
		if (head->parts[0].len)
			return 0;
		return head->kind == OB_REQUEST ? SL_EAGAIN : SL_ESYNTAX; /* RFC 9112, section 2.2 */
	}
	int err = head->parts[0].len ? parse_field_line(head, line, end)
		: parse_first_line(head, line, end);
	return err ? err : SL_EAGAIN;
}

int
ob_head_feed(struct ob_head *head, const char *bytes, size_t len, size_t *used)
{
	int err = SL_EAGAIN;
	*used = 0;
	while (err == SL_EAGAIN && *used < len) {
		const char *from = bytes + *used;
		const char *lf = memchr(from, '\n', len - *used);
		size_t more = lf ? (size_t)(lf + 1 - from) : len - *used;
		if (head->text.len + more > head->max)
			return SL_ETOOBIG;
		sl_buffer_append(&head->text, from, more);
		if (sl_buffer_status(&head->text) != 0)
			return SL_ENOMEM;
		*used += more;
		if (lf)
			err = finish_line(head);
	}
	head->is_complete = err == 0;
	return err;
}

struct sl_span
ob_head_part(const struct ob_head *head, enum ob_part part)
{
	return span_of(head, head->parts[part]);
}

static struct ob_extent
append_text(struct ob_head *head, const char *bytes, size_t len)
{
	struct ob_extent extent = { (uint32_t)head->text.len, (uint32_t)len };
	sl_buffer_append(&head->text, bytes, len);
	if (sl_buffer_status(&head->text) != 0)
		extent = (struct ob_extent){ 0, 0 };
	return extent;
}

void
ob_head_set_part(struct ob_head *head, enum ob_part part, const char *bytes, size_t len)
{
	head->parts[part] = append_text(head, bytes, len);
}

void
ob_head_trim_target(struct ob_head *head, size_t len)
{
	head->parts[OB_TARGET].at += (uint32_t)len;
	head->parts[OB_TARGET].len -= (uint32_t)len;
}

unsigned
ob_head_status(const struct ob_head *head)
{
	struct sl_span text = ob_head_part(head, OB_STATUS);
	unsigned status = 0;
	if (text.len != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return 0;
		status = status * 10 + (unsigned)(text.bytes[i] - '0');
	}
	return status >= 100 ? status : 0;
}

bool
ob_head_is_http10(const struct ob_head *head)
{
	return sl_span_equals(ob_head_part(head, head->kind == OB_REQUEST ? OB_REQUEST_VERSION
		: OB_VERSION), "HTTP/1.0");
}

static bool
is_named(const struct ob_head *head, unsigned line, const char *name)
{
	struct sl_span text = span_of(head, head->lines[line].name);
	return text.len == strlen(name) && strncasecmp(text.bytes, name, text.len) == 0;
}

struct sl_span
ob_head_get(const struct ob_head *head, const char *name)
{
	for (unsigned i = 0; i < head->count; i++)
		if (is_named(head, i, name))
			return span_of(head, head->lines[i].value);
	return (struct sl_span){ NULL, 0 };
}

static bool
list_has(struct sl_span list, const char *token)
{
	size_t token_len = strlen(token);
	const char *end = list.bytes + list.len;
	for (const char *at = list.bytes; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		while (at < stop && (*at == ' ' || *at == '\t'))
			at++;
		const char *last = stop;
		while (last > at && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if ((size_t)(last - at) == token_len && strncasecmp(at, token, token_len) == 0)
			return true;
		at = stop + 1;
	}
	return false;
}

bool
ob_head_has_token(const struct ob_head *head, const char *name, const char *token)
{
	for (unsigned i = 0; i < head->count; i++)
		if (is_named(head, i, name) && list_has(span_of(head, head->lines[i].value), token))
			return true;
	return false;
}

bool
ob_head_has_type(const struct ob_head *head, const char *type)
{
	struct sl_span value = ob_head_get(head, "Content-Type");
	size_t len = strcspn(type, "*");
	return value.bytes && value.len >= len && strncasecmp(value.bytes, type, len) == 0
		&& (type[len] == '*' || value.len == len || strchr("; \t", value.bytes[len]));
}

bool
ob_head_remove(struct ob_head *head, const char *name)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < head->count; i++)
		if (!is_named(head, i, name))
			head->lines[kept++] = head->lines[i];
	bool removed = kept < head->count;
	head->count = kept;
	return removed;
}

void
ob_head_set(struct ob_head *head, const char *name, const char *value)
{
	ob_head_remove(head, name);
	if (head->count == OB_HEAD_LINES)
		return;
	head->lines[head->count].name = append_text(head, name, strlen(name));
	head->lines[head->count++].value = append_text(head, value, strlen(value));
}

void
ob_head_lower_names(struct ob_head *head)
{
	for (unsigned i = 0; i < head->count; i++) {
		char *name = head->text.bytes + head->lines[i].name.at;
		for (size_t at = 0; at < head->lines[i].name.len; at++)
			if (name[at] >= 'A' && name[at] <= 'Z')
				name[at] = (char)(name[at] + ('a' - 'A'));
	}
}

void
ob_head_write(const struct ob_head *head, struct sl_buffer *out)
{
	for (unsigned i = 0; i < 3; i++) {
		struct sl_span part = span_of(head, head->parts[i]);
		sl_buffer_append(out, part.bytes, part.len);
		sl_buffer_append_str(out, i < 2 ? " " : "\r\n");
	}
	for (unsigned i = 0; i < head->count; i++) {
		struct sl_span name = span_of(head, head->lines[i].name);
		struct sl_span value = span_of(head, head->lines[i].value);
		sl_buffer_append(out, name.bytes, name.len);
		sl_buffer_append_str(out, ": ");
		sl_buffer_append(out, value.bytes, value.len);
		sl_buffer_append_str(out, "\r\n");
	}
	sl_buffer_append_str(out, "\r\n");
}
