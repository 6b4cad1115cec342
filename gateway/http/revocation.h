/* Revocation: the tokens that a subject has been given until now stop counting, everywhere.
 * Owner: the table is the app's (auth/revocations.h). Thread: any. Errors: as each call says. */
#ifndef SL_HTTP_REVOCATION_H
#define SL_HTTP_REVOCATION_H

#include <stdint.h>

#include "util/span.h"

struct sl_http;

struct sl_revocation {
	struct sl_span subject; /* at most SL_SUBJECT_MAX bytes */
	int64_t until_s;        /* its tokens issued until then, in s since 1970 */
	int64_t kept_s;         /* none of them counts after that anyway */
};

/* In this process: when it returns 0, no shard lets such a token in; what it has opened ends in the next
 * turns. Also for one that is known already. Errors: SL_EFULL, as many are kept as may be;
 * SL_ENOMEM. Nothing has been done then. */
int sl_revocation_apply(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s);

/* The same on every node. This is where a bus of several nodes takes it to the others, which apply it;
 * today there is one. */
int sl_revocation_announce(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s);

#endif
