#include "bench/load/http.h"

#include <string.h>
#include <strings.h>

#include "util/err.h"

#define HEAD_MAX 16384
#define CHUNK_MAX ((size_t)1 << 40)

void
bench_http_finish(struct bench_http *http)
{
	sl_buffer_finish(&http->head);
}

void
bench_http_restart(struct bench_http *http)
{
	struct sl_buffer head = http->head;
	sl_buffer_clear(&head);
	*http = (struct bench_http){ .head = head };
}

struct bench_answer
bench_http_answer(const struct bench_http *http)
{
	return (struct bench_answer){
		.status = http->status, .head = http->head.bytes, .head_len = http->head.len,
		.body = http->body, .body_len = http->body_kept,
	};
}

static bool
field_is(const struct bench_answer *answer, const char *name, const char *value)
{
	const char *found;
	size_t len;
	return bench_answer_field(answer, name, &found, &len) && len == strlen(value)
		&& strncasecmp(found, value, len) == 0;
}

bool
bench_http_closes(const struct bench_http *http)
{
	struct bench_answer answer = bench_http_answer(http);
	return field_is(&answer, "Connection", "close");
}

static int
parse_length(const struct bench_answer *answer, size_t *out)
{
	const char *text;
	size_t len;
	if (!bench_answer_field(answer, "Content-Length", &text, &len))
		return 0;
	if (len == 0 || len > 12)
		return SL_EPROTO;
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return SL_EPROTO;
		*out = *out * 10 + (size_t)(text[i] - '0');
	}
	return 1;
}

/* Decides from the whole head how the body is framed (RFC 9112, section 6.3). */
static int
begin_body(struct bench_http *http)
{
	const char *line = http->head.bytes;
	if (http->head.len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return SL_EPROTO;
	for (int i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return SL_EPROTO;
		http->status = http->status * 10 + (unsigned)(line[i] - '0');
	}
	struct bench_answer answer = bench_http_answer(http);
	int has_length = parse_length(&answer, &http->left);
	if (has_length < 0)
		return has_length;
	if (http->status == 101) {
		http->state = BENCH_HTTP_REST;
	} else if (http->status < 200) { /* an interim answer: the real one follows */
		sl_buffer_clear(&http->head);
		http->status = 0;
	} else if (http->status == 204 || http->status == 304) {
		http->state = BENCH_HTTP_DONE;
	} else if (field_is(&answer, "Transfer-Encoding", "chunked")) {
		http->state = BENCH_HTTP_CHUNK_SIZE;
		http->left = 0;
	} else if (has_length) {
		http->state = http->left ? BENCH_HTTP_LENGTH : BENCH_HTTP_DONE;
	} else {
		http->state = BENCH_HTTP_REST;
	}
	return 0;
}

static int
take_head(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	size_t before = http->head.len, from = before > 3 ? before - 3 : 0;
	sl_buffer_append(&http->head, bytes, len);
	if (sl_buffer_status(&http->head) != 0)
		return SL_ENOMEM;
	const char *end = memmem(http->head.bytes + from, http->head.len - from, "\r\n\r\n", 4);
	if (!end) {
		*taken = len;
		return http->head.len > HEAD_MAX ? SL_ETOOBIG : BENCH_PIECE_HEAD;
	}
	http->head.len = (size_t)(end + 4 - http->head.bytes);
	*taken = http->head.len - before;
	int err = begin_body(http);
	return err ? err : BENCH_PIECE_HEAD;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `line_len` counts digits, and tells with its top bit that extensions began. */
static int
take_chunk_size(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	const size_t extended = (size_t)1 << 20;
	for (*taken = 0; *taken < len;) {
		char c = bytes[(*taken)++];
		int digit = hex_value(c);
		if (c == '\n') {
			if (http->line_len % extended == 0)
				return SL_EPROTO;
			http->state = http->left ? BENCH_HTTP_CHUNK : BENCH_HTTP_TRAILER;
			http->line_len = 0;
			break;
		}
		if (digit < 0 || http->line_len >= extended) {
			http->line_len |= extended;
			continue;
		}
		http->left = http->left * 16 + (size_t)digit;
		http->line_len++;
		if (http->left > CHUNK_MAX)
			return SL_EPROTO;
	}
	return BENCH_PIECE_FRAMING;
}

/* Lines up to an empty one. */
static int
take_trailer(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	for (*taken = 0; *taken < len;) {
		char c = bytes[(*taken)++];
		if (c == '\n' && http->line_len == 0) {
			http->state = BENCH_HTTP_DONE;
			break;
		}
		if (c == '\n')
			http->line_len = 0;
		else if (c != '\r')
			http->line_len++;
	}
	return BENCH_PIECE_FRAMING;
}

static int
take_chunk_end(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	for (*taken = 0; *taken < len;) {
		char c = bytes[(*taken)++];
		if (c == '\n') {
			http->state = BENCH_HTTP_CHUNK_SIZE;
			break;
		}
		if (c != '\r')
			return SL_EPROTO;
	}
	return BENCH_PIECE_FRAMING;
}

static int
take_body(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	size_t room = sizeof http->body - http->body_kept;
	bool is_open = http->state == BENCH_HTTP_REST;
	*taken = is_open || http->left > len ? len : http->left;
	size_t kept = *taken < room ? *taken : room;
	memcpy(http->body + http->body_kept, bytes, kept);
	http->body_kept += kept;
	if (!is_open) {
		http->left -= *taken;
		if (http->left == 0)
			http->state = http->state == BENCH_HTTP_CHUNK ? BENCH_HTTP_CHUNK_END : BENCH_HTTP_DONE;
	}
	return BENCH_PIECE_BODY;
}

int
bench_http_next(struct bench_http *http, const char *bytes, size_t len, size_t *taken)
{
	switch (http->state) {
	case BENCH_HTTP_HEAD: return take_head(http, bytes, len, taken);
	case BENCH_HTTP_CHUNK_SIZE: return take_chunk_size(http, bytes, len, taken);
	case BENCH_HTTP_CHUNK_END: return take_chunk_end(http, bytes, len, taken);
	case BENCH_HTTP_TRAILER: return take_trailer(http, bytes, len, taken);
	case BENCH_HTTP_DONE: *taken = len; return SL_EPROTO;
	default: return take_body(http, bytes, len, taken);
	}
}
