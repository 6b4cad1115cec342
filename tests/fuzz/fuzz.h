/* What the fuzz targets share: libFuzzer's entry, and an assertion that is never compiled
 * out.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FUZZ_EXPECT(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A copy in a block of just this size, so that a sanitizer notices reading on. */
static inline char *
fuzz_copy(const void *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	FUZZ_EXPECT(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* For what is fed in pieces: a copy of all but the first byte, which chooses their size. NULL
 * when there is none. */
static inline char *
fuzz_copy_rest(const uint8_t *bytes, size_t *len, size_t *piece)
{
	if (*len == 0)
		return NULL;
	*piece = bytes[0] % 16 + 1u;
	return fuzz_copy(bytes + 1, --*len);
}

#endif
