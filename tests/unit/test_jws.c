#include "auth/jws.h"

#include <stdlib.h>

#include "auth/auth.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Of each algorithm one; the third has a name. */
static struct sl_key keys[4];
#define HMAC keys[0]

static int
open_token(const char *token, const char *type, struct sl_buffer *payload, const char **why)
{
	*why = "";
	return sl_jws_open(payload, span_of(token), keys, 4, type, why);
}

static void
expect_refused(const char *token, const char *part)
{
	struct sl_buffer payload = SL_BUFFER_INIT;
	const char *why;
	int err = open_token(token, NULL, &payload, &why);
	if (err != SL_EINVAL || !strstr(why, part))
		fprintf(stderr, "%.300s: %d \"%s\" lacks %s\n", token, err, why, part);
	CU_ASSERT_EQUAL(err, SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, part));
	CU_ASSERT_EQUAL(payload.len, 0);
	sl_buffer_finish(&payload);
}

static void
expect_header_refused(const char *header, const char *part)
{
	char *token = sign_raw(&HMAC, header, "{}");
	expect_refused(token, part);
	free(token);
}

static void
expect_opened(const char *token, const char *text)
{
	struct sl_buffer payload = SL_BUFFER_INIT;
	const char *why;
	CU_ASSERT_EQUAL(open_token(token, NULL, &payload, &why), 0);
	CU_ASSERT_EQUAL_FATAL(payload.len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(payload.bytes, text, payload.len), 0);
	sl_buffer_finish(&payload);
}

static void
expect_header_taken(const struct sl_key *key, const char *header)
{
	char *token = sign_raw(key, header, "{\"a\":1}");
	expect_opened(token, "{\"a\":1}");
	free(token);
}

static void
test_jws_opens_the_vectors_of_the_rfcs(void)
{
	expect_opened(RFC_HS256, RFC_CLAIMS); /* RFC 7515, A.1 */
	expect_opened(RFC_RS256, RFC_CLAIMS); /* A.2 */
	expect_opened(RFC_ES256, RFC_CLAIMS); /* A.3 */
	expect_opened(RFC_EDDSA, RFC_ED_TEXT); /* RFC 8037, A.5 */
}

static void
test_jws_makes_the_signature_of_rfc_8037(void)
{
	struct sl_key key = key_of_jwk(RFC_OKP_PRIVATE, SL_JWK_SIGNS);
	char *token = sign_raw(&key, "{\"alg\":\"EdDSA\"}", RFC_ED_TEXT);
	CU_ASSERT_STRING_EQUAL(token, RFC_EDDSA); /* A.4 */
	free(token);
	sl_key_finish(&key);
}

static void
test_jws_without_a_signature_is_refused(void)
{
	expect_refused("eyJhbGciOiJub25lIn0." RFC_PAYLOAD ".", "alg is unknown"); /* RFC 7519, 6.1 */
	expect_header_refused("{\"alg\":\"none\"}", "alg is unknown");
	expect_header_refused("{\"alg\":\"NONE\"}", "alg is unknown");
	expect_header_refused("{\"alg\":\"hs256\"}", "alg is unknown");
	expect_header_refused("{\"alg\":\"HS512\"}", "alg is unknown");
	expect_header_refused("{\"alg\":[\"HS256\"]}", "alg is unknown");
	expect_header_refused("{}", "alg is unknown");
	expect_refused("eyJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD ".", "no key verifies");
}

/* The text of a public key as the secret of HMAC: each key has one algorithm. */
static void
test_jws_signed_with_a_public_key_as_the_secret_is_refused(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n" RFC_RSA_N "\n-----END PUBLIC KEY-----\n";
	struct sl_key forged;
	const char *why;
	struct sl_buffer payload = SL_BUFFER_INIT;
	CU_ASSERT_EQUAL_FATAL(sl_key_init_secret(&forged, pem, sizeof pem - 1), 0);
	char *token = sign_raw(&forged, "{\"alg\":\"HS256\"}", "{}");
	CU_ASSERT_EQUAL(sl_jws_open(&payload, span_of(token), &keys[1], 1, NULL, &why), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "no key has the token's alg");
	expect_refused(token, "no key verifies");
	free(token);
	token = sign_raw(&forged, "{\"alg\":\"RS256\"}", "{}");
	expect_refused(token, "no key verifies");
	free(token);
	sl_key_finish(&forged);
}

static void
test_jws_tries_the_keys_of_its_kid_and_those_without_a_name(void)
{
	struct sl_key signer = key_of_jwk(RFC_EC_PRIVATE, SL_JWK_SIGNS);
	expect_header_taken(&signer, "{\"alg\":\"ES256\"}");
	expect_header_taken(&signer, "{\"alg\":\"ES256\",\"kid\":\"one\"}");
	char *token = sign_raw(&signer, "{\"alg\":\"ES256\",\"kid\":\"two\"}", "{}");
	expect_refused(token, "no key has the token's kid and alg");
	free(token);
	token = sign_raw(&signer, "{\"alg\":\"ES256\",\"kid\":1}", "{}");
	expect_refused(token, "kid is not a string");
	free(token);
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"kid\":\"whatever\"}");
	expect_header_refused("{\"alg\":\"EdDSA\",\"kid\":\"one\"}", "no key verifies");
	sl_key_finish(&signer);
}

