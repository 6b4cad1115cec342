/* How the gateway says goodbye: the object bye of Sluice's json format in the bytes of a stream, wherever
 * reads end.
 * Owner: the struct is the caller's; zeroed it is at the start. Thread: one at a time. Errors: none. */
#ifndef SL_BENCH_BYE_H
#define SL_BENCH_BYE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_BYE_MAX 192

struct bench_bye {
	uint8_t matched; /* of the text that it begins with */
	bool begun, whole;
	uint8_t len;
	char text[BENCH_BYE_MAX + 1];
};

/* How a stream may end. */
struct bench_end {
	const char *reason;
	unsigned retry_max_ms;
};

/* Takes what came. True once the object is whole. */
bool bench_bye_take(struct bench_bye *bye, const char *bytes, size_t len);

/* Of a whole one: true when it is what `end` says; `*retry_ms` is what it tells in any case. */
bool bench_bye_is(const struct bench_bye *bye, const struct bench_end *end, unsigned *retry_ms);

#endif
