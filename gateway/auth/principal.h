/* Principal: who asks, and what for may be asked: a subject, its patterns, and until when.
 * A principal belongs to one request and to the stream that it opens, never to a connection, since
 * proxies share connections between users.
 * Owner: counted; its shard's (auth/principals.h), but for sl_principal_everybody. Thread: the shard's.
 * Errors: none. */
#ifndef SL_AUTH_PRINCIPAL_H
#define SL_AUTH_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/pattern.h"
#include "util/span.h"

#define SL_SUBJECT_MAX 256 /* bytes of `sub` */
#define SL_NEVER_S INT64_MAX

struct sl_owner;
struct sl_principal;

enum sl_act { SL_ACT_SUBSCRIBE, SL_ACT_PUBLISH, SL_ACTS };

/* What a token or ticket says, checked. */
struct sl_claims {
	/* Seconds since 1970. It counts no more from `expires_s` on, which has the leeway in it;
	 * SL_NEVER_S: it counts for ever. */
	int64_t issued_s, expires_s;
	struct sl_patterns may[SL_ACTS];  /* owns */
	bool is_admin;
	/* UTF-8 without control characters; "" of nobody known. Last, since a principal has memory only for
	 * what is used of it. */
	char subject[SL_SUBJECT_MAX + 1];
};

void sl_claims_finish(struct sl_claims *claims);

/* Why something ends before its client leaves. */
enum sl_leave { SL_LEAVE_NONE, SL_LEAVE_EXPIRED, SL_LEAVE_REVOKED };

/* What lives by a principal's leave, such as a subscriber, which embeds it. All zero: it has none. */
struct sl_holder {
	struct sl_principal *principal; /* a reference */
	TAILQ_ENTRY(sl_holder) entry;   /* among its principal's, while `leave` is NONE */
	uint8_t leave;                  /* enum sl_leave; not NONE: it was told to end */
};

TAILQ_HEAD(sl_holders, sl_holder);

/* Who may do everything, for ever: what everybody is where no token key is configured. Its references
 * are not counted. */
extern struct sl_principal sl_principal_everybody;

struct sl_principal *sl_principal_ref(struct sl_principal *principal);
/* NULL is allowed. */
void sl_principal_unref(struct sl_principal *principal);

/* Borrowed from the principal. Never copy the struct: see `subject`. */
const struct sl_claims *sl_principal_get_claims(const struct sl_principal *principal);

/* A copy of them, for another shard: the caller's, who finishes it. Errors: SL_ENOMEM. */
int sl_principal_copy_claims(const struct sl_principal *principal, struct sl_claims *out);

/* Whom limits count: its subject; NULL where it has none. Borrowed from the principal. */
struct sl_owner *sl_principal_get_owner(const struct sl_principal *principal);

/* True for one without a token, whom the gateway does not know. */
bool sl_principal_is_anonymous(const struct sl_principal *principal);

/* May it use `channel`, a legal name? A leased one always. NULL may do nothing, nor may
 * one that was revoked. */
bool sl_principal_may(const struct sl_principal *principal, enum sl_act act, struct sl_span channel);

#endif
