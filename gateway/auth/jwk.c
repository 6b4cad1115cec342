#include "auth/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64url.h"
#include "util/err.h"

#define P256_BYTES 32
#define ED25519_BYTES 32

static int
refuse(const char **why, const char *reason)
{
	*why = reason;
	return SL_EINVAL;
}

static int
skip(const char **why, const char *reason)
{
	*why = reason;
	return SL_ENOENT;
}

/* ---- members ---- */

/* The text of a member; NULL where there is none or it is no string. */
static const char *
text_of(const json_t *jwk, const char *name)
{
	return json_string_value(json_object_get(jwk, name));
}

/* The bytes of a member in base64url; their count is exactly `len`, or any but none for 0. */
static int
read_bytes(struct sl_buffer *out, const json_t *jwk, const char *name, size_t len)
{
	const char *text = text_of(jwk, name);
	sl_buffer_clear(out);
	int err = text ? sl_base64url_decode(out, (struct sl_span){ text, strlen(text) }) : SL_EINVAL;
	bool is_right = len > 0 ? out->len == len : out->len > 0;
	return err == 0 && !is_right ? SL_EINVAL : err;
}

static int
read_number(BIGNUM **out, const json_t *jwk, const char *name, size_t len)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	int err = read_bytes(&bytes, jwk, name, len);
	if (err == 0 && bytes.len > SL_KEY_RSA_BITS_MAX / 8 + 1)
		err = SL_EINVAL;
	if (err == 0) {
		*out = BN_bin2bn((const uint8_t *)bytes.bytes, (int)bytes.len, NULL);
		err = *out ? 0 : SL_ENOMEM;
	}
	if (bytes.bytes)
		explicit_bzero(bytes.bytes, bytes.len);
	sl_buffer_finish(&bytes);
	return err;
}

/* ---- keys by kty ---- */

/* Makes the key of what `build` holds. */
static int
make(EVP_PKEY **out, const char *kind, OSSL_PARAM_BLD *build, enum sl_jwk_use use)
{
	int selection = use == SL_JWK_SIGNS ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *maker = params ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
	int err = maker ? 0 : SL_ENOMEM;
	if (maker && (EVP_PKEY_fromdata_init(maker) != 1
			|| EVP_PKEY_fromdata(maker, out, selection, params) != 1))
		err = SL_EINVAL;
	EVP_PKEY_CTX_free(maker);
	OSSL_PARAM_free(params);
	return err;
}

static int
read_rsa(EVP_PKEY **out, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	BIGNUM *n = NULL, *e = NULL, *d = NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	int err = build ? read_number(&n, jwk, "n", 0) : SL_ENOMEM;
	if (err == 0)
		err = read_number(&e, jwk, "e", 0);
	if (err == 0 && use == SL_JWK_SIGNS)
		err = read_number(&d, jwk, "d", 0);
	if (err == 0 && (!OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n)
			|| !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)
			|| (d && !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d))))
		err = SL_ENOMEM;
	if (err == 0)
		err = make(out, "RSA", build, use);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	BN_clear_free(d);
	return err == SL_EINVAL ? refuse(why, "the RSA numbers n, e (and d of a private key) are not a key; use a new export")
		: err;
}

/* The point without compression: SEC 1, section 2.3.3. */
static int
read_point(const json_t *jwk, uint8_t point[1 + 2 * P256_BYTES])
{
	struct sl_buffer half = SL_BUFFER_INIT;
	point[0] = 4;
	int err = read_bytes(&half, jwk, "x", P256_BYTES);
	if (err == 0) {
		memcpy(point + 1, half.bytes, P256_BYTES);
		err = read_bytes(&half, jwk, "y", P256_BYTES);
	}
	if (err == 0)
		memcpy(point + 1 + P256_BYTES, half.bytes, P256_BYTES);
	sl_buffer_finish(&half);
	return err;
}

static int
read_ec(EVP_PKEY **out, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	uint8_t point[1 + 2 * P256_BYTES];
	BIGNUM *d = NULL;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	int err = build ? read_point(jwk, point) : SL_ENOMEM;
	if (err == 0 && use == SL_JWK_SIGNS)
		err = read_number(&d, jwk, "d", P256_BYTES);
	if (err == 0
		&& (!OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0)
			|| !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point)
			|| (d && !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d))))
		err = SL_ENOMEM;
	if (err == 0)
		err = make(out, "EC", build, use);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(d);
	return err == SL_EINVAL ? refuse(why, "x and y (and d of a private key) are not a point of P-256; use"
		" 32 bytes each in base64url") : err;
}

static int
read_okp(EVP_PKEY **out, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	bool signs = use == SL_JWK_SIGNS;
	int err = read_bytes(&bytes, jwk, signs ? "d" : "x", ED25519_BYTES);
	const uint8_t *raw = (const uint8_t *)bytes.bytes;
	if (err == 0) {
		*out = signs ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, ED25519_BYTES)
			: EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, ED25519_BYTES);
		err = *out ? 0 : SL_ENOMEM;
	}
	if (bytes.bytes)
		explicit_bzero(bytes.bytes, bytes.len);
	sl_buffer_finish(&bytes);
	return err == SL_EINVAL ? refuse(why, signs ? "d is not valid; use 32 bytes in base64url"
		: "x is not valid; use 32 bytes in base64url") : err;
}

