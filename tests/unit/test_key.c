#include "auth/key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static void
test_key_has_the_algorithm_of_its_kind(void)
{
	EVP_PKEY *pkeys[] = { EVP_RSA_gen(2048), EVP_EC_gen("P-256"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") };
	static const enum sl_alg algs[] = { SL_ALG_RS256, SL_ALG_ES256, SL_ALG_EDDSA };
	for (size_t i = 0; i < 3; i++) {
		struct sl_key key;
		const char *why;
		CU_ASSERT_EQUAL_FATAL(sl_key_init_pkey(&key, pkeys[i], &why), 0);
		CU_ASSERT_EQUAL(key.alg, algs[i]);
		CU_ASSERT_PTR_NULL(key.kid);
		sl_key_finish(&key);
		CU_ASSERT_PTR_NULL(key.pkey);
		sl_key_finish(&key);
	}
}

static void
expect_refused(EVP_PKEY *pkey, const char *expected)
{
	struct sl_key key;
	const char *why = "";
	CU_ASSERT_PTR_NOT_NULL_FATAL(pkey);
	CU_ASSERT_EQUAL(sl_key_init_pkey(&key, pkey, &why), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, expected));
	CU_ASSERT_PTR_NULL(key.pkey);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

static void
test_key_that_is_weak_or_of_another_kind_is_refused(void)
{
	expect_refused(EVP_RSA_gen(1024), "use 2048 bits");
	expect_refused(EVP_RSA_gen(2047), "use 2048 bits");
	expect_refused(EVP_EC_gen("P-384"), "use P-256");
	expect_refused(EVP_EC_gen("secp256k1"), "use P-256"); /* of the same size */
	expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "use RSA, EC on P-256, or Ed25519");
	expect_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "use RSA, EC on P-256, or Ed25519");
	struct sl_key key;
	CU_ASSERT_EQUAL(sl_key_init_secret(&key, SECRET_32, 31), SL_EINVAL);
	sl_key_finish(&key);
	CU_ASSERT_EQUAL(sl_key_init_secret(&key, SECRET_32, 32), 0);
	sl_key_finish(&key);
}

static void
expect_verified(const struct sl_key *key, const char *token, bool is_expected)
{
	struct sl_buffer signature = SL_BUFFER_INIT;
	const char *last = strrchr(token, '.');
	CU_ASSERT_EQUAL_FATAL(sl_base64url_decode(&signature, span_of(last + 1)), 0);
	CU_ASSERT_EQUAL(sl_key_verify(key, (struct sl_span){ token, (size_t)(last - token) },
		(struct sl_span){ signature.bytes, signature.len }), is_expected);
	CU_ASSERT_EQUAL(ERR_peek_error(), 0); /* TLS on this thread would trip over it */
	sl_buffer_finish(&signature);
}

