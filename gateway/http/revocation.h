/* Revocation: the tokens that a subject has been given until now stop counting, everywhere.
 * Owner: the table is the app's (auth/revocations.h). Thread: any. Errors: as each call says. */
#ifndef SL_HTTP_REVOCATION_H
#define SL_HTTP_REVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct sl_buffer;
struct sl_http;
struct sl_notice;
struct sl_publish;
struct sl_shard;

struct sl_revocation {
	struct sl_span subject; /* at most SL_SUBJECT_MAX bytes */
	int64_t until_s;        /* its tokens issued until then, in s since 1970 */
	int64_t kept_s;         /* none of them counts after that anyway */
};

/* True for a subject that a token can have. */
bool sl_revocation_is_subject(const struct sl_buffer *text);

/* In this process: when it returns 0, no shard lets such a token in; what it has opened ends in the next
 * turns. Also for one that is known already. Errors: SL_EFULL, as many are kept as may be;
 * SL_ENOMEM. Nothing has been done then. */
int sl_revocation_apply(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s);

/* On the other nodes: has the bus tell them all what this one knows of the subject since it applied
 * `revocation`. On the shard's thread. Returns what sl_bus_announce() does, and completes `pending` likewise. */
int sl_revocation_announce(const struct sl_http *http, struct sl_shard *shard,
	const struct sl_revocation *revocation, struct sl_publish *pending);

/* Applies what a node has announced. Any thread. `has_shards` is false as long as nobody can have opened anything,
 * or any more; then only the table learns of it. Errors: SL_EINVAL, it is no revocation; those of apply. */
int sl_revocation_hear(const struct sl_http *http, const struct sl_notice *notice, bool has_shards,
	int64_t now_s);

/* What a notice says, the subject appended to `room`. `out` borrows it. Errors: SL_EINVAL, it is no revocation;
 * SL_ENOMEM. */
int sl_revocation_read(struct sl_revocation *out, struct sl_buffer *room, const struct sl_notice *notice);

#endif
