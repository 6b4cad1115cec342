/* Is this JSON? A validator for RFC 8259, fed as the bytes come in, that builds nothing.
 * Owner: the struct is the caller's and holds no memory. Thread: one at a time.
 * Errors: SL_ESYNTAX, SL_ETOODEEP.
 *
 * It judges grammar only: a number may be as large as it likes, an escaped surrogate may
 * be alone, names may repeat. It does not check UTF-8 (util/utf8.h does). Nesting deeper
 * than a limit is refused, as RFC 8259, section 9 allows, but only at the end, so that what is
 * around it can be known: below the limit only strings and the number of brackets are checked. */
#ifndef SL_UTIL_JSON_CHECK_H
#define SL_UTIL_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_JSON_DEPTH_MAX 1024 /* of a payload; the object that brings it is one level more */

struct sl_json_check {
	uint8_t state;
	bool in_name;        /* the open string is an object's member name */
	bool is_too_deep;
	uint16_t depth_max;
	uint32_t depth;
	const char *literal; /* what is missing of true, false or null */
	uint64_t objects[SL_JSON_DEPTH_MAX / 64 + 1]; /* a bit a level: object, not array */
};

/* Arrays and objects may nest `depth_max` levels deep, 0 to SL_JSON_DEPTH_MAX + 1. */
void sl_json_check_init(struct sl_json_check *check, unsigned depth_max);

/* Takes the next `len` bytes. Fails at the first byte that cannot be part of a JSON text,
 * and at every non-empty call after that. Errors: SL_ESYNTAX. */
int sl_json_check_feed(struct sl_json_check *check, const void *bytes, size_t len);

/* 0 when exactly one complete JSON text was fed, white space around it allowed. Errors:
 * SL_ESYNTAX; SL_ETOODEEP, such a text but for what is nested too deeply. */
int sl_json_check_finish(const struct sl_json_check *check);

/* How many bytes from the start may stand in a JSON string as they are: no quote, no
 * backslash, no control character. */
size_t sl_json_plain_len(const void *bytes, size_t len);

#endif
