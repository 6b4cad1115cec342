/* Is this JSON? A validator for RFC 8259, fed as the bytes come in, that builds nothing.
 * Owner: the struct is the caller's and holds no memory. Thread: one at a time.
 * Errors: SL_ESYNTAX.
 *
 * It judges grammar only: a number may be as large as it likes, an escaped surrogate may
 * be alone, names may repeat. It does not check UTF-8 (util/utf8.h does). Nesting deeper
 * than SL_JSON_DEPTH_MAX is refused, as RFC 8259, section 9 allows. */
#ifndef SL_UTIL_JSON_CHECK_H
#define SL_UTIL_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_JSON_DEPTH_MAX 256

struct sl_json_check {
	uint8_t state;
	bool in_name;        /* the open string is an object's member name */
	uint16_t depth;
	const char *literal; /* what is missing of true, false or null */
	uint64_t objects[SL_JSON_DEPTH_MAX / 64]; /* a bit a level: object, not array */
};

void sl_json_check_init(struct sl_json_check *check);

/* Takes the next `len` bytes. Fails at the first byte that cannot be part of a JSON text,
 * and at every non-empty call after that. Errors: SL_ESYNTAX. */
int sl_json_check_feed(struct sl_json_check *check, const void *bytes, size_t len);

/* 0 when exactly one complete JSON text was fed, white space around it allowed. Errors:
 * SL_ESYNTAX. */
int sl_json_check_finish(const struct sl_json_check *check);

/* How many bytes from the start may stand in a JSON string as they are: no quote, no
 * backslash, no control character. */
size_t sl_json_plain_len(const void *bytes, size_t len);

#endif
