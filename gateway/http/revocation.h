/* Revocation: makes the tokens that a subject has been given until now invalid, everywhere.
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
	int64_t until_s;        /* tokens issued until then are revoked, in s since 1970 */
	int64_t kept_s;         /* after this time all of them have expired anyway */
};

/* True for a subject that a token can have. */
bool sl_revocation_is_subject(const struct sl_buffer *text);

/* Revokes in this process. When it returns 0, no shard accepts such a token; streams that it opened end in the
 * next turns. Also for a subject that is revoked already. Errors: SL_EFULL, the table is full; SL_ENOMEM.
 * Nothing was done then. */
int sl_revocation_apply(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s);

/* Revokes on the other nodes: announces on the bus all that this node knows of the subject since it applied
 * `revocation`. On the shard's thread. Returns as sl_bus_announce() does, and completes `pending` likewise. */
int sl_revocation_announce(const struct sl_http *http, struct sl_shard *shard,
	const struct sl_revocation *revocation, struct sl_publish *pending);

/* Applies a node's announcement. Any thread. `has_shards` is false before shards exist and after their end;
 * then only the table changes. Errors: SL_EINVAL, it is no revocation; those of apply. */
int sl_revocation_hear(const struct sl_http *http, const struct sl_notice *notice, bool has_shards,
	int64_t now_s);

/* Reads a notice, and appends the subject to `room`, which `out` borrows. Errors: SL_EINVAL, it is no
 * revocation; SL_ENOMEM. */
int sl_revocation_read(struct sl_revocation *out, struct sl_buffer *room, const struct sl_notice *notice);

#endif
