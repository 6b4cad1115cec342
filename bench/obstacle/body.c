#include "bench/obstacle/body.h"

#include <string.h>
#include <strings.h>

#include "util/err.h"

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_CONTENT, CHUNK_CR, CHUNK_LF, TRAILER };

#define SIZE_DIGITS_MAX 15

static void
begin(struct ob_body *body, enum ob_framing framing, uint64_t left)
{
	*body = (struct ob_body){ .framing = framing, .left = left };
	body->is_done = framing == OB_NO_BODY || (framing == OB_LENGTH && left == 0);
}

static int
parse_length(struct sl_span text, uint64_t *length)
{
	*length = 0;
	if (text.len == 0 || text.len > 18)
		return SL_ESYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return SL_ESYNTAX;
		*length = *length * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	return 0;
}

static int
of_head(struct ob_body *body, const struct ob_head *head, enum ob_framing otherwise)
{
	struct sl_span coding = ob_head_get(head, "Transfer-Encoding");
	struct sl_span length = ob_head_get(head, "Content-Length");
	uint64_t bytes;
	if (coding.bytes && length.bytes)
		return SL_ESYNTAX;
	if (coding.bytes) {
		if (coding.len != 7 || strncasecmp(coding.bytes, "chunked", 7) != 0)
			return SL_ESYNTAX;
		begin(body, OB_CHUNKED, 0);
	} else if (length.bytes) {
		if (parse_length(length, &bytes) != 0)
			return SL_ESYNTAX;
		begin(body, OB_LENGTH, bytes);
	} else {
		begin(body, otherwise, 0);
	}
	return 0;
}

int
ob_body_of_request(struct ob_body *body, const struct ob_head *head)
{
	return of_head(body, head, OB_NO_BODY);
}

int
ob_body_of_response(struct ob_body *body, const struct ob_head *head, struct sl_span method)
{
	unsigned status = ob_head_status(head);
	if (status < 200 || status == 204 || status == 304 || sl_span_equals(method, "HEAD")) {
		begin(body, OB_NO_BODY, 0);
		return 0;
	}
	return of_head(body, head, OB_UNTIL_CLOSE);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
feed_size(struct ob_body *body, char c)
{
	int digit = hex_digit(c);
	if (digit >= 0) {
		if (body->digits++ == SIZE_DIGITS_MAX)
			return SL_ESYNTAX;
		body->left = body->left * 16 + (uint64_t)digit;
		return 0;
	}
	if (body->digits == 0)
		return SL_ESYNTAX;
	if (c == ';' || c == ' ' || c == '\t')
		body->state = CHUNK_EXTENSION;
	else if (c == '\r')
		body->state = CHUNK_SIZE_LF;
	else
		return SL_ESYNTAX;
	return 0;
}

/* A byte that is no content. */
static int
feed_chunk_byte(struct ob_body *body, char c)
{
	switch (body->state) {
	case CHUNK_SIZE:
		return feed_size(body, c);
	case CHUNK_EXTENSION:
		if (c == '\r')
			body->state = CHUNK_SIZE_LF;
		return c == '\n' ? SL_ESYNTAX : 0;
	case CHUNK_SIZE_LF:
		body->state = body->left ? CHUNK_CONTENT : TRAILER;
		body->line_has_text = false;
		return c == '\n' ? 0 : SL_ESYNTAX;
	case CHUNK_CR:
		body->state = CHUNK_LF;
		return c == '\r' ? 0 : SL_ESYNTAX;
	case CHUNK_LF:
		body->state = CHUNK_SIZE;
		body->digits = 0;
		return c == '\n' ? 0 : SL_ESYNTAX;
	default:
		if (c == '\n') {
			body->is_done = !body->line_has_text;
			body->line_has_text = false;
		} else if (c != '\r') {
			body->line_has_text = true;
		}
		return 0;
	}
}

static size_t
take_content(struct ob_body *body, const char *bytes, size_t len, struct sl_buffer *content)
{
	size_t taken = body->framing == OB_UNTIL_CLOSE || len < body->left ? len : (size_t)body->left;
	sl_buffer_append(content, bytes, taken);
	if (body->framing != OB_UNTIL_CLOSE)
		body->left -= taken;
	return taken;
}

int
ob_body_feed(struct ob_body *body, const char *bytes, size_t len, size_t *used,
	struct sl_buffer *content)
{
	*used = 0;
	while (*used < len && !body->is_done) {
		if (body->framing == OB_CHUNKED && body->state != CHUNK_CONTENT) {
			if (feed_chunk_byte(body, bytes[(*used)++]) != 0)
				return SL_ESYNTAX;
			continue;
		}
		*used += take_content(body, bytes + *used, len - *used, content);
		if (body->framing == OB_LENGTH)
			body->is_done = body->left == 0;
		else if (body->framing == OB_CHUNKED && body->left == 0)
			body->state = CHUNK_CR;
	}
	return sl_buffer_status(content);
}

void
ob_body_write(enum ob_framing framing, struct sl_buffer *out, const char *bytes, size_t len,
	bool end)
{
	if (framing == OB_NO_BODY)
		return;
	if (len && framing == OB_CHUNKED)
		sl_buffer_printf(out, "%zx\r\n", len);
	sl_buffer_append(out, bytes, len);
	if (len && framing == OB_CHUNKED)
		sl_buffer_append_str(out, "\r\n");
	if (end && framing == OB_CHUNKED)
		sl_buffer_append_str(out, "0\r\n\r\n");
}
