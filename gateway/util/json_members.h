/* Walks over the members of a JSON object, or the elements of an array, where they lie:
 * nothing is copied or built.
 * Owner: the walk and what it yields borrow the text. Thread: one at a time.
 * Errors: SL_EINVAL from opening, SL_EUTF8 and SL_ENOMEM from decoding.
 *
 * The text must be one that sl_json_check accepted or found too deep below the first level,
 * or a value out of it; grammar is not checked again. Words: RFC 8259, section 4. */
#ifndef SL_UTIL_JSON_MEMBERS_H
#define SL_UTIL_JSON_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"
#include "util/span.h"

enum sl_json_kind {
	SL_JSON_STRING, SL_JSON_NUMBER, SL_JSON_OBJECT, SL_JSON_ARRAY,
	SL_JSON_TRUE, SL_JSON_FALSE, SL_JSON_NULL,
};

struct sl_json_member {
	struct sl_span name;  /* as written, escapes and all, without quotes; absent in an array */
	struct sl_span value; /* as written; a string with its quotes */
	enum sl_json_kind kind;
};

struct sl_json_members {
	const char *at, *end;
	bool named;
};

/* Begins a walk over an object's members. Errors: SL_EINVAL, the text is not an object. */
int sl_json_members_open(struct sl_json_members *members, const char *text, size_t len);

/* The same over an array's elements. Errors: SL_EINVAL, the text is not an array. */
int sl_json_elements_open(struct sl_json_members *members, const char *text, size_t len);

/* The next member or element in `*out`; false when there is none. A name that is there
 * twice comes twice. */
bool sl_json_members_next(struct sl_json_members *members, struct sl_json_member *out);

/* A string value without its quotes. */
struct sl_span sl_json_unquote(struct sl_span value);

/* Appends what a string (`raw`, without quotes) stands for, as UTF-8; \u0000 becomes a zero
 * byte. Errors: SL_EUTF8 for a lone surrogate (something may have been appended already),
 * SL_ENOMEM. */
int sl_json_string_decode(struct sl_buffer *out, const char *raw, size_t len);

/* True when a string (`raw`, without quotes) stands for `text`. */
bool sl_json_string_equals(const char *raw, size_t len, const char *text);

#endif
