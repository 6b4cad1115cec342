#include "auth/principals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "auth/principal_state.h"
#include "auth/revocations.h"
#include "core/owners.h"
#include "util/err.h"
#include "util/metrics.h"

static const struct sl_auth_refusal no_memory = { "internal", "out of memory; try again later" };
static const struct sl_auth_refusal too_long = { "unauthorized",
	"the token is too long; use at most 8192 bytes" };
static const struct sl_auth_refusal expired = { "token_expired", "the token has expired; use a new one" };
static const struct sl_auth_refusal limited = { "rate_limited",
	"more refused tokens than --token-failure-rate allows one address; try again later" };
static const struct sl_auth_refusal revoked = { "token_revoked", "the token has been revoked; use a newer one" };

/* ---- life of a principal ---- */

static void
count(struct sl_principals *principals, int by)
{
	sl_metrics_raise_gauge(principals->metrics, SL_GAUGE_PRINCIPALS, by);
}

static struct sl_known_subject *
take_subject(struct sl_principals *principals, const char *name)
{
	struct sl_known_subject *subject;
	size_t len = strlen(name);
	HASH_FIND(hh, principals->subjects, name, len, subject);
	if (subject)
		return subject;
	subject = calloc(1, sizeof *subject + len + 1);
	if (!subject)
		return NULL;
	memcpy(subject->name, name, len + 1);
	HASH_ADD(hh, principals->subjects, name, len, subject);
	if (!sl_table_holds(subject, hh)) {
		free(subject);
		return NULL;
	}
	if (len)
		subject->owner = sl_owners_get_subject(principals->owners, name);
	return subject;
}

static void
leave_subject(struct sl_principals *principals, struct sl_principal *principal)
{
	struct sl_known_subject *subject = principal->subject;
	LIST_REMOVE(principal, of_subject);
	if (!LIST_EMPTY(&subject->principals))
		return;
	HASH_DEL(principals->subjects, subject);
	sl_owner_unref(subject->owner);
	free(subject);
}

static bool
is_findable(const struct sl_principals *principals, const struct sl_principal *principal)
{
	return principal->rules == principals->rules;
}

static void
destroy(struct sl_principals *principals, struct sl_principal *principal)
{
	assert(principal->holder_count == 0 && !principal->is_in_line);
	sl_timer_cancel(principals->timers, &principal->expiry);
	if (is_findable(principals, principal))
		HASH_DEL(principals->by_digest, principal);
	if (principal->subject) {
		leave_subject(principals, principal);
		sl_claims_finish(&principal->claims);
		count(principals, -1);
	}
	sl_auth_unref(principal->auth);
	free(principal);
}

static struct sl_principal *
allocate(struct sl_principals *principals, const char *subject)
{
	size_t len = strlen(subject);
	struct sl_principal *principal =
		calloc(1, offsetof(struct sl_principal, claims.subject) + len + 1);
	if (!principal)
		return NULL;
	memcpy(principal->claims.subject, subject, len + 1);
	principal->owner = principals;
	principal->refs = 1;
	TAILQ_INIT(&principal->holders);
	sl_timer_init(&principal->expiry, sl_principal_on_expiry);
	return principal;
}

/* Takes the claims' patterns. Returns NULL without memory. */
static struct sl_principal *
create(struct sl_principals *principals, struct sl_claims *claims)
{
	struct sl_principal *principal = allocate(principals, claims->subject);
	if (!principal)
		return NULL;
	principal->subject = take_subject(principals, claims->subject);
	if (!principal->subject) {
		free(principal);
		return NULL;
	}
	LIST_INSERT_HEAD(&principal->subject->principals, principal, of_subject);
	principal->claims.issued_s = claims->issued_s;
	principal->claims.expires_s = claims->expires_s;
	principal->claims.is_admin = claims->is_admin;
	memcpy(principal->claims.may, claims->may, sizeof claims->may);
	memset(claims->may, 0, sizeof claims->may);
	count(principals, 1);
	return principal;
}

static struct sl_principal *
create_anonymous(struct sl_principals *principals)
{
	struct sl_principal *principal = allocate(principals, "");
	if (!principal)
		return NULL;
	principal->claims.expires_s = SL_NEVER_S;
	principal->auth = sl_auth_ref(principals->auth);
	for (int act = 0; act < SL_ACTS; act++)
		principal->claims.may[act] = *sl_auth_get_anonymous(principals->auth, (enum sl_act)act);
	return principal;
}

/* ---- those that nobody holds ---- */

