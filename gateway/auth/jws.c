#include "auth/jws.h"

#include <jansson.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/strict_json.h"
#include "util/base64url.h"
#include "util/err.h"

/* The parts of a token, and what its header says. */
struct parts {
	struct sl_span header, payload, signature; /* encoded */
	struct sl_span signed_text;
	enum sl_alg alg;
	const char *kid; /* borrows from the header; or NULL */
};

static int
refuse(const char **why, const char *reason)
{
	*why = reason;
	return SL_EINVAL;
}

/* ---- reading ---- */

static int
split(struct parts *parts, struct sl_span token, const char **why)
{
	const char *end = token.bytes + token.len;
	if (token.len > SL_TOKEN_MAX)
		return refuse(why, "the token is too long; use at most 8192 bytes");
	const char *first = token.len > 0 ? memchr(token.bytes, '.', token.len) : NULL;
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return refuse(why, "the token is not a JWT; use three parts with dots between");
	parts->header = (struct sl_span){ token.bytes, (size_t)(first - token.bytes) };
	parts->payload = (struct sl_span){ first + 1, (size_t)(second - first - 1) };
	parts->signature = (struct sl_span){ second + 1, (size_t)(end - second - 1) };
	parts->signed_text = (struct sl_span){ token.bytes, (size_t)(second - token.bytes) };
	return 0;
}

/* Media types have no case, and "application/" may stand before them (RFC 7515, section 4.1.9). */
static bool
is_type(const json_t *typ, const char *type)
{
	static const char prefix[] = "application/";
	const char *text = json_string_value(typ);
	if (!typ)
		return type == NULL;
	if (!text)
		return false;
	if (type)
		return strcmp(text, type) == 0;
	if (strncasecmp(text, prefix, sizeof prefix - 1) == 0)
		text += sizeof prefix - 1;
	return strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0;
}

static int
judge_header(struct parts *parts, const json_t *header, const char *type, const char **why)
{
	const json_t *alg = json_object_get(header, "alg"), *kid = json_object_get(header, "kid");
	const char *name = json_string_value(alg);
	if (!name || !sl_alg_parse((struct sl_span){ name, strlen(name) }, &parts->alg))
		return refuse(why, "the token's alg is unknown; use HS256, RS256, ES256 or EdDSA");
	if (json_object_get(header, "crit"))
		return refuse(why, "the token's header has crit; omit it, since the gateway knows no extension");
	if (json_object_get(header, "b64"))
		return refuse(why, "the token's header has b64; omit it");
	if (kid && !json_is_string(kid))
		return refuse(why, "the token's kid is not a string; use a string or omit it");
	if (!is_type(json_object_get(header, "typ"), type))
		return refuse(why, type ? "the ticket's typ is not that of a ticket" : "the token's typ is unknown; use JWT or omit it");
	parts->kid = json_string_value(kid);
	return 0;
}

static int
load_header(json_t **header, const struct parts *parts, const char **why)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	const char *reason = "";
	int err = sl_base64url_decode(&text, parts->header);
	if (err == 0)
		err = sl_strict_json_load(header, (struct sl_span){ text.bytes, text.len }, &reason);
	sl_buffer_finish(&text);
	if (err != SL_EINVAL)
		return err;
	bool is_double = strstr(reason, "twice") != NULL;
	return refuse(why, is_double ? "the token's header has a member twice; use each once"
		: "the token's header is not valid; use a JSON object in base64url");
}

static bool
may_be_of(const struct parts *parts, const struct sl_key *key)
{
	return key->alg == parts->alg
		&& (!parts->kid || !key->kid || strcmp(parts->kid, key->kid) == 0);
}

static int
verify(const struct parts *parts, const struct sl_key *keys, size_t count, const char **why)
{
	struct sl_buffer signature = SL_BUFFER_INIT;
	size_t tried = 0;
	bool is_good = false;
	int err = sl_base64url_decode(&signature, parts->signature);
	struct sl_span bytes = { signature.bytes, signature.len };
	for (size_t i = 0; err == 0 && !is_good && i < count; i++) {
		if (!may_be_of(parts, &keys[i]))
			continue;
		tried++;
		is_good = sl_key_verify(&keys[i], parts->signed_text, bytes);
	}
	sl_buffer_finish(&signature);
	if (err == SL_EINVAL)
		return refuse(why, "the token's signature is not base64url; use base64url without =");
	if (err != 0 || is_good)
		return err;
	if (tried > 0)
		return refuse(why, "no key verifies the token's signature");
	return refuse(why, parts->kid ? "no key has the token's kid and alg" : "no key has the token's alg");
}

int
sl_jws_open(struct sl_buffer *payload, struct sl_span token, const struct sl_key *keys,
	size_t count, const char *type, const char **why)
{
	struct parts parts = { .kid = NULL };
	json_t *header = NULL;
	int err = split(&parts, token, why);
	if (err == 0)
		err = load_header(&header, &parts, why);
	if (err == 0)
		err = judge_header(&parts, header, type, why);
	if (err == 0)
		err = verify(&parts, keys, count, why);
	json_decref(header);
	if (err != 0)
		return err;
	err = sl_base64url_decode(payload, parts.payload);
	return err == SL_EINVAL ? refuse(why, "the token's payload is not base64url; use base64url without =") : err;
}

/* ---- making ---- */

int
sl_jws_append(struct sl_buffer *out, const struct sl_key *key, const char *type,
	struct sl_span payload)
{
	struct sl_buffer part = SL_BUFFER_INIT;
	size_t start = out->len;
	sl_buffer_printf(&part, "{\"alg\":\"%s\",\"typ\":\"%s\"", sl_alg_name(key->alg), type);
	if (key->kid) {
		sl_buffer_append_str(&part, ",\"kid\":");
		sl_buffer_append_json_string(&part, key->kid, strlen(key->kid));
	}
	sl_buffer_append_char(&part, '}');
	sl_base64url_append(out, part.bytes, part.len);
	sl_buffer_append_char(out, '.');
	sl_base64url_append(out, payload.bytes, payload.len);
	int err = part.failed ? SL_ENOMEM : sl_buffer_status(out);
	sl_buffer_clear(&part);
	if (err == 0)
		err = sl_key_sign(key, (struct sl_span){ out->bytes + start, out->len - start }, &part);
	if (err == 0) {
		sl_buffer_append_char(out, '.');
		sl_base64url_append(out, part.bytes, part.len);
		err = sl_buffer_status(out);
	}
	sl_buffer_finish(&part);
	return err;
}
