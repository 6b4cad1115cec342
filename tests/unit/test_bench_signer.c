/* Tokens that the bench signs are what RFC 7519 and RFC 7515 say, by the key that it writes. */
#include "bench/server/signer.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define PART_MAX 1024

struct parts {
	char *text, *claims_text, *signature_text; /* the first is owned, the others point into it */
	size_t signed_len;
	unsigned char signature[PART_MAX];
	size_t signature_len;
	json_t *head, *claims;
};

static size_t
decode(const char *text, size_t len, unsigned char out[PART_MAX])
{
	unsigned char padded[PART_MAX];
	size_t whole = (len + 3) / 4 * 4;
	for (size_t i = 0; i < whole; i++)
		padded[i] = i >= len ? '=' : text[i] == '-' ? '+' : text[i] == '_' ? '/' : (unsigned char)text[i];
	int decoded = EVP_DecodeBlock(out, padded, (int)whole);
	CU_ASSERT_FATAL(decoded >= 0);
	return (size_t)decoded - (whole - len);
}

static json_t *
decode_json(const char *text, size_t len)
{
	unsigned char bytes[PART_MAX];
	return json_loadb((char *)bytes, decode(text, len, bytes), 0, NULL);
}

static struct parts
make(struct bench_signer *signer, const struct bench_grant *grant)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct parts parts;
	CU_ASSERT_EQUAL_FATAL(bench_signer_append(signer, grant, &out), 0);
	parts.text = sl_buffer_take_string(&out);
	parts.claims_text = strchr(parts.text, '.') + 1;
	parts.signature_text = strchr(parts.claims_text, '.') + 1;
	parts.signed_len = (size_t)(parts.signature_text - 1 - parts.text);
	parts.signature_len = decode(parts.signature_text, strlen(parts.signature_text), parts.signature);
	parts.head = decode_json(parts.text, (size_t)(parts.claims_text - 1 - parts.text));
	parts.claims = decode_json(parts.claims_text,
		(size_t)(parts.signature_text - 1 - parts.claims_text));
	return parts;
}

static void
finish(struct parts *parts)
{
	json_decref(parts->head);
	json_decref(parts->claims);
	free(parts->text);
}

static const struct bench_grant grant = { .subject = "ann", .issued_s = 1000, .expires_s = 2000,
	.channels = "news.*", .is_admin = true };

static void
test_claims_are_what_was_granted_and_each_token_has_an_id_of_its_own(void)
{
	struct bench_signer *signer;
	CU_ASSERT_EQUAL_FATAL(bench_signer_create(&signer, BENCH_HS256), 0);
	struct parts one = make(signer, &grant), two = make(signer, &grant);
	json_t *expected = json_pack("{s:s,s:i,s:i,s:s,s:{s:[s],s:[s],s:b}}", "sub", "ann", "iat", 1000,
		"exp", 2000, "jti", "0", "sluice", "subscribe", "news.*", "publish", "news.*", "admin", 1);
	CU_ASSERT(json_equal(one.claims, expected));
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one.head, "alg")), "HS256");
	CU_ASSERT_STRING_NOT_EQUAL(one.text, two.text);
	json_decref(expected);
	finish(&one);
	finish(&two);
	bench_signer_destroy(signer);
}

static bool
verify_secret(const struct parts *parts, FILE *file)
{
	char secret[256];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;
	CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(secret, sizeof secret, file));
	secret[strcspn(secret, "\n")] = '\0';
	CU_ASSERT(strlen(secret) >= 32);
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)parts->text, parts->signed_len,
		mac, &mac_len);
	return parts->signature_len == mac_len && memcmp(mac, parts->signature, mac_len) == 0;
}

/* R and S, 32 bytes each, become DER again. */
static size_t
wrap(const struct parts *parts, unsigned char *out)
{
	CU_ASSERT_EQUAL_FATAL(parts->signature_len, 64);
	ECDSA_SIG *signature = ECDSA_SIG_new();
	ECDSA_SIG_set0(signature, BN_bin2bn(parts->signature, 32, NULL),
		BN_bin2bn(parts->signature + 32, 32, NULL));
	int len = i2d_ECDSA_SIG(signature, &out);
	ECDSA_SIG_free(signature);
	return (size_t)len;
}

static bool
verify_public(const struct parts *parts, FILE *file, enum bench_algorithm algorithm)
{
	unsigned char wrapped[PART_MAX];
	const unsigned char *signature = parts->signature;
	size_t len = parts->signature_len;
	EVP_PKEY *key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	CU_ASSERT_PTR_NOT_NULL_FATAL(key);
	if (algorithm == BENCH_ES256) {
		len = wrap(parts, wrapped);
		signature = wrapped;
	}
	bool is_good = EVP_DigestVerifyInit(context, NULL, algorithm == BENCH_EDDSA ? NULL : EVP_sha256(),
		NULL, key) == 1 && EVP_DigestVerify(context, signature, len, (unsigned char *)parts->text,
		parts->signed_len) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return is_good;
}

static void
test_the_key_that_is_written_verifies_the_tokens(void)
{
	for (enum bench_algorithm algorithm = BENCH_HS256; algorithm < BENCH_ALGORITHM_COUNT; algorithm++) {
		char path[] = "/tmp/test_bench_signer.XXXXXX";
		struct bench_signer *signer;
		struct stat status;
		close(mkstemp(path));
		CU_ASSERT_EQUAL_FATAL(bench_signer_create(&signer, algorithm), 0);
		CU_ASSERT_EQUAL(bench_signer_write_key(signer, path), 0);
		CU_ASSERT(stat(path, &status) == 0 && (status.st_mode & 077) == 0);
		struct parts parts = make(signer, &grant);
		FILE *file = fopen(path, "re");
		CU_ASSERT_PTR_NOT_NULL_FATAL(file);
		CU_ASSERT(algorithm == BENCH_HS256 ? verify_secret(&parts, file)
			: verify_public(&parts, file, algorithm));
		CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(parts.head, "alg")),
			bench_algorithm_names[algorithm]);
		fclose(file);
		finish(&parts);
		bench_signer_destroy(signer);
		unlink(path);
	}
}

static void
test_a_field_carries_a_token_and_its_lines_end(void)
{
	static const char before[] = "Authorization: Bearer ";
	struct bench_signer *signer;
	CU_ASSERT_EQUAL_FATAL(bench_signer_create(&signer, BENCH_HS256), 0);
	char *field = bench_signer_make_field(signer, &grant);
	CU_ASSERT_PTR_NOT_NULL_FATAL(field);
	CU_ASSERT_EQUAL(strncmp(field, before, sizeof before - 1), 0);
	CU_ASSERT_EQUAL(strspn(field + sizeof before - 1, "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."), strlen(field) - (sizeof before - 1) - 2);
	CU_ASSERT_STRING_EQUAL(field + strlen(field) - 2, "\r\n");
	free(field);
	bench_signer_destroy(signer);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_claims_are_what_was_granted_and_each_token_has_an_id_of_its_own),
		UNIT_TEST(test_the_key_that_is_written_verifies_the_tokens),
		UNIT_TEST(test_a_field_carries_a_token_and_its_lines_end),
		{ NULL, NULL },
	};
	return unit_main("bench signer", tests);
}