static void
leave_idle(struct sl_principals *principals, struct sl_principal *principal)
{
	TAILQ_REMOVE(&principals->idle, principal, entry);
	principals->idle_count--;
}

static void
drop_oldest_idle(struct sl_principals *principals)
{
	struct sl_principal *oldest = TAILQ_FIRST(&principals->idle);
	leave_idle(principals, oldest);
	destroy(principals, oldest);
}

void
sl_principals_release(struct sl_principals *principals, struct sl_principal *principal)
{
	if (!is_findable(principals, principal)) {
		destroy(principals, principal);
		return;
	}
	TAILQ_INSERT_TAIL(&principals->idle, principal, entry);
	if (++principals->idle_count > SL_PRINCIPALS_IDLE)
		drop_oldest_idle(principals);
}

/* ---- the table ---- */

int
sl_principals_create(struct sl_principals **out, struct sl_timer_wheel *timers,
	struct sl_metrics *metrics, struct sl_revocations *revocations, sl_holder_end_fn end)
{
	struct sl_principals *principals = calloc(1, sizeof *principals);
	if (!principals)
		return SL_ENOMEM;
	principals->timers = timers;
	principals->metrics = metrics;
	principals->revocations = revocations;
	principals->end = end;
	principals->rules = 1;
	TAILQ_INIT(&principals->idle);
	TAILQ_INIT(&principals->line);
	*out = principals;
	return 0;
}

void
sl_principals_destroy(struct sl_principals *principals)
{
	if (!principals)
		return;
	sl_principals_set_auth(principals, NULL);
	free(principals);
}

void
sl_principals_set_revocations(struct sl_principals *principals, struct sl_revocations *revocations)
{
	principals->revocations = revocations;
}

void
sl_principals_set_owners(struct sl_principals *principals, struct sl_owners *owners)
{
	principals->owners = owners;
}

void
sl_principals_set_auth(struct sl_principals *principals, struct sl_auth *auth)
{
	if (auth == principals->auth)
		return;
	while (principals->idle_count > 0)
		drop_oldest_idle(principals);
	HASH_CLEAR(hh, principals->by_digest);
	principals->rules++;
	sl_principal_unref(principals->anonymous);
	principals->anonymous = NULL;
	sl_auth_unref(principals->auth);
	principals->auth = auth ? sl_auth_ref(auth) : NULL;
}

const struct sl_auth *
sl_principals_get_auth(const struct sl_principals *principals)
{
	return principals->auth;
}

/* ---- who asks ---- */

static struct sl_principal *
refuse(struct sl_principals *principals, const struct sl_auth_refusal *why,
	struct sl_auth_refusal *refusal)
{
	enum sl_counter counter = SL_COUNTER_PRINCIPALS_REFUSED;
	*refusal = *why;
	if (strcmp(why->code, expired.code) == 0)
		counter = SL_COUNTER_PRINCIPALS_EXPIRED;
	else if (strcmp(why->code, revoked.code) == 0)
		counter = SL_COUNTER_PRINCIPALS_REVOKED;
	sl_metrics_add(principals->metrics, counter, 1);
	return NULL;
}

/* Asks the table of all shards, but not twice while nothing was added to it. The generation is read
 * first: what is added between the two is asked for again. */
static bool
is_revoked(struct sl_principals *principals, struct sl_principal *principal, int64_t now_s)
{
	if (principal->leave == SL_LEAVE_REVOKED || !principals->revocations)
		return principal->leave == SL_LEAVE_REVOKED;
	uint64_t generation = sl_revocations_get_generation(principals->revocations);
	if (generation == principal->asked_at)
		return false;
	const struct sl_known_subject *subject = principal->subject;
	struct sl_span name = { subject->name, strlen(subject->name) };
	if (sl_revocations_has(principals->revocations, name, principal->claims.issued_s, now_s)) {
		sl_principal_send_away(principal, SL_LEAVE_REVOKED);
		return true;
	}
	principal->asked_at = generation;
	return false;
}

static struct sl_principal *
identify_known(struct sl_principals *principals, struct sl_principal *principal, int64_t now_s,
	struct sl_auth_refusal *refusal)
{
	if (principal->leave == SL_LEAVE_EXPIRED || now_s >= principal->claims.expires_s)
		return refuse(principals, &expired, refusal);
	if (is_revoked(principals, principal, now_s))
		return refuse(principals, &revoked, refusal);
	sl_metrics_add(principals->metrics, SL_COUNTER_PRINCIPALS_CACHED, 1);
	if (principal->refs == 0)
		leave_idle(principals, principal);
	return sl_principal_ref(principal);
}

