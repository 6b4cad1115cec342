/* Head: a request's line and fields, read strictly (RFC 9112, sections 2 to 5).
 * Owner: the result borrows the bytes, which are not changed. Thread: any. Errors: a refusal as data: status,
 * code and a sentence, all static. */
#ifndef SL_HTTP_HEAD_H
#define SL_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

enum sl_http_version { SL_HTTP_1_0, SL_HTTP_1_1 };

/* Fields that are noted while the head is read. */
enum sl_field {
	SL_FIELD_HOST,
	SL_FIELD_ORIGIN,
	SL_FIELD_AUTHORIZATION,
	SL_FIELD_COOKIE,
	SL_FIELD_FETCH_SITE, /* Sec-Fetch-Site */
	SL_FIELD_CONTENT_TYPE,
	SL_FIELD_CONTENT_ENCODING,
	SL_FIELD_CONTENT_RANGE,
	SL_FIELD_IDEMPOTENCY_KEY,
	SL_FIELD_LAST_EVENT_ID,
	SL_FIELD_IF_NONE_MATCH,
	SL_FIELD_ACCEPT,
	SL_FIELD_PRIVATE_NETWORK, /* Access-Control-Request-Private-Network */
	SL_FIELD_WS_KEY,
	SL_FIELD_WS_VERSION,
	SL_FIELD_WS_PROTOCOL,
	SL_FIELD_WS_EXTENSIONS,
	SL_FIELD_COUNT
};

struct sl_head {
	struct sl_span bytes;          /* the whole head, with the empty line at its end and those before it */
	struct sl_span lines;          /* its field lines: for sl_head_next() */
	struct sl_span method;
	struct sl_span target;         /* in origin form, "/path?query", or "*"; maybe not in `bytes` */
	struct sl_span authority;      /* the one that counts: of an absolute target, else of Host; may be absent */
	enum sl_http_version version;
	bool wants_close, wants_upgrade; /* Connection, over all its lines */
	bool upgrades_websocket;       /* Upgrade names websocket, over all its lines */
	bool expects_continue;
	bool is_chunked;               /* Transfer-Encoding: chunked */
	bool has_length;
	uint64_t content_length;
	struct sl_span first[SL_FIELD_COUNT]; /* the field's first value, trimmed; absent: bytes NULL */
	uint8_t count[SL_FIELD_COUNT];        /* of its lines, at most 255 */
};

/* The refusal of a request that is refused before the gate. */
struct sl_head_refusal {
	unsigned status; /* 400, 431, 505 */
	const char *code, *message;
	const char *where;    /* what has the wrong value, to stand before it and the message; else NULL */
	struct sl_span value; /* the wrong one, which borrows from the head; no secret */
};

/* Finds a head's end. `*scanned` is 0 before the first call. Keep it between calls while more bytes come behind
 * the same ones: no byte is examined twice. Returns the head's length; 0 if more bytes are needed; -1 if the
 * bytes can never become a head (a line that ends in LF alone, or a first byte that begins no method). Skips at
 * most 8 empty lines before the request. */
ptrdiff_t sl_head_scan(const char *bytes, size_t len, size_t *scanned);

/* Reads a complete head. False with `*refusal` if it is malformed. */
bool sl_head_parse(struct sl_head *out, const char *bytes, size_t len,
	struct sl_head_refusal *refusal);

/* The refusals for -1 of a scan, and for a head that is too long. */
extern const struct sl_head_refusal sl_head_bad_line, sl_head_too_large;

/* Reads the next field line, beginning with `*rest` = head->lines; false at the end. The value is trimmed. */
bool sl_head_next(struct sl_span *rest, struct sl_span *name, struct sl_span *value);

/* The same for lines of one field only. */
static inline bool
sl_head_next_of(struct sl_span *rest, const char *field, struct sl_span *value)
{
	struct sl_span name;
	while (sl_head_next(rest, &name, value))
		if (sl_span_is_word(name, field))
			return true;
	return false;
}

/* True for a character of a token (RFC 9110, section 5.6.2). */
bool sl_head_is_token_char(unsigned char c);

static inline bool
sl_head_is_method(const struct sl_head *head, const char *method)
{
	return sl_span_equals(head->method, method);
}

/* True when the connection may be kept after the answer (RFC 9112, section 9.3): HTTP/1.1 without
 * `close`. */
static inline bool
sl_head_keeps_alive(const struct sl_head *head)
{
	return head->version == SL_HTTP_1_1 && !head->wants_close;
}

#endif
