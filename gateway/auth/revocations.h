/* Revocations: subjects whose tokens issued until a moment are refused, kept as long as such tokens
 * could live (--token-max-age).
 * Owner: the app. Thread: any; it has a lock of its own. Errors: SL_EFULL: the table is full, nothing is
 * thrown out, since that would let somebody in again; SL_ENOMEM. */
#ifndef SL_AUTH_REVOCATIONS_H
#define SL_AUTH_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct sl_buffer;
struct sl_revocations;

/* At most `max` subjects. */
struct sl_revocations *sl_revocations_create(size_t max);
/* NULL is allowed. */
void sl_revocations_destroy(struct sl_revocations *revocations);
void sl_revocations_set_max(struct sl_revocations *revocations, size_t max);

/* Tokens of `subject` issued at `until_s` or before are refused, which is remembered up to `kept_s`. Of
 * two for a subject the later one counts, whatever their order: other nodes may tell of one again. */
int sl_revocations_add(struct sl_revocations *revocations, struct sl_span subject, int64_t until_s,
	int64_t kept_s, int64_t now_s);

/* True when a token of that subject, issued then, is refused. */
bool sl_revocations_has(struct sl_revocations *revocations, struct sl_span subject, int64_t issued_s,
	int64_t now_s);

/* What is remembered of `subject`; false, and nothing is set, where that is nothing. */
bool sl_revocations_find(struct sl_revocations *revocations, struct sl_span subject, int64_t *until_s,
	int64_t *kept_s);

/* Rises with each add: who has asked before need not ask again while it is the same. No lock. */
uint64_t sl_revocations_get_generation(const struct sl_revocations *revocations);

/* Appends each as a line of JSON, but for those that are over (auth/revocation_file.h). Errors: those of the
 * buffer. */
void sl_revocations_append(struct sl_revocations *revocations, struct sl_buffer *out, int64_t now_s);

size_t sl_revocations_count(struct sl_revocations *revocations);

#endif
