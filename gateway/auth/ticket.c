#include "auth/ticket.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "auth/claims.h"
#include "auth/jws.h"
#include "auth/secret.h"
#include "auth/strict_json.h"
#include "util/err.h"

/* Its own type, so that neither counts as the other, whatever signs them (RFC 8725, section 3.11). */
#define TYPE "sluice-ticket+jwt"

/* The payload is that of a token with the claims of the one that bought it, `exp` among them, so that one
 * reader serves both; until when the ticket itself opens anything is a member of its own. */
#define UNTIL "until"

static int
init_key(struct sl_key *key, const struct sl_auth *auth)
{
	*key = (struct sl_key){ 0 };
	return sl_key_init_secret(key, sl_auth_get_ticket_key(auth), SL_DERIVED_KEY_LEN);
}

/* ---- making ---- */

static void
append_patterns(struct sl_buffer *out, const char *member, const struct sl_patterns *patterns)
{
	const char *text = patterns->texts;
	sl_buffer_printf(out, "\"%s\":[", member);
	for (size_t i = 0; i < patterns->count; i++, text += strlen(text) + 1) {
		sl_buffer_append_str(out, i > 0 ? "," : "");
		sl_buffer_append_json_string(out, text, strlen(text));
	}
	sl_buffer_append_str(out, "],");
}

static void
append_payload(struct sl_buffer *out, const struct sl_claims *claims, int64_t until_s)
{
	sl_buffer_append_str(out, "{\"sub\":");
	sl_buffer_append_json_string(out, claims->subject, strlen(claims->subject));
	sl_buffer_printf(out, ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"" UNTIL "\":%" PRId64
		",\"sluice\":{", claims->issued_s, claims->expires_s - SL_LEEWAY_S, until_s);
	append_patterns(out, "subscribe", &claims->may[SL_ACT_SUBSCRIBE]);
	append_patterns(out, "publish", &claims->may[SL_ACT_PUBLISH]);
	sl_buffer_printf(out, "\"admin\":%s}}", claims->is_admin ? "true" : "false");
}

int
sl_ticket_append(struct sl_buffer *out, const struct sl_auth *auth,
	const struct sl_claims *claims, int64_t now_s, int64_t *expires_s)
{
	struct sl_buffer payload = SL_BUFFER_INIT;
	struct sl_key key;
	size_t before = out->len;
	bool ends_first = claims->expires_s < now_s + SL_TICKET_S;
	*expires_s = ends_first ? claims->expires_s : now_s + SL_TICKET_S;
	append_payload(&payload, claims, *expires_s);
	int err = init_key(&key, auth);
	if (err == 0)
		err = sl_buffer_status(&payload);
	if (err == 0)
		err = sl_jws_append(out, &key, TYPE, (struct sl_span){ payload.bytes, payload.len });
	if (err == 0 && out->len - before > SL_TOKEN_MAX)
		err = SL_ETOOBIG;
	if (err != 0)
		out->len = before;
	sl_key_finish(&key);
	sl_buffer_finish(&payload);
	return err;
}

/* ---- reading ---- */

static bool
refuse(struct sl_auth_refusal *refusal, const char *code, const char *message)
{
	*refusal = (struct sl_auth_refusal){ code, message };
	return false;
}

static bool
refuse_for(struct sl_auth_refusal *refusal, int err)
{
	if (err == SL_ENOMEM)
		return refuse(refusal, "internal", "out of memory; try again later");
	return refuse(refusal, "unauthorized",
		"the ticket is not of this gateway, or of an earlier secret; use POST /ticket for another one");
}

/* There is no leeway for the ticket itself: this gateway issued it, or a sibling, whose clocks agree. */
static bool
is_in_time(struct sl_span payload, int64_t now_s, struct sl_auth_refusal *refusal)
{
	json_t *root;
	const char *why;
	int err = sl_strict_json_load(&root, payload, &why);
	const json_t *until = json_object_get(root, UNTIL);
	bool is_whole = json_is_integer(until);
	int64_t until_s = json_integer_value(until);
	json_decref(root);
	if (err != 0 || !is_whole)
		return refuse_for(refusal, err);
	return now_s < until_s || refuse(refusal, "token_expired",
		"the ticket has expired; use POST /ticket for another one");
}

/* What signed it had judged the claims, by the rules of then. */
static const struct sl_claim_rules any_rules = { .age_max_ms = UINT64_MAX };

bool
sl_auth_verify_ticket(const struct sl_auth *auth, struct sl_span ticket, int64_t now_s,
	struct sl_claims *out, struct sl_auth_refusal *refusal)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	struct sl_key key;
	const char *why;
	int err = init_key(&key, auth);
	if (err == 0)
		err = sl_jws_open(&text, ticket, &key, 1, TYPE, &why);
	struct sl_span payload = { text.bytes, text.len };
	bool is_good = err == 0 ? is_in_time(payload, now_s, refusal) &&
		sl_claims_read(out, payload, &any_rules, now_s, refusal) : refuse_for(refusal, err);
	sl_key_finish(&key);
	sl_buffer_finish(&text);
	return is_good;
}
