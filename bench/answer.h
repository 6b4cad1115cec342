/* An HTTP answer with a known length, as the pollers of the bench read it.
 * Owner: borrows the bytes it points into. Thread: any. Errors: SL_EPROTO.
 * RFC 9112, sections 4 to 6, as far as the servers measured here use them. */
#ifndef SL_BENCH_ANSWER_H
#define SL_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct bench_answer {
	unsigned status;
	const char *head; /* from the status line to the empty line, both included */
	size_t head_len;
	const char *body;
	size_t body_len;
};

/* Looks at the start of `bytes`. Returns 1 when a whole answer is there, 0 when more bytes
 * are needed. Errors: SL_EPROTO (no status line, or a length that is not told). */
int bench_answer_parse(struct bench_answer *answer, const char *bytes, size_t len);

/* The value of the first field `name` (any case), without spaces around it. */
bool bench_answer_field(const struct bench_answer *answer, const char *name,
	const char **value, size_t *value_len);

#endif
