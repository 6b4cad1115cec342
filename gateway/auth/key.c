#include "auth/key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

#define ES256_HALF 32 /* bytes of R and of S (RFC 7518, section 3.4) */
#define RSA_EXPONENT_BITS_MAX 64 /* a larger one only makes each verification slow */
#define DER_MAX 80    /* of an ECDSA signature on P-256: 72 */

static const char *const names[SL_ALGS] = {
	[SL_ALG_HS256] = "HS256", [SL_ALG_RS256] = "RS256", [SL_ALG_ES256] = "ES256",
	[SL_ALG_EDDSA] = "EdDSA",
};

const char *
sl_alg_name(enum sl_alg alg)
{
	return names[alg];
}

bool
sl_alg_parse(struct sl_span name, enum sl_alg *out)
{
	for (int i = 0; i < SL_ALGS; i++)
		if (sl_span_equals(name, names[i])) {
			*out = (enum sl_alg)i;
			return true;
		}
	return false;
}

/* ---- making ---- */

int
sl_key_init_secret(struct sl_key *key, const void *secret, size_t len)
{
	*key = (struct sl_key){ .alg = SL_ALG_HS256, .secret_len = len };
	if (len < SL_KEY_SECRET_MIN)
		return SL_EINVAL;
	key->secret = malloc(len);
	if (!key->secret)
		return SL_ENOMEM;
	memcpy(key->secret, secret, len);
	return 0;
}

static const char *
judge_rsa(EVP_PKEY *pkey)
{
	int bits = EVP_PKEY_get_bits(pkey);
	if (bits < SL_KEY_RSA_BITS_MIN)
		return "the RSA key is too short; use 2048 bits or more";
	if (bits > SL_KEY_RSA_BITS_MAX)
		return "the RSA key is too long; use at most 8192 bits";
	BIGNUM *e = NULL;
	bool is_known = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
	bool is_small = is_known && BN_num_bits(e) <= RSA_EXPONENT_BITS_MAX;
	BN_free(e);
	return is_small ? NULL : "the exponent of the RSA key is longer than 64 bits; use 65537";
}

static const char *
judge_ec(EVP_PKEY *pkey)
{
	char group[32] = "";
	size_t len;
	EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &len);
	return strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0 ? NULL
		: "the EC key is on another curve than P-256; use P-256 (prime256v1)";
}

/* What is wrong with it, or NULL. */
static const char *
judge(EVP_PKEY *pkey, enum sl_alg *alg)
{
	const char *why = NULL;
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*alg = SL_ALG_RS256;
		why = judge_rsa(pkey);
		break;
	case EVP_PKEY_EC:
		*alg = SL_ALG_ES256;
		why = judge_ec(pkey);
		break;
	case EVP_PKEY_ED25519: *alg = SL_ALG_EDDSA; break;
	default: return "the key is of an unknown kind; use RSA, EC on P-256, or Ed25519";
	}
	EVP_PKEY_CTX *check = why ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
	if (check && EVP_PKEY_public_check(check) != 1)
		why = "the parts of the key contradict each other; use a new export of the key";
	EVP_PKEY_CTX_free(check);
	return why;
}

int
sl_key_init_pkey(struct sl_key *key, struct evp_pkey_st *pkey, const char **why)
{
	*key = (struct sl_key){ .pkey = pkey };
	const char *reason = judge(pkey, &key->alg);
	ERR_clear_error();
	if (!reason)
		return 0;
	*why = reason;
	key->pkey = NULL;
	EVP_PKEY_free(pkey);
	return SL_EINVAL;
}

void
sl_key_finish(struct sl_key *key)
{
	if (key->secret)
		explicit_bzero(key->secret, key->secret_len);
	free(key->secret);
	free(key->kid);
	EVP_PKEY_free(key->pkey);
	*key = (struct sl_key){ 0 };
}

/* ---- HS256 ---- */

static bool
compute_hmac(const struct sl_key *key, struct sl_span text, uint8_t out[SHA256_DIGEST_LENGTH])
{
	return key->secret_len <= INT32_MAX && HMAC(EVP_sha256(), key->secret, (int)key->secret_len,
		(const uint8_t *)text.bytes, text.len, out, NULL) != NULL;
}

