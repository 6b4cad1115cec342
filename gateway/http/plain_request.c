#include "http/plain_request.h"

#include <stdint.h>

#define LINES_MAX 64
#define VERSION_LEN 10 /* "HTTP/1.1" CR LF */
#define REPEAT(byte) (0x0101010101010101u * (byte))

/* A head being read. Steps return false when the request is not ours. */
struct head {
	char *at, *end;
	struct sl_plain_request request;
	bool is_post, wants_close, wants_keep_alive;
};

static bool
skip(struct head *head, const char *text, size_t len)
{
	if ((size_t)(head->end - head->at) < len || memcmp(head->at, text, len) != 0)
		return false;
	head->at += len;
	return true;
}

static void
take_query(struct head *head)
{
	if (head->at == head->end || *head->at != '?')
		return;
	char *at = ++head->at;
	while (at < head->end && *at > ' ' && *at < 0x7f && *at != '#')
		at++;
	head->request.query = head->at;
	head->request.query_len = (size_t)(at - head->at);
	head->at = at;
}

static bool
take_version(struct head *head)
{
	if (head->end - head->at < VERSION_LEN)
		return false;
	head->request.is_http_1_1 = memcmp(head->at, "HTTP/1.1\r\n", VERSION_LEN) == 0;
	if (!head->request.is_http_1_1 && memcmp(head->at, "HTTP/1.0\r\n", VERSION_LEN) != 0)
		return false;
	head->at += VERSION_LEN;
	return true;
}

/* tchar of RFC 9110, section 5.6.2. */
static bool
is_token_char(unsigned char c)
{
	static const uint32_t set[8] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff };
	return set[c >> 5] >> (c & 31) & 1;
}

/* `lower` is in lower case, `len` its length; `name` holds token characters only. */
static bool
is_word(const char *name, size_t len, const char *lower)
{
	for (size_t i = 0; i < len; i++)
		if ((name[i] | 0x20) != lower[i])
			return false;
	return true;
}

