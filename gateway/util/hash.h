/* A hash for strings that strangers choose: SipHash-1-3, keyed, so that nobody can aim
 * many names at one bucket.
 * Owner: the key is global, the one exception beside the log level: every table of the
 * process uses it and it never changes after start, so that passing it to each lookup
 * would only add an argument. Thread: seed before there are threads, hash from any.
 * Errors: none. */
#ifndef SL_UTIL_HASH_H
#define SL_UTIL_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Sets the key, once at start and before the first hash. Without it the key is zero, which
 * suits tests. */
void sl_hash_seed(const uint8_t seed[16]);

/* SipHash-1-3 (Aumasson and Bernstein, 2012), folded to 32 bits. */
uint32_t sl_hash(const void *bytes, size_t len);

/* The same of 64 bits with a key of the caller's, for what other processes with that key must know again. */
uint64_t sl_hash_with(const uint8_t seed[16], const void *bytes, size_t len);

#endif