/* It is found from now on, if there is memory. */
static void
remember(struct sl_principals *principals, struct sl_principal *principal,
	const uint8_t digest[SL_SHA256_LEN])
{
	memcpy(principal->digest, digest, SL_SHA256_LEN);
	HASH_ADD(hh, principals->by_digest, digest, SL_SHA256_LEN, principal);
	if (sl_table_holds(principal, hh))
		principal->rules = principals->rules;
}

static struct sl_principal *
identify_new(struct sl_principals *principals, struct sl_claims *claims, const uint8_t *digest,
	int64_t now_s, struct sl_auth_refusal *refusal)
{
	struct sl_principal *principal = create(principals, claims);
	if (!principal)
		return refuse(principals, &no_memory, refusal);
	if (digest)
		remember(principals, principal, digest);
	if (is_revoked(principals, principal, now_s)) {
		sl_principal_unref(principal);
		return refuse(principals, &revoked, refusal);
	}
	sl_metrics_add(principals->metrics, SL_COUNTER_PRINCIPALS_VERIFIED, 1);
	return principal;
}

struct sl_principal *
sl_principals_adopt(struct sl_principals *principals, struct sl_claims *claims, int64_t now_s,
	struct sl_auth_refusal *refusal)
{
	return identify_new(principals, claims, NULL, now_s, refusal);
}

/* `digest` is NULL for what is not to be remembered. */
static struct sl_principal *
verify(struct sl_principals *principals, const struct sl_bearer *bearer, const uint8_t *digest,
	struct sl_auth_refusal *refusal)
{
	bool is_ticket = bearer->kind == SL_CREDENTIAL_TICKET;
	struct sl_principal *principal = NULL;
	struct sl_auth_refusal why;
	struct sl_claims claims;
	if (sl_owner_get_wait(bearer->payer, SL_LIMIT_TOKEN_FAILURES, bearer->now_ms) > 0) {
		*refusal = limited;
		return NULL;
	}
	bool counts = (is_ticket ? sl_auth_verify_ticket : sl_auth_verify_token)(principals->auth,
		bearer->bytes, bearer->now_s, &claims, &why);
	if (counts) {
		principal = identify_new(principals, &claims, digest, bearer->now_s, refusal);
		sl_claims_finish(&claims);
	} else {
		refuse(principals, &why, refusal);
	}
	if (!principal)
		sl_owner_spend(bearer->payer, SL_LIMIT_TOKEN_FAILURES, 1, bearer->now_ms);
	return principal;
}

static struct sl_principal *
identify_token(struct sl_principals *principals, const struct sl_bearer *bearer,
	struct sl_auth_refusal *refusal)
{
	struct sl_span token = bearer->bytes;
	uint8_t digest[SL_SHA256_LEN];
	struct sl_principal *principal = NULL;
	bool has_digest = sl_crypto_sha256(token.bytes, token.len, digest) == 0;
	if (has_digest)
		HASH_FIND(hh, principals->by_digest, digest, SL_SHA256_LEN, principal);
	if (principal)
		return identify_known(principals, principal, bearer->now_s, refusal);
	return verify(principals, bearer, has_digest ? digest : NULL, refusal);
}

static struct sl_principal *
identify_anonymous(struct sl_principals *principals, struct sl_auth_refusal *refusal)
{
	if (!principals->anonymous)
		principals->anonymous = create_anonymous(principals);
	if (!principals->anonymous)
		return refuse(principals, &no_memory, refusal);
	sl_metrics_add(principals->metrics, SL_COUNTER_PRINCIPALS_ANONYMOUS, 1);
	return sl_principal_ref(principals->anonymous);
}

struct sl_principal *
sl_principals_identify(struct sl_principals *principals, const struct sl_bearer *bearer,
	struct sl_auth_refusal *refusal)
{
	if (!principals->auth)
		return &sl_principal_everybody;
	if (bearer->kind == SL_CREDENTIAL_NONE)
		return identify_anonymous(principals, refusal);
	if (bearer->bytes.len > SL_TOKEN_MAX)
		return refuse(principals, &too_long, refusal);
	if (bearer->kind == SL_CREDENTIAL_TICKET) /* it is used about once: tickets would push out tokens */
		return verify(principals, bearer, NULL, refusal);
	return identify_token(principals, bearer, refusal);
}

bool
sl_auth_refusal_is_limit(const struct sl_auth_refusal *refusal)
{
	return strcmp(refusal->code, limited.code) == 0;
}
