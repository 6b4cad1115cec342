/* Is this JSON? A validator for RFC 8259 that builds nothing.
 * Owner: the text is borrowed. Thread: any. Errors: SL_ESYNTAX, SL_ETOODEEP.
 *
 * It judges grammar only: a number may be as large as it likes, an escaped surrogate may
 * be alone, names may repeat. It does not check UTF-8 (util/utf8.h does). Nesting deeper
 * than a limit is refused, as RFC 8259, section 9 allows, but only at the end, so that what is
 * around it can be known: below the limit only strings and the number of brackets are checked. */
#ifndef SL_UTIL_JSON_CHECK_H
#define SL_UTIL_JSON_CHECK_H

#include <stddef.h>

#define SL_JSON_DEPTH_MAX 1024 /* of a payload; the object that brings it is one level more */

/* 0 when the text is exactly one JSON text, white space around it allowed. Arrays and objects may
 * nest `depth_max` levels deep, 0 to SL_JSON_DEPTH_MAX + 1. Errors: SL_ESYNTAX; SL_ETOODEEP, such a
 * text but for what is nested too deeply. */
int sl_json_check(const char *text, size_t len, unsigned depth_max);

/* How many bytes from the start may stand in a JSON string as they are: no quote, no
 * backslash, no control character. */
size_t sl_json_plain_len(const void *bytes, size_t len);

/* What follows returns where a thing ends that begins at `at`, NULL if it breaks the grammar. */

const char *sl_json_pass_space(const char *at, const char *end);

/* `at` is behind the opening quote. */
const char *sl_json_pass_string(const char *at, const char *end);

/* At least one byte is there. Of an array or object only strings and the number of brackets are
 * checked. */
const char *sl_json_pass_value(const char *at, const char *end);

#endif