static int
read_oct(struct sl_key *out, const json_t *jwk, const char **why)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	int err = read_bytes(&bytes, jwk, "k", 0);
	if (err == SL_EINVAL)
		refuse(why, "k is not valid; use base64url");
	if (err == 0 && (err = sl_key_init_secret(out, bytes.bytes, bytes.len)) == SL_EINVAL)
		refuse(why, "the secret k is too short; use 32 bytes or more");
	if (bytes.bytes)
		explicit_bzero(bytes.bytes, bytes.len);
	sl_buffer_finish(&bytes);
	return err;
}

/* ---- which keys count ---- */

/* What each kty may be here. */
static const struct kind {
	const char *kty, *alg, *crv; /* crv NULL: it has none */
	int (*read)(EVP_PKEY **out, const json_t *jwk, enum sl_jwk_use use, const char **why);
} kinds[] = {
	{ "RSA", "RS256", NULL, read_rsa }, { "EC", "ES256", "P-256", read_ec },
	{ "OKP", "EdDSA", "Ed25519", read_okp }, { "oct", "HS256", NULL, NULL },
};

static const struct kind *
find_kind(const char *kty)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].kty, kty) == 0)
			return &kinds[i];
	return NULL;
}

static bool
has_operation(const json_t *operations, const char *name)
{
	size_t i;
	const json_t *one;
	json_array_foreach(operations, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

/* May it do what it is read for? */
static int
judge_use(const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	const json_t *purpose = json_object_get(jwk, "use");
	const json_t *operations = json_object_get(jwk, "key_ops");
	const char *needed = use == SL_JWK_SIGNS ? "sign" : "verify";
	if (purpose && !json_is_string(purpose))
		return refuse(why, "use is not a string; use sig");
	if (operations && !json_is_array(operations))
		return refuse(why, "key_ops is not an array; use an array with verify or sign");
	if (purpose && strcmp(json_string_value(purpose), "sig") != 0)
		return skip(why, "use is not sig");
	if (operations && !has_operation(operations, needed))
		return skip(why, use == SL_JWK_SIGNS ? "key_ops lacks sign" : "key_ops lacks verify");
	return 0;
}

static int
judge_kind(const struct kind *kind, const json_t *jwk, const char **why)
{
	const json_t *alg = json_object_get(jwk, "alg"), *crv = json_object_get(jwk, "crv");
	if (alg && !json_is_string(alg))
		return refuse(why, "alg is not a string; use a string or omit it");
	if (alg && strcmp(json_string_value(alg), kind->alg) != 0)
		return skip(why, "alg is none of HS256, RS256, ES256, EdDSA, or does not fit kty");
	if (!kind->crv)
		return 0;
	if (!json_is_string(crv))
		return refuse(why, "there is no crv; use P-256 or Ed25519");
	if (strcmp(json_string_value(crv), kind->crv) == 0)
		return 0;
	return alg ? refuse(why, "crv does not fit alg; use P-256 for ES256, Ed25519 for EdDSA")
		: skip(why, "crv is neither P-256 nor Ed25519");
}

/* Of the asymmetric kinds only what is read for signing may be private. */
static int
judge_privacy(const struct kind *kind, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	bool is_private = json_object_get(jwk, "d") != NULL;
	if (kind && !kind->read)
		return 0;
	if (is_private && use == SL_JWK_VERIFIES)
		return refuse(why, "this is a private key, since it has d; use the public part alone");
	if (kind && !is_private && use == SL_JWK_SIGNS)
		return refuse(why, "this is a public key, since it has no d; use the private one");
	return 0;
}

static int
judge(const struct kind **kind, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	const json_t *kid = json_object_get(jwk, "kid");
	const char *kty = text_of(jwk, "kty");
	if (!kty)
		return refuse(why, "there is no kty; use RSA, EC, OKP or oct");
	if (kid && !json_is_string(kid))
		return refuse(why, "kid is not a string; use a string or omit it");
	*kind = find_kind(kty);
	int err = judge_privacy(*kind, jwk, use, why);
	if (err == 0 && !*kind)
		return skip(why, "kty is none of RSA, EC, OKP, oct");
	if (err == 0)
		err = judge_use(jwk, use, why);
	return err == 0 ? judge_kind(*kind, jwk, why) : err;
}

int
sl_jwk_read(struct sl_key *out, const json_t *jwk, enum sl_jwk_use use, const char **why)
{
	const struct kind *kind = NULL;
	EVP_PKEY *pkey = NULL;
	*out = (struct sl_key){ 0 };
	if (!json_is_object(jwk))
		return refuse(why, "this is not a JSON object; use a JWK");
	int err = judge(&kind, jwk, use, why);
	if (err == 0)
		err = kind->read ? kind->read(&pkey, jwk, use, why) : read_oct(out, jwk, why);
	if (err == 0 && pkey)
		err = sl_key_init_pkey(out, pkey, why);
	ERR_clear_error();
	const char *kid = text_of(jwk, "kid");
	if (err == 0 && kid && !(out->kid = strdup(kid)))
		err = SL_ENOMEM;
	if (err != 0)
		sl_key_finish(out);
	return err;
}
