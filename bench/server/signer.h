/* Signer: tokens (JWT, RFC 7519) for the clients of a gateway that the bench starts itself, signed with a
 * key that is made with the signer.
 * Owner: the caller. Thread: one at a time. Errors: SL_ENOMEM, SL_EIO (errno says why; of OpenSSL it
 * says nothing). */
#ifndef SL_BENCH_SIGNER_H
#define SL_BENCH_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buffer.h"

/* By the names of RFC 7518, section 3.1, and RFC 8037, section 3.1. */
enum bench_algorithm {
	BENCH_NO_ALGORITHM, BENCH_HS256, BENCH_RS256, BENCH_ES256, BENCH_EDDSA, BENCH_ALGORITHM_COUNT
};
extern const char *const bench_algorithm_names[BENCH_ALGORITHM_COUNT];

/* What a token says. All texts stand in JSON as they are. */
struct bench_grant {
	const char *subject;
	int64_t issued_s, expires_s; /* s since 1970 */
	const char *channels;        /* a pattern: what it may subscribe and publish to */
	bool is_admin;
};

struct bench_signer;

int bench_signer_create(struct bench_signer **out, enum bench_algorithm algorithm);
/* NULL is allowed. */
void bench_signer_destroy(struct bench_signer *signer);

/* Writes what the gateway verifies by, as --token-key takes it: the secret of HS256, else a public key
 * (PEM). For its owner alone. */
int bench_signer_write_key(const struct bench_signer *signer, const char *path);

/* Appends a token. Each has an id (`jti`) of its own, so that no two are the same. */
int bench_signer_append(struct bench_signer *signer, const struct bench_grant *grant,
	struct sl_buffer *out);

/* Returns new, for free(): the field of a request that carries such a token, with its line's end. NULL:
 * it cannot be made. */
char *bench_signer_make_field(struct bench_signer *signer, const struct bench_grant *grant);

/* Now, as tokens count: s since 1970. */
int64_t bench_wall_clock_s(void);

#endif
