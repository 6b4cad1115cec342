/* The head of an HTTP answer and what was kept of its body.
 * Owner: borrows the bytes it points into. Thread: any. Errors: none.
 * RFC 9112, section 5, as far as the servers measured here use it. */
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

/* The value of the first field `name` (any case), without spaces around it. */
bool bench_answer_field(const struct bench_answer *answer, const char *name,
	const char **value, size_t *value_len);

#endif