static void
test_jws_with_an_extension_is_refused(void)
{
	expect_header_refused("{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "crit");
	expect_header_refused("{\"alg\":\"HS256\",\"crit\":[]}", "crit");
	expect_header_refused("{\"alg\":\"HS256\",\"crit\":null}", "crit");
	expect_header_refused("{\"alg\":\"HS256\",\"b64\":false}", "b64");
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":\"file:///\","
		"\"jwk\":" RFC_OKP_JWK ",\"cty\":\"x\"}");
}

static void
test_jws_type_is_that_of_a_jwt(void)
{
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"typ\":\"jwt\"}");
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"typ\":\"AT+JWT\"}");
	expect_header_taken(&HMAC, "{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\"}");
	expect_header_refused("{\"alg\":\"HS256\",\"typ\":\"sluice-ticket+jwt\"}", "typ is unknown");
	expect_header_refused("{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}", "typ is unknown");
	expect_header_refused("{\"alg\":\"HS256\",\"typ\":1}", "typ is unknown");
	struct sl_buffer payload = SL_BUFFER_INIT;
	const char *why;
	char *ticket = sign_raw(&HMAC, "{\"alg\":\"HS256\",\"typ\":\"t\"}", "{}");
	CU_ASSERT_EQUAL(open_token(ticket, "t", &payload, &why), 0);
	CU_ASSERT_EQUAL(open_token(ticket, "T", &payload, &why), SL_EINVAL);
	CU_ASSERT_EQUAL(open_token(RFC_HS256, "t", &payload, &why), SL_EINVAL);
	CU_ASSERT_EQUAL(open_token(RFC_EDDSA, "t", &payload, &why), SL_EINVAL); /* has none */
	free(ticket);
	sl_buffer_finish(&payload);
}

