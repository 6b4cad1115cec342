/* One HTTP/1 head, understood byte by byte, changed and written again.
 * Owner: the caller; spans are borrowed until the next change or reset. Thread: one.
 * Errors: SL_EAGAIN (more bytes wanted), SL_ESYNTAX, SL_ETOOBIG, SL_ENOMEM.
 *
 * Source: RFC 9112, sections 2.2, 3, 4 and 5. Order, case and repetition of the lines are
 * kept: an obstacle changes only what it is told to. Folded lines, bare CR and NUL are
 * refused; a bare LF ends a line as CRLF does. */
#ifndef SL_BENCH_OBSTACLE_HEAD_H
#define SL_BENCH_OBSTACLE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/span.h"

#define OB_HEAD_LINES 160

enum ob_head_kind { OB_REQUEST, OB_RESPONSE };

/* Parts of the first line. */
enum ob_part {
	OB_METHOD = 0, OB_TARGET = 1, OB_REQUEST_VERSION = 2,
	OB_VERSION = 0, OB_STATUS = 1, OB_REASON = 2,
};

struct ob_extent {
	uint32_t at, len; /* in `text` */
};

struct ob_head {
	enum ob_head_kind kind;
	size_t max;            /* bytes a head may have */
	struct sl_buffer text; /* as received; what is set later stands behind */
	size_t line_at;        /* where the line being read begins */
	bool is_complete;
	struct ob_extent parts[3];
	struct {
		struct ob_extent name, value;
	} lines[OB_HEAD_LINES];
	unsigned count;
};

void ob_head_init(struct ob_head *head, enum ob_head_kind kind, size_t max);
void ob_head_finish(struct ob_head *head);

/* Makes it ready for the next head. */
void ob_head_reset(struct ob_head *head);

/* Takes bytes up to the end of the head, `*used` of them. 0: the head is complete.
 * Errors: SL_EAGAIN (all taken, not complete), SL_ESYNTAX, SL_ETOOBIG, SL_ENOMEM. */
int ob_head_feed(struct ob_head *head, const char *bytes, size_t len, size_t *used);

struct sl_span ob_head_part(const struct ob_head *head, enum ob_part part);
void ob_head_set_part(struct ob_head *head, enum ob_part part, const char *bytes, size_t len);

/* Drops the first `len` bytes of a request's target. */
void ob_head_trim_target(struct ob_head *head, size_t len);

/* The three digits as a number; 0 for what is none. */
unsigned ob_head_status(const struct ob_head *head);

/* True for HTTP/1.0 and below, in which nothing is chunked. */
bool ob_head_is_http10(const struct ob_head *head);

/* The first line of this name (no case); absent: bytes is NULL. */
struct sl_span ob_head_get(const struct ob_head *head, const char *name);

/* `token` is in a comma-separated line of this name (RFC 9110, section 5.6.1), no case. */
bool ob_head_has_token(const struct ob_head *head, const char *name, const char *token);

/* The content has this type, e.g. "text/event-stream", or "text/" and a star for all of text; no
 * case, and parameters do not count. */
bool ob_head_has_type(const struct ob_head *head, const char *type);

/* Takes all lines of this name out; true when there was one. */
bool ob_head_remove(struct ob_head *head, const char *name);

/* Replaces all lines of this name by one; appends it where there was none. A table that is
 * full drops it: OB_HEAD_LINES is far above what anybody accepts. */
void ob_head_set(struct ob_head *head, const char *name, const char *value);

void ob_head_lower_names(struct ob_head *head);

/* Appends the head as it is now, with its empty line. */
void ob_head_write(const struct ob_head *head, struct sl_buffer *out);

#endif
