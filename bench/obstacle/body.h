/* Where a message's body ends, and what of its bytes is content.
 * Owner: the caller. Thread: one. Errors: SL_ESYNTAX, SL_EAGAIN.
 *
 * Source: RFC 9112, sections 6 and 7. Chunk extensions and trailers are read and dropped. */
#ifndef SL_BENCH_OBSTACLE_BODY_H
#define SL_BENCH_OBSTACLE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/obstacle/head.h"
#include "util/buffer.h"

enum ob_framing { OB_NO_BODY, OB_LENGTH, OB_CHUNKED, OB_UNTIL_CLOSE };

struct ob_body {
	enum ob_framing framing;
	bool is_done;
	unsigned char state; /* of a chunked body */
	unsigned char digits;
	bool line_has_text;  /* of a trailer */
	uint64_t left;       /* of the length, or of this chunk */
};

/* Errors: SL_ESYNTAX (a length that is no number, both lengths at once, an encoding that
 * does not end in chunked). */
int ob_body_of_request(struct ob_body *body, const struct ob_head *head);

/* `method` is of the request that it answers. */
int ob_body_of_response(struct ob_body *body, const struct ob_head *head, struct sl_span method);

/* Appends the content among `bytes` to `content` and says in `*used` how many belong to the
 * body. 0: is_done tells if it has ended. Errors: SL_ESYNTAX, SL_ENOMEM. */
int ob_body_feed(struct ob_body *body, const char *bytes, size_t len, size_t *used,
	struct sl_buffer *content);

/* Appends `bytes` in this framing, and its end when `end`. */
void ob_body_write(enum ob_framing framing, struct sl_buffer *out, const char *bytes, size_t len,
	bool end);

#endif