static void
test_jws_header_is_read_strictly(void)
{
	expect_header_refused("{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "member twice");
	expect_header_refused("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", "member twice");
	expect_header_refused("{\"alg\":\"HS256\\u0000\"}", "use a JSON object");
	expect_header_refused("[\"HS256\"]", "use a JSON object");
	expect_header_refused("", "use a JSON object");
	expect_header_refused("{\"alg\":\"HS256\",\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", "use a JSON object");
	expect_header_refused("{\"alg\":\"HS256\",\"a\":1e999}", "use a JSON object");
}

static void
test_jws_has_three_parts_in_strict_base64url(void)
{
	static const char *const wrong[] = { "", ".", "a.b", "....", RFC_HS256 ".", "." RFC_HS256, "Bearer", NULL };
	for (size_t i = 0; wrong[i]; i++)
		expect_refused(wrong[i], "three parts");
	expect_refused("..", "use a JSON object");
	expect_refused(RFC_HS256 "=", "signature is not base64url");
	expect_refused(" " RFC_HS256, "use a JSON object");
	expect_refused(RFC_HS256 "\n", "signature is not base64url");
	expect_refused(RFC_HS256 "AAA", "no key verifies");
	/* The last character but for the bits that count: another text of the same signature. */
	expect_refused("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", "signature is not base64url");
	struct sl_buffer token = SL_BUFFER_INIT, signature = SL_BUFFER_INIT;
	sl_buffer_append_str(&token, "eyJhbGciOiJIUzI1NiJ9.e30=");
	CU_ASSERT_EQUAL(sl_key_sign(&HMAC, (struct sl_span){ token.bytes, token.len }, &signature), 0);
	sl_buffer_append_char(&token, '.');
	sl_base64url_append(&token, signature.bytes, signature.len);
	char *text = sl_buffer_take_string(&token);
	expect_refused(text, "payload is not base64url"); /* though it is signed */
	sl_buffer_finish(&signature);
	free(text);
}

static void
test_jws_above_the_limit_is_not_looked_at(void)
{
	char payload[SL_TOKEN_MAX] = "", *token = NULL;
	size_t len = 6060;
	do { /* the longest that fits, then one that does not */
		free(token);
		memset(payload, ' ', ++len);
		payload[len] = '\0';
		token = sign_raw(&HMAC, "{\"alg\":\"HS256\"}", payload);
		if (strlen(token) <= SL_TOKEN_MAX)
			expect_opened(token, payload);
	} while (strlen(token) <= SL_TOKEN_MAX);
	expect_refused(token, "too long");
	free(token);
}

static void
test_jws_that_is_made_can_be_opened(void)
{
	struct sl_key named = key_of_jwk("{\"kid\":\"a\\\"b\"," RFC_OKP "," RFC_OKP_X
		",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", SL_JWK_SIGNS);
	struct sl_buffer token = SL_BUFFER_INIT, payload = SL_BUFFER_INIT;
	const char *why;
	CU_ASSERT_EQUAL_FATAL(sl_jws_append(&token, &named, "JWT", span_of("{\"b\":2}")), 0);
	struct sl_span made = { token.bytes, token.len };
	CU_ASSERT_EQUAL(sl_jws_open(&payload, made, &named, 1, NULL, &why), 0);
	CU_ASSERT_EQUAL(payload.len, 7);
	named.kid[0] = 'x';
	CU_ASSERT_EQUAL(sl_jws_open(&payload, made, &named, 1, NULL, &why), SL_EINVAL);
	sl_buffer_finish(&token);
	sl_buffer_finish(&payload);
	sl_key_finish(&named);
}

static void
test_jws_without_memory(void)
{
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_get_alloc_funcs(&own_malloc, &own_free);
	json_set_alloc_funcs(malloc, free); /* which are the failing ones here */
	for_each_failing_allocation(failing) {
		struct sl_buffer payload = SL_BUFFER_INIT;
		const char *why;
		int err = open_token(RFC_HS256, NULL, &payload, &why);
		failing_alloc_off();
		CU_ASSERT_EQUAL(err == 0, !failing_alloc_has_failed());
		sl_buffer_finish(&payload);
	}
	json_set_alloc_funcs(own_malloc, own_free);
	for_each_failing_allocation(failing) {
		struct sl_buffer token = SL_BUFFER_INIT;
		int err = sl_jws_append(&token, &HMAC, "JWT", span_of("{}"));
		failing_expect(err);
		sl_buffer_finish(&token);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_jws_opens_the_vectors_of_the_rfcs),
		UNIT_TEST(test_jws_makes_the_signature_of_rfc_8037),
		UNIT_TEST(test_jws_without_a_signature_is_refused),
		UNIT_TEST(test_jws_signed_with_a_public_key_as_the_secret_is_refused),
		UNIT_TEST(test_jws_tries_the_keys_of_its_kid_and_those_without_a_name),
		UNIT_TEST(test_jws_with_an_extension_is_refused),
		UNIT_TEST(test_jws_type_is_that_of_a_jwt),
		UNIT_TEST(test_jws_header_is_read_strictly),
		UNIT_TEST(test_jws_has_three_parts_in_strict_base64url),
		UNIT_TEST(test_jws_above_the_limit_is_not_looked_at),
		UNIT_TEST(test_jws_that_is_made_can_be_opened),
		UNIT_TEST(test_jws_without_memory),
		{ NULL, NULL },
	};
	json_object_seed(1);
	keys[0] = key_of_jwk(RFC_HS256_JWK, SL_JWK_VERIFIES);
	keys[1] = key_of_jwk(RFC_RSA_JWK, SL_JWK_VERIFIES);
	keys[2] = key_of_jwk("{\"kid\":\"one\",\"kty\":\"EC\"," RFC_EC_POINT "}", SL_JWK_VERIFIES);
	keys[3] = key_of_jwk(RFC_OKP_JWK, SL_JWK_VERIFIES);
	int status = unit_main("jws", tests);
	for (size_t i = 0; i < 4; i++)
		sl_key_finish(&keys[i]);
	return status;
}
