/* Principals: those that a shard knows: tokens that it has verified lately, who lives by their leave, and
 * when that ends.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * A token is verified once and then found by its SHA-256; a ticket is verified each time, since it is used
 * about once. What does not count costs its client's address (SL_LIMIT_TOKEN_FAILURES): one that cannot pay
 * has nothing verified any more. At most SL_PRINCIPALS_IDLE that nobody holds are kept; the one unused for the longest goes.
 * Principals that expire or are revoked stand in a line with their holders, of whom each turn ends a few. */
#ifndef SL_AUTH_PRINCIPALS_H
#define SL_AUTH_PRINCIPALS_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "auth/principal.h"

#define SL_PRINCIPALS_IDLE 8192 /* some 4 MB */
#define SL_ENDS_A_TURN 32

struct sl_metrics;
struct sl_owners;
struct sl_principals;
struct sl_revocations;
struct sl_timer_wheel;

/* Ends `holder`, which leaves (sl_holder_leave) within the call or later. */
typedef void (*sl_holder_end_fn)(struct sl_holder *holder, enum sl_leave leave);

/* All are borrowed; `revocations` may be NULL. Errors: SL_ENOMEM. */
int sl_principals_create(struct sl_principals **out, struct sl_timer_wheel *timers,
	struct sl_metrics *metrics, struct sl_revocations *revocations, sl_holder_end_fn end);
/* NULL is allowed. Nobody may hold one any longer. */
void sl_principals_destroy(struct sl_principals *principals);

/* Once, before anybody is identified. */
void sl_principals_set_revocations(struct sl_principals *principals,
	struct sl_revocations *revocations);

/* Once, before anybody is identified: those of subjects are in this table (borrowed). NULL: none are. */
void sl_principals_set_owners(struct sl_principals *principals, struct sl_owners *owners);

/* Other rules (a reference is taken; NULL: there are no tokens). What was verified by the old ones is not
 * found any more; who holds it keeps it. */
void sl_principals_set_auth(struct sl_principals *principals, struct sl_auth *auth);

/* NULL: there are no tokens, everybody may do everything. */
const struct sl_auth *sl_principals_get_auth(const struct sl_principals *principals);

enum sl_credential { SL_CREDENTIAL_NONE, SL_CREDENTIAL_TOKEN, SL_CREDENTIAL_TICKET };

/* What a client brings, and at whose cost it is verified. */
struct sl_bearer {
	enum sl_credential kind;
	struct sl_span bytes;
	int64_t now_s;          /* the wall clock's */
	struct sl_owner *payer; /* of its address: pays for tokens that do not count (core/owners.h); NULL: nobody */
	uint64_t now_ms;        /* the monotonic clock's */
};

/* Who that is. Returns a new reference: sl_principal_everybody without rules, the anonymous one for
 * SL_CREDENTIAL_NONE; or NULL with `*refusal`, whose code is "internal" where memory ran out. */
struct sl_principal *sl_principals_identify(struct sl_principals *principals,
	const struct sl_bearer *bearer, struct sl_auth_refusal *refusal);

/* Whose claims were verified on another shard. Takes them, so they need finishing only. Returns a new reference, which
 * no token finds; or NULL with `*refusal`: they are revoked, or memory ran out. */
struct sl_principal *sl_principals_adopt(struct sl_principals *principals, struct sl_claims *claims, int64_t now_s,
	struct sl_auth_refusal *refusal);

/* True where the token was not verified, since its payer has brought too many that do not count. */
bool sl_auth_refusal_is_limit(const struct sl_auth_refusal *refusal);

/* `holder` lives by the principal's leave from now on. Takes a reference of its own. */
void sl_holder_join(struct sl_principals *principals, struct sl_holder *holder,
	struct sl_principal *principal, uint64_t now_ms, int64_t now_s);
/* It has gone. Also for one that never joined, and twice. */
void sl_holder_leave(struct sl_principals *principals, struct sl_holder *holder);

/* Holders of `subject` with tokens issued until then join the line. Returns how many. */
size_t sl_principals_revoke(struct sl_principals *principals, struct sl_span subject, int64_t until_s);

/* Ends at most SL_ENDS_A_TURN holders of the line. True when more wait. */
bool sl_principals_work(struct sl_principals *principals);

#endif
