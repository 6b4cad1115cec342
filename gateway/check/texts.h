/* Texts: which texts a report may have.
 * Owner: borrows. Thread: any. Errors: none but the buffer's.
 *
 * All are pure; the text is UTF-8 already. What a browser may send is what an operator's terminal or
 * browser later shows, so nothing that controls either passes. */
#ifndef SL_CHECK_TEXTS_H
#define SL_CHECK_TEXTS_H

#include <stdbool.h>

#include "util/buffer.h"
#include "util/span.h"

/* At most `characters_max` characters, none of them a control character (C0, DEL, C1) or one that sets
 * the direction of text (U+202A to U+202E, U+2066 to U+2069; Unicode Standard Annex 9, section 2). */
bool sl_texts_is_plain(struct sl_span text, unsigned characters_max);

/* "2026-11-27T03:40:00Z"; any month may have 31 days. */
bool sl_texts_is_time(struct sl_span text);

/* The code of a verdict, with the right check character. */
bool sl_texts_is_code(struct sl_span text);

/* Only of the characters of an ALPN name such as http/1.1; may be empty. */
bool sl_texts_is_http_version(struct sl_span text);

/* A field that /probe/head shows, by its name alone; or "Via: " and a value. */
bool sl_texts_is_proxy(struct sl_span text);

/* Such a text, in which "-" stands for each IP address in the value of a Via. Never longer. */
void sl_texts_append_proxy(struct sl_buffer *out, struct sl_span text);

#endif