/* To the first control character that is not a tab: the end of a field line's value. */
static char *
skip_value(char *at, const char *end)
{
	for (;;) {
		for (; end - at >= 8; at += 8) {
			uint64_t word, del;
			memcpy(&word, at, sizeof word);
			del = word ^ REPEAT(0x7f);
			uint64_t control = (word - REPEAT(0x20)) & ~word & REPEAT(0x80);
			if (control | ((del - REPEAT(0x01)) & ~del & REPEAT(0x80)))
				break;
		}
		while (at < end && (unsigned char)*at >= 0x20 && *at != 0x7f)
			at++;
		if (at == end || *at != '\t')
			return at;
		at++;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct sl_span
trim(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	return (struct sl_span){ at, (size_t)(end - at) };
}

static bool
take_once(struct sl_span *field, struct sl_span value)
{
	if (field->bytes)
		return false;
	*field = value;
	return true;
}

static bool
take_connection(struct head *head, struct sl_span value)
{
	const char *at = value.bytes, *end = at + value.len;
	for (;;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct sl_span word = trim(at, comma ? comma : end);
		if (word.len == 5 && is_word(word.bytes, 5, "close"))
			head->wants_close = true;
		else if (word.len == 10 && is_word(word.bytes, 10, "keep-alive"))
			head->wants_keep_alive = true;
		else
			return false;
		if (!comma)
			return true;
		at = comma + 1;
	}
}

static bool
take_field(struct head *head, const char *name, size_t len, struct sl_span value)
{
	struct sl_plain_request *request = &head->request;
	switch (len) {
	case 4:
		return !is_word(name, len, "host") || take_once(&request->host, value);
	case 6:
		if (is_word(name, len, "origin"))
			return take_once(&request->origin, value);
		return !is_word(name, len, "expect");
	case 7:
		return !is_word(name, len, "upgrade") && !is_word(name, len, "trailer");
	case 10:
		return !is_word(name, len, "connection") || take_connection(head, value);
	case 12:
		return !is_word(name, len, "content-type") || take_once(&request->content_type, value);
	case 13:
		if (is_word(name, len, "authorization"))
			return take_once(&request->authorization, value);
		return !is_word(name, len, "content-range");
	case 14:
		if (is_word(name, len, "content-length"))
			return take_once(&request->content_length, value);
		return !is_word(name, len, "http2-settings");
	case 15:
		return !is_word(name, len, "idempotency-key")
			|| take_once(&request->idempotency_key, value);
	case 16:
		return !is_word(name, len, "content-encoding");
	case 17:
		return !is_word(name, len, "transfer-encoding");
	default:
		return true;
	}
}

/* One field line (RFC 9112, section 5). */
static bool
take_line(struct head *head)
{
	char *name = head->at, *colon = name;
	while (colon < head->end && is_token_char((unsigned char)*colon))
		colon++;
	if (colon == head->end || *colon != ':' || colon == name)
		return false;
	char *value = colon + 1, *value_end = skip_value(value, head->end);
	head->at = value_end;
	return skip(head, "\r\n", 2)
		&& take_field(head, name, (size_t)(colon - name), trim(value, value_end));
}

static bool
take_lines(struct head *head)
{
	for (int lines = 0; lines <= LINES_MAX; lines++) {
		if (skip(head, "\r\n", 2))
			return true;
		if (!take_line(head))
			return false;
	}
	return false;
}

/* Decimal digits, at most nine. */
static bool
read_length(struct sl_span text, size_t *out)
{
	if (text.len == 0 || text.len > 9)
		return false;
	*out = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
		*out = *out * 10 + (size_t)(text.bytes[i] - '0');
	}
	return true;
}

static enum sl_plain_verdict
take_request_line(struct head *head, const struct sl_plain_paths *paths)
{
	enum sl_plain_verdict verdict = SL_PLAIN_NOT_OURS;
	bool is_post = skip(head, "POST ", 5);
	if (!is_post && !skip(head, "GET ", 4))
		return SL_PLAIN_NOT_OURS;
	if (skip(head, paths->poll.bytes, paths->poll.len))
		verdict = SL_PLAIN_POLL;
	else if (is_post && skip(head, paths->publish.bytes, paths->publish.len))
		verdict = SL_PLAIN_PUBLISH;
	else
		return SL_PLAIN_NOT_OURS;
	head->is_post = is_post;
	take_query(head);
	return skip(head, " ", 1) && take_version(head) ? verdict : SL_PLAIN_NOT_OURS;
}

/* The head; `*body_len` is what Content-Length says. */
static enum sl_plain_verdict
take_head(struct head *head, const struct sl_plain_paths *paths, size_t *body_len)
{
	struct sl_plain_request *request = &head->request;
	enum sl_plain_verdict verdict = take_request_line(head, paths);
	if (verdict == SL_PLAIN_NOT_OURS || !take_lines(head))
		return SL_PLAIN_NOT_OURS;
	if (request->is_http_1_1 && !request->host.bytes)
		return SL_PLAIN_NOT_OURS;
	*body_len = 0;
	bool has_length = request->content_length.bytes != NULL;
	if (verdict == SL_PLAIN_POLL && !has_length)
		return verdict; /* and no body (RFC 9112, section 6.3) */
	if (!read_length(request->content_length, body_len))
		return SL_PLAIN_NOT_OURS;
	bool is_refused = verdict == SL_PLAIN_POLL && (!head->is_post || *body_len > 0);
	return is_refused ? SL_PLAIN_NOT_OURS : verdict;
}

enum sl_plain_verdict
sl_plain_request_parse(struct sl_plain_request *out, char *bytes, size_t len,
	const struct sl_plain_paths *paths)
{
	struct head head = { .at = bytes, .end = bytes + len };
	struct sl_plain_request *request = &head.request;
	size_t body_len;
	enum sl_plain_verdict verdict = take_head(&head, paths, &body_len);
	if (verdict == SL_PLAIN_NOT_OURS || body_len > (size_t)(head.end - head.at))
		return SL_PLAIN_NOT_OURS;
	request->body = (struct sl_span){ head.at, body_len };
	request->len = (size_t)(head.at - bytes) + body_len;
	request->keep_alive = !head.wants_close && (request->is_http_1_1 || head.wants_keep_alive);
	*out = *request;
	return verdict;
}

bool
sl_plain_request_lacks_body(char *bytes, size_t len, const struct sl_plain_paths *paths)
{
	struct head head = { .at = bytes, .end = bytes + len };
	size_t body_len;
	return take_head(&head, paths, &body_len) == SL_PLAIN_PUBLISH &&
		body_len > (size_t)(head.end - head.at);
}
