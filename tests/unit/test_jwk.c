#include "auth/jwk.h"

#include <stdlib.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static int
read_jwk(const char *json, enum sl_jwk_use use, const char **why)
{
	struct sl_key key;
	json_t *jwk = json_loads(json, JSON_DECODE_ANY, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(jwk);
	*why = "";
	int err = sl_jwk_read(&key, jwk, use, why);
	json_decref(jwk);
	sl_key_finish(&key);
	return err;
}

static void
expect(const char *json, enum sl_jwk_use use, int expected, const char *part)
{
	const char *why;
	int err = read_jwk(json, use, &why);
	if (err != expected || !strstr(why, part))
		fprintf(stderr, "%s: %d \"%s\" instead of %d %s\n", json, err, why, expected, part);
	CU_ASSERT_EQUAL(err, expected);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, part));
}
#define TAKEN(json) expect(json, SL_JWK_VERIFIES, 0, "")
#define SKIPPED(json, why) expect(json, SL_JWK_VERIFIES, SL_ENOENT, why)
#define REFUSED(json, why) expect(json, SL_JWK_VERIFIES, SL_EINVAL, why)

#define OKP_WITH(members) "{" RFC_OKP "," RFC_OKP_X "," members "}"
#define EC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""

static void
test_jwk_takes_each_kind_with_its_algorithm_or_none(void)
{
	TAKEN(RFC_HS256_JWK);
	TAKEN(RFC_RSA_JWK);
	TAKEN(RFC_EC_JWK);
	TAKEN(RFC_OKP_JWK);
	TAKEN(OKP_WITH("\"alg\":\"EdDSA\",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"kid\":\"a\",\"x5c\":[]"));
	struct sl_key key = key_of_jwk(OKP_WITH("\"kid\":\"the \\u00e9\""), SL_JWK_VERIFIES);
	CU_ASSERT_STRING_EQUAL(key.kid, "the \xc3\xa9");
	sl_key_finish(&key);
}

static void
test_jwk_of_other_kinds_and_uses_is_skipped(void)
{
	SKIPPED("{\"kty\":\"AKP\"}", "kty");
	SKIPPED("{\"kty\":\"EC\",\"crv\":\"P-384\"}", "neither P-256");
	SKIPPED("{\"kty\":\"EC\",\"crv\":\"secp256k1\"}", "neither P-256");
	SKIPPED("{\"kty\":\"OKP\",\"crv\":\"X25519\"}", "nor Ed25519");
	SKIPPED("{\"kty\":\"RSA\",\"alg\":\"RS512\"}", "alg");
	SKIPPED("{\"kty\":\"RSA\",\"alg\":\"HS256\"}", "alg");
	SKIPPED("{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"AAAA\"}", "alg");
	SKIPPED(OKP_WITH("\"use\":\"enc\""), "use");
	SKIPPED(OKP_WITH("\"key_ops\":[\"sign\",1]"), "key_ops");
}

static void
test_jwk_that_is_malformed_weak_or_private_is_refused(void)
{
	REFUSED("[]", "not a JSON object");
	REFUSED("{}", "kty");
	REFUSED("{\"kty\":1}", "kty");
	REFUSED(OKP_WITH("\"kid\":1"), "kid");
	REFUSED(OKP_WITH("\"use\":1"), "use");
	REFUSED(OKP_WITH("\"key_ops\":\"verify\""), "key_ops");
	REFUSED(OKP_WITH("\"alg\":null"), "alg");
	REFUSED(RFC_OKP_PRIVATE, "private key");
	REFUSED(RFC_EC_PRIVATE, "private key");
	REFUSED("{\"kty\":\"AKP\",\"d\":\"\"}", "private key"); /* of whatever kind */
	REFUSED("{" RFC_OKP "}", "x is not valid; use 32 bytes");
	REFUSED("{" RFC_OKP ",\"x\":\"11qY\"}", "x is not valid; use 32 bytes");
	REFUSED("{" RFC_OKP ",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}", "x is not valid; use 32 bytes");
	REFUSED("{\"kty\":\"OKP\"}", "no crv");
	REFUSED("{\"kty\":\"EC\",\"crv\":\"P-384\",\"alg\":\"ES256\"}", "crv does not fit alg");
	REFUSED("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X "}", "not a point of P-256");
	REFUSED("{\"kty\":\"EC\",\"crv\":\"P-256\"," EC_X ",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
		"not a point of P-256");
	REFUSED("{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", "too short");
	REFUSED("{\"kty\":\"oct\"}", "k is not valid; use base64url");
	REFUSED("{\"kty\":\"oct\",\"k\":\"****\"}", "k is not valid; use base64url");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "2048 bits");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\"}", "not a key");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"\"}", "not a key");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQ\"}", "contradict each other");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"AQAAAAAAAAAB\"}", "longer than 64 bits");
	REFUSED("{\"kty\":\"RSA\",\"n\":\"" RFC_RSA_N "\",\"e\":\"Ag\"}", "contradict each other");
}

static void
test_jwk_for_signing_must_be_private(void)
{
	expect(RFC_EC_PRIVATE, SL_JWK_SIGNS, 0, "");
	expect(RFC_OKP_PRIVATE, SL_JWK_SIGNS, 0, "");
	expect(RFC_HS256_JWK, SL_JWK_SIGNS, 0, "");
	expect(RFC_EC_JWK, SL_JWK_SIGNS, SL_EINVAL, "public key");
	expect("{" RFC_OKP ",\"d\":\"AAAA\"}", SL_JWK_SIGNS, SL_EINVAL, "d is not valid; use 32 bytes");
	expect("{" RFC_OKP ",\"key_ops\":[\"verify\"],\"d\":\"AAAA\"}", SL_JWK_SIGNS, SL_ENOENT, "lacks sign");
}

static void
test_jwk_without_memory(void)
{
	static const char *const jwks[] = { RFC_HS256_JWK, RFC_RSA_JWK, RFC_EC_JWK, OKP_WITH("\"kid\":\"a\"") };
	for (size_t i = 0; i < 4; i++) {
		json_t *jwk = json_loads(jwks[i], 0, NULL);
		for_each_failing_allocation(failing) {
			struct sl_key key;
			const char *why;
			int err = sl_jwk_read(&key, jwk, SL_JWK_VERIFIES, &why);
			failing_expect(err);
			sl_key_finish(&key);
		}
		json_decref(jwk);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_jwk_takes_each_kind_with_its_algorithm_or_none),
		UNIT_TEST(test_jwk_of_other_kinds_and_uses_is_skipped),
		UNIT_TEST(test_jwk_that_is_malformed_weak_or_private_is_refused),
		UNIT_TEST(test_jwk_for_signing_must_be_private),
		UNIT_TEST(test_jwk_without_memory),
		{ NULL, NULL },
	};
	return unit_main("jwk", tests);
}