/* ---- ES256: OpenSSL reads and writes DER, a JWS has R and S in 32 bytes each ---- */

/* Returns how many bytes, 0 when it is none. */
static size_t
convert_to_der(struct sl_span signature, uint8_t der[DER_MAX])
{
	const uint8_t *bytes = (const uint8_t *)signature.bytes;
	if (signature.len != 2 * ES256_HALF)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(bytes + ES256_HALF, ES256_HALF, NULL);
	int len = 0;
	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL;
		len = i2d_ECDSA_SIG(pair, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return len > 0 ? (size_t)len : 0;
}

static bool
convert_from_der(const uint8_t *der, size_t len, uint8_t out[2 * ES256_HALF])
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool is_converted = pair
		&& BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, ES256_HALF) == ES256_HALF
		&& BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + ES256_HALF, ES256_HALF) == ES256_HALF;
	ECDSA_SIG_free(pair);
	return is_converted;
}

/* ---- both ---- */

static const EVP_MD *
digest_of(enum sl_alg alg)
{
	return alg == SL_ALG_EDDSA ? NULL : EVP_sha256();
}

static bool
verify_public(const struct sl_key *key, struct sl_span text, struct sl_span signature)
{
	uint8_t der[DER_MAX];
	if (key->alg == SL_ALG_ES256)
		signature = (struct sl_span){ (const char *)der, convert_to_der(signature, der) };
	EVP_MD_CTX *verifier = signature.len > 0 ? EVP_MD_CTX_new() : NULL;
	bool is_good = verifier
		&& EVP_DigestVerifyInit(verifier, NULL, digest_of(key->alg), NULL, key->pkey) == 1
		&& EVP_DigestVerify(verifier, (const uint8_t *)signature.bytes, signature.len,
			(const uint8_t *)text.bytes, text.len) == 1;
	EVP_MD_CTX_free(verifier);
	if (!is_good)
		ERR_clear_error(); /* the thread's next TLS call must not find it */
	return is_good;
}

bool
sl_key_verify(const struct sl_key *key, struct sl_span text, struct sl_span signature)
{
	uint8_t mac[SHA256_DIGEST_LENGTH];
	if (key->alg != SL_ALG_HS256)
		return verify_public(key, text, signature);
	bool is_good = signature.len == sizeof mac && compute_hmac(key, text, mac)
		&& CRYPTO_memcmp(mac, signature.bytes, sizeof mac) == 0;
	explicit_bzero(mac, sizeof mac);
	return is_good;
}

static int
sign_private(const struct sl_key *key, struct sl_span text, struct sl_buffer *out)
{
	uint8_t made[SL_KEY_RSA_BITS_MAX / 8], halves[2 * ES256_HALF];
	size_t len = sizeof made;
	EVP_MD_CTX *signer = EVP_MD_CTX_new();
	bool is_made = signer
		&& EVP_DigestSignInit(signer, NULL, digest_of(key->alg), NULL, key->pkey) == 1
		&& EVP_DigestSign(signer, made, &len, (const uint8_t *)text.bytes, text.len) == 1;
	EVP_MD_CTX_free(signer);
	if (is_made && key->alg == SL_ALG_ES256)
		is_made = convert_from_der(made, len, halves);
	ERR_clear_error();
	if (!is_made)
		return SL_EINVAL;
	if (key->alg == SL_ALG_ES256)
		sl_buffer_append(out, halves, sizeof halves);
	else
		sl_buffer_append(out, made, len);
	return sl_buffer_status(out);
}

int
sl_key_sign(const struct sl_key *key, struct sl_span text, struct sl_buffer *out)
{
	uint8_t mac[SHA256_DIGEST_LENGTH];
	if (key->alg != SL_ALG_HS256)
		return sign_private(key, text, out);
	if (!compute_hmac(key, text, mac))
		return SL_ENOMEM;
	sl_buffer_append(out, mac, sizeof mac);
	return sl_buffer_status(out);
}
