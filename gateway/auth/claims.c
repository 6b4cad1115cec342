#include "auth/claims.h"

#include <jansson.h>
#include <string.h>

#include "auth/strict_json.h"
#include "util/err.h"
#include "util/utf8.h"

#define TIME_MAX_S INT64_C(253402300799) /* the last second of the year 9999 */

static const char no_memory[] = "out of memory; try again later";

/* Each of what follows returns NULL, or why the token does not count. */

static const char *
read_subject(struct sl_claims *out, const json_t *payload)
{
	const json_t *sub = json_object_get(payload, "sub");
	const char *text = json_string_value(sub);
	size_t len = json_string_length(sub);
	if (!text || len == 0 || len > SL_SUBJECT_MAX)
		return "the token's sub is missing or not valid; use a string of 1 to 256 bytes";
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool is_c1 = c[0] == 0xc2 && c[1] < 0xa0; /* U+0080 to U+009F; c[1] is a continuation */
		if (*c < ' ' || *c == 0x7f || is_c1)
			return "the token's sub has a control character; use a sub without one";
	}
	memcpy(out->subject, text, len + 1);
	return NULL;
}

/* A NumericDate, without its fraction. */
static bool
read_time(int64_t *out, const json_t *value)
{
	double seconds = json_number_value(value);
	if (!json_is_number(value) || !(seconds >= 0 && seconds <= (double)TIME_MAX_S))
		return false;
	*out = (int64_t)seconds;
	return true;
}

static const char *
judge_issuer(const json_t *payload, const struct sl_claim_rules *rules)
{
	const json_t *iss = json_object_get(payload, "iss");
	if (iss && !json_is_string(iss))
		return "the token's iss is not a string; use a string or omit it";
	if (rules->issuer && (!iss || strcmp(json_string_value(iss), rules->issuer) != 0))
		return "the token's iss is missing or wrong; use the text of --token-issuer";
	return NULL;
}

/* Whether `text` is among the audience; false in `*is_legal` for what is no audience. */
static bool
has_audience(const json_t *aud, const char *text, bool *is_legal)
{
	size_t i, count = json_is_array(aud) ? json_array_size(aud) : 1;
	bool is_found = false;
	*is_legal = count > 0;
	for (i = 0; i < count; i++) {
		const json_t *one = json_is_array(aud) ? json_array_get(aud, i) : aud;
		if (!json_is_string(one))
			*is_legal = false;
		else if (text && strcmp(json_string_value(one), text) == 0)
			is_found = true;
	}
	return is_found;
}

static const char *
judge_audience(const json_t *payload, const struct sl_claim_rules *rules)
{
	const json_t *aud = json_object_get(payload, "aud");
	bool is_legal;
	if (!aud)
		return rules->audience ? "the token has no aud; use the text of --token-audience" : NULL;
	bool is_found = has_audience(aud, rules->audience, &is_legal);
	if (!is_legal)
		return "the token's aud is not valid; use a string or an array of strings";
	if (!rules->audience)
		return "the token has an aud, and no audience is configured here";
	return is_found ? NULL : "the token's aud names another audience; use the text of --token-audience";
}

/* ---- what may be done ---- */

static const char *
read_patterns(struct sl_patterns *out, const json_t *list)
{
	size_t i;
	const json_t *one;
	if (list && !json_is_array(list))
		return "the token's sluice.subscribe or sluice.publish is not an array; use arrays of patterns";
	if (json_array_size(list) > SL_PATTERNS_MAX)
		return "the token has more than 256 patterns in a list; use at most 256";
	json_array_foreach(list, i, one) {
		if (!json_is_string(one))
			return "the token has a pattern that is not a string; use strings";
		struct sl_span text = { json_string_value(one), json_string_length(one) };
		int err = sl_patterns_add(out, text);
		if (err == SL_ENOMEM)
			return no_memory;
		if (err != 0)
			return "the token has a pattern that is not valid; use the name of a channel, prefix.* or *";
	}
	return NULL;
}

static const char *
read_permission(struct sl_claims *out, const json_t *payload)
{
	const json_t *sluice = json_object_get(payload, "sluice");
	const json_t *admin = json_object_get(sluice, "admin");
	if (sluice && !json_is_object(sluice))
		return "the token's sluice is not an object; use an object or omit it";
	if (admin && !json_is_boolean(admin))
		return "the token's sluice.admin is not valid; use true or false";
	out->is_admin = json_is_true(admin);
	const char *why = read_patterns(&out->may[SL_ACT_SUBSCRIBE],
		json_object_get(sluice, "subscribe"));
	return why ? why : read_patterns(&out->may[SL_ACT_PUBLISH], json_object_get(sluice, "publish"));
}

/* ---- times ---- */

static const char *
read_times(struct sl_claims *out, const json_t *payload, const struct sl_claim_rules *rules,
	int64_t now_s, bool *is_expired)
{
	const json_t *nbf = json_object_get(payload, "nbf");
	int64_t exp_s, begins_s = 0;
	if (!read_time(&exp_s, json_object_get(payload, "exp")))
		return "the token's exp must be a number, seconds since 1970";
	if (!read_time(&out->issued_s, json_object_get(payload, "iat")))
		return "the token's iat must be a number, seconds since 1970";
	if (nbf && !read_time(&begins_s, nbf))
		return "the token's nbf must be a number, seconds since 1970";
	if (exp_s < out->issued_s)
		return "the token's exp is before its iat; use a later exp";
	if ((uint64_t)(exp_s - out->issued_s) * 1000 > rules->age_max_ms)
		return "the token lives longer, from iat to exp, than tokens may here";
	if (out->issued_s > now_s + SL_LEEWAY_S)
		return "the token's iat is in the future";
	if (begins_s > now_s + SL_LEEWAY_S)
		return "the token's nbf is in the future";
	out->expires_s = exp_s + SL_LEEWAY_S;
	*is_expired = now_s >= out->expires_s;
	return NULL;
}

static const char *
read_all(struct sl_claims *out, const json_t *payload, const struct sl_claim_rules *rules,
	int64_t now_s, bool *is_expired)
{
	const char *why = read_subject(out, payload);
	if (!why)
		why = judge_issuer(payload, rules);
	if (!why)
		why = judge_audience(payload, rules);
	if (!why)
		why = read_permission(out, payload);
	return why ? why : read_times(out, payload, rules, now_s, is_expired);
}

bool
sl_claims_read(struct sl_claims *out, struct sl_span payload, const struct sl_claim_rules *rules,
	int64_t now_s, struct sl_auth_refusal *refusal)
{
	json_t *root;
	const char *reason = "", *why;
	bool is_expired = false;
	*out = (struct sl_claims){ .issued_s = 0 };
	int err = sl_strict_json_load(&root, payload, &reason);
	if (err == SL_ENOMEM)
		why = no_memory;
	else if (err != 0)
		why = strstr(reason, "twice") ? "the token's payload has a member twice; use each once"
			: "the token's payload is not valid; use a JSON object in UTF-8";
	else
		why = read_all(out, root, rules, now_s, &is_expired);
	json_decref(root);
	*refusal = (struct sl_auth_refusal){ why == no_memory ? "internal" : "unauthorized", why };
	if (!why && is_expired)
		*refusal = (struct sl_auth_refusal){ "token_expired", "the token has expired; use a new one" };
	if (!why && !is_expired)
		return true;
	sl_claims_finish(out);
	return false;
}