static const struct {
	const char *jwk, *token;
} vectors[] = {
	{ RFC_HS256_JWK, RFC_HS256 }, { RFC_RSA_JWK, RFC_RS256 }, { RFC_EC_JWK, RFC_ES256 },
	{ RFC_OKP_JWK, RFC_EDDSA },
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static void
test_key_verifies_the_vectors_and_nobody_elses(void)
{
	for (size_t i = 0; i < VECTORS; i++) {
		struct sl_key key = key_of_jwk(vectors[i].jwk, SL_JWK_VERIFIES);
		for (size_t j = 0; j < VECTORS; j++)
			expect_verified(&key, vectors[j].token, i == j);
		sl_key_finish(&key);
	}
}

static void
test_key_refuses_each_changed_bit_of_a_signature(void)
{
	for (size_t i = 0; i < VECTORS; i++) {
		struct sl_key key = key_of_jwk(vectors[i].jwk, SL_JWK_VERIFIES);
		struct sl_buffer signature = SL_BUFFER_INIT;
		const char *token = vectors[i].token, *last = strrchr(token, '.');
		struct sl_span text = { token, (size_t)(last - token) };
		CU_ASSERT_EQUAL_FATAL(sl_base64url_decode(&signature, span_of(last + 1)), 0);
		struct sl_span bytes = { signature.bytes, signature.len };
		CU_ASSERT_TRUE(sl_key_verify(&key, text, bytes));
		for (size_t bit = 0; bit < 8 * signature.len; bit += 5) {
			signature.bytes[bit / 8] ^= (char)(1 << bit % 8);
			CU_ASSERT_FALSE(sl_key_verify(&key, text, bytes));
			signature.bytes[bit / 8] ^= (char)(1 << bit % 8);
		}
		for (size_t len = 0; len < signature.len; len++)
			CU_ASSERT_FALSE(sl_key_verify(&key, text, (struct sl_span){ bytes.bytes, len }));
		text.len--;
		CU_ASSERT_FALSE(sl_key_verify(&key, text, bytes));
		sl_buffer_finish(&signature);
		sl_key_finish(&key);
	}
}

/* R and S of zero, and DER where R||S belongs (CVE-2022-21449 and its like). */
static void
test_key_refuses_signatures_of_es256_that_are_no_pair(void)
{
	struct sl_key key = key_of_jwk(RFC_EC_PRIVATE, SL_JWK_SIGNS);
	char zero[64] = { 0 };
	uint8_t der[80];
	size_t len = sizeof der;
	struct sl_span text = span_of("a.b");
	CU_ASSERT_FALSE(sl_key_verify(&key, text, (struct sl_span){ zero, sizeof zero }));
	memset(zero, 0xff, sizeof zero);
	CU_ASSERT_FALSE(sl_key_verify(&key, text, (struct sl_span){ zero, sizeof zero }));
	EVP_MD_CTX *signer = EVP_MD_CTX_new();
	CU_ASSERT_EQUAL(EVP_DigestSignInit(signer, NULL, EVP_sha256(), NULL, key.pkey), 1);
	CU_ASSERT_EQUAL(EVP_DigestSign(signer, der, &len, (const uint8_t *)text.bytes, text.len), 1);
	EVP_MD_CTX_free(signer);
	CU_ASSERT_FALSE(sl_key_verify(&key, text, (struct sl_span){ (const char *)der, len }));
	sl_key_finish(&key);
}

static void
test_key_signs_what_it_verifies(void)
{
	const char *why;
	struct sl_key keys[4] = { key_of_jwk(RFC_HS256_JWK, SL_JWK_SIGNS), { 0 },
		key_of_jwk(RFC_EC_PRIVATE, SL_JWK_SIGNS), key_of_jwk(RFC_OKP_PRIVATE, SL_JWK_SIGNS) };
	CU_ASSERT_EQUAL_FATAL(sl_key_init_pkey(&keys[1], EVP_RSA_gen(2048), &why), 0);
	static const size_t lens[] = { 32, 256, 64, 64 };
	for (size_t i = 0; i < 4; i++) {
		struct sl_buffer signature = SL_BUFFER_INIT;
		CU_ASSERT_EQUAL_FATAL(sl_key_sign(&keys[i], span_of("a.b"), &signature), 0);
		CU_ASSERT_EQUAL(signature.len, lens[i]);
		CU_ASSERT_TRUE(sl_key_verify(&keys[i], span_of("a.b"),
			(struct sl_span){ signature.bytes, signature.len }));
		CU_ASSERT_FALSE(sl_key_verify(&keys[i], span_of("a.c"),
			(struct sl_span){ signature.bytes, signature.len }));
		sl_buffer_finish(&signature);
		sl_key_finish(&keys[i]);
	}
	struct sl_key public = key_of_jwk(RFC_OKP_JWK, SL_JWK_VERIFIES);
	struct sl_buffer none = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL(sl_key_sign(&public, span_of("a.b"), &none), SL_EINVAL);
	sl_key_finish(&public);
}

static void
test_key_names_of_algorithms_are_exact(void)
{
	enum sl_alg alg;
	for (int i = 0; i < SL_ALGS; i++) {
		CU_ASSERT_TRUE(sl_alg_parse(span_of(sl_alg_name((enum sl_alg)i)), &alg));
		CU_ASSERT_EQUAL((int)alg, i);
	}
	static const char *const wrong[] = { "none", "None", "hs256", "HS384", "HS512", "RS512", "PS256", "ES384",
		"ES256K", "Ed25519", "", "HS256 ", NULL };
	for (size_t i = 0; wrong[i]; i++)
		CU_ASSERT_FALSE(sl_alg_parse(span_of(wrong[i]), &alg));
}

static void
test_key_without_memory(void)
{
	for_each_failing_allocation(failing) {
		struct sl_key key;
		struct sl_buffer out = SL_BUFFER_INIT;
		int err = sl_key_init_secret(&key, SECRET_32, 32);
		if (err == 0)
			err = sl_key_sign(&key, span_of("a"), &out);
		failing_expect(err);
		sl_buffer_finish(&out);
		sl_key_finish(&key);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_key_has_the_algorithm_of_its_kind),
		UNIT_TEST(test_key_that_is_weak_or_of_another_kind_is_refused),
		UNIT_TEST(test_key_verifies_the_vectors_and_nobody_elses),
		UNIT_TEST(test_key_refuses_each_changed_bit_of_a_signature),
		UNIT_TEST(test_key_refuses_signatures_of_es256_that_are_no_pair),
		UNIT_TEST(test_key_signs_what_it_verifies),
		UNIT_TEST(test_key_names_of_algorithms_are_exact),
		UNIT_TEST(test_key_without_memory),
		{ NULL, NULL },
	};
	return unit_main("key", tests);
}
