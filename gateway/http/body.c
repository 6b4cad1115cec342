#include "http/body.h"

#include "http/head.h"

#define SIZE_LINE_MAX 256
#define TRAILERS_MAX 8192

enum phase {
	COUNTED, /* `left` bytes are the rest of the body */
	SIZE_FIRST, SIZE, SIZE_BLANK, EXTENSION, SIZE_FEED,
	DATA, DATA_RETURN, DATA_FEED,
	TRAILER_FIRST, TRAILER_NAME, TRAILER_VALUE, TRAILER_FEED, LAST_FEED,
	DONE, BAD,
};

void
sl_body_begin(struct sl_body *body, const struct sl_head *head, uint64_t max)
{
	*body = (struct sl_body){ .max = max, .is_chunked = head->is_chunked };
	body->left = head->is_chunked ? 0 : head->content_length;
	body->phase = head->is_chunked ? SIZE_FIRST : body->left ? COUNTED : DONE;
}

void
sl_body_finish(struct sl_body *body)
{
	sl_buffer_finish(&body->bytes);
}

bool
sl_body_is_too_long(const struct sl_body *body)
{
	return body->received > body->max;
}

bool
sl_body_is_announced(const struct sl_head *head)
{
	return head->is_chunked || head->content_length > 0;
}

static void
keep(struct sl_body *body, const char *bytes, size_t len)
{
	body->received += len;
	body->left -= len;
	if (!sl_body_is_too_long(body))
		sl_buffer_append(&body->bytes, bytes, len);
	else if (body->bytes.bytes)
		sl_buffer_finish(&body->bytes);
	if (body->left == 0)
		body->phase = body->phase == DATA ? DATA_RETURN : DONE;
}

/* ---- what is around chunks ---- */

static bool
is_text(unsigned char c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The size and its extensions (RFC 9112, section 7.1). */
static enum phase
step_size(struct sl_body *body, unsigned char c)
{
	int digit = hex_value(c);
	if (++body->line_len > SIZE_LINE_MAX)
		return BAD;
	if (body->phase <= SIZE && digit >= 0) {
		if (body->left >> 60 != 0)
			return BAD;
		body->left = body->left << 4 | (unsigned)digit;
		return SIZE;
	}
	if (body->phase == SIZE_FEED) {
		body->line_len = 0;
		return c != '\n' ? BAD : body->left ? DATA : TRAILER_FIRST;
	}
	if (body->phase == EXTENSION)
		return c == '\r' ? SIZE_FEED : is_text(c) ? EXTENSION : BAD;
	if (body->phase == SIZE_FIRST)
		return BAD;
	if (c == '\r' && body->phase == SIZE)
		return SIZE_FEED;
	return c == ';' ? EXTENSION : sl_is_blank((char)c) ? SIZE_BLANK : BAD;
}

/* Lines like those of a head (RFC 9112, section 7.1.2). */
static enum phase
step_trailer(struct sl_body *body, unsigned char c)
{
	if (++body->trailer_len > TRAILERS_MAX)
		return BAD;
	switch (body->phase) {
	case TRAILER_FIRST:
		return c == '\r' ? LAST_FEED : sl_head_is_token_char(c) ? TRAILER_NAME : BAD;
	case TRAILER_NAME:
		return c == ':' ? TRAILER_VALUE : sl_head_is_token_char(c) ? TRAILER_NAME : BAD;
	case TRAILER_VALUE:
		return c == '\r' ? TRAILER_FEED : is_text(c) ? TRAILER_VALUE : BAD;
	case TRAILER_FEED:
		return c == '\n' ? TRAILER_FIRST : BAD;
	default:
		return c == '\n' ? DONE : BAD;
	}
}

static enum phase
step(struct sl_body *body, unsigned char c)
{
	if (body->phase == DATA_RETURN)
		return c == '\r' ? DATA_FEED : BAD;
	if (body->phase == DATA_FEED)
		return c == '\n' ? SIZE_FIRST : BAD;
	return body->phase < DATA ? step_size(body, c) : step_trailer(body, c);
}

enum sl_body_state
sl_body_feed(struct sl_body *body, const char *bytes, size_t len, size_t *used)
{
	size_t at = 0;
	while (at < len && body->phase < DONE) {
		if (body->phase == COUNTED || body->phase == DATA) {
			size_t piece = body->left < len - at ? (size_t)body->left : len - at;
			keep(body, bytes + at, piece);
			at += piece;
		} else {
			body->phase = (uint8_t)step(body, (unsigned char)bytes[at++]);
		}
	}
	*used = at;
	body->wire += at;
	return body->phase == DONE ? SL_BODY_DONE : body->phase == BAD ? SL_BODY_BAD : SL_BODY_MORE;
}
