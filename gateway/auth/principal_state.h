/* Principal's state: what a shard keeps of its principals. For principal.c, principals.c and holder.c
 * alone.
 * Owner: the shard's table (auth/principals.h). Thread: the shard's. Errors: none. */
#ifndef SL_AUTH_PRINCIPAL_STATE_H
#define SL_AUTH_PRINCIPAL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/principals.h"
#include "core/timer.h"
#include "util/crypto.h"
#include "util/table.h"

/* All of one subject that are known. */
struct sl_known_subject {
	LIST_HEAD(sl_subject_principals, sl_principal) principals;
	struct sl_owner *owner; /* a reference: whom limits count; or NULL */
	UT_hash_handle hh;
	char name[];
};

struct sl_principal {
	struct sl_principals *owner;   /* borrows; NULL: everybody */
	unsigned refs;
	unsigned rules;                /* the rules by which it is found; 0: by none */
	uint64_t asked_at;             /* the revocations' generation in which it was not revoked */
	struct sl_timer expiry;        /* set while somebody holds it */
	struct sl_holders holders;     /* those not yet told to end */
	size_t holder_count;           /* of these */
	TAILQ_ENTRY(sl_principal) entry; /* among the idle; or in the line */
	struct sl_known_subject *subject; /* NULL: the anonymous one */
	LIST_ENTRY(sl_principal) of_subject;
	struct sl_auth *auth;          /* owns a reference: the anonymous one's patterns are its; else NULL */
	uint8_t leave;                 /* enum sl_leave: why its holders end; never NONE again */
	bool is_in_line;
	uint8_t digest[SL_SHA256_LEN]; /* of its token */
	UT_hash_handle hh;
	struct sl_claims claims;       /* last, and in memory only up to the end of its subject */
};

TAILQ_HEAD(sl_principal_list, sl_principal);

struct sl_principals {
	struct sl_timer_wheel *timers;
	struct sl_metrics *metrics;
	struct sl_revocations *revocations;
	struct sl_owners *owners;        /* borrows; NULL: there are no limits */
	sl_holder_end_fn end;
	struct sl_auth *auth;            /* owns a reference; NULL: no rules */
	unsigned rules;                  /* rises with each set_auth */
	struct sl_principal *anonymous;  /* owns a reference; NULL until somebody comes without a token */
	struct sl_principal *by_digest;  /* those found by the rules in force */
	struct sl_known_subject *subjects;
	struct sl_principal_list idle;      /* nobody holds them; the one unused for the longest first */
	unsigned idle_count;
	struct sl_principal_list line;      /* those whose holders must end */
};

/* ---- principals.c ---- */

/* The last reference is gone. */
void sl_principals_release(struct sl_principals *principals, struct sl_principal *principal);

/* ---- holder.c ---- */

/* Its holders must end, and so must those that still join. `leave` is not NONE. */
void sl_principal_send_away(struct sl_principal *principal, enum sl_leave leave);

/* A timer of core/timer.h. */
void sl_principal_on_expiry(struct sl_timer *timer);

#endif
