#include "auth/key_file.h"

#include <stdlib.h>

#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

static char text[512];
static const struct sl_tls_error error = { text, sizeof text };
static struct sl_keys keys;

static int
read_keys(const char *content, size_t len)
{
	sl_keys_finish(&keys);
	text[0] = '\0';
	log_lines_begin();
	int err = sl_keys_read(&keys, (struct sl_span){ content, len }, "--token-key F", error);
	log_lines_end();
	return err;
}

static void
expect_refused(const char *content, size_t len, const char *part)
{
	CU_ASSERT_EQUAL(read_keys(content, len), SL_EINVAL);
	bool is_told = strncmp(text, "--token-key F: ", 15) == 0 && strstr(text, part);
	if (!is_told)
		fprintf(stderr, "%.60s: \"%s\" lacks %s\n", content, text, part);
	CU_ASSERT_TRUE(is_told);
	CU_ASSERT_PTR_NULL(strstr(text, SECRET_32));
}
#define REFUSED(content, part) expect_refused(content, strlen(content), part)

/* The key in the form that `write` gives it. */
enum writing { WRITE_PUBLIC, WRITE_PRIVATE, WRITE_DER, WRITE_PRIVATE_DER };

static char *
write_key(EVP_PKEY *pkey, enum writing writing, size_t *len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	int is_written = 0;
	switch (writing) {
	case WRITE_PUBLIC: is_written = PEM_write_bio_PUBKEY(bio, pkey); break;
	case WRITE_PRIVATE:
		is_written = PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
		break;
	case WRITE_DER: is_written = i2d_PUBKEY_bio(bio, pkey); break;
	case WRITE_PRIVATE_DER: is_written = i2d_PrivateKey_bio(bio, pkey); break;
	}
	CU_ASSERT_EQUAL_FATAL(is_written, 1);
	*len = (size_t)BIO_get_mem_data(bio, &bytes);
	char *copy = calloc(1, *len + 1);
	memcpy(copy, bytes, *len);
	BIO_free(bio);
	return copy;
}

static void
test_key_file_in_pem_holds_a_public_key(void)
{
	static const char *const kinds[] = { "rsa", "ecdsa", "ed25519" };
	static const enum sl_alg algs[] = { SL_ALG_RS256, SL_ALG_ES256, SL_ALG_EDDSA };
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY *pkey = certificates_make_key(kinds[i]);
		size_t len;
		char *pem = write_key(pkey, WRITE_PUBLIC, &len);
		CU_ASSERT_EQUAL(read_keys(pem, len), 0);
		CU_ASSERT_EQUAL_FATAL(keys.count, 1);
		CU_ASSERT_EQUAL(keys.list[0].alg, algs[i]);
		CU_ASSERT_PTR_NULL(keys.list[0].kid);
		expect_refused(pem, len / 2, "damaged or incomplete");
		free(pem);
		EVP_PKEY_free(pkey);
	}
}

static void
test_key_file_in_pem_of_other_content_is_refused_with_what_to_do(void)
{
	EVP_PKEY *pkey = certificates_make_key("rsa");
	size_t len;
	char *pem = write_key(pkey, WRITE_PRIVATE, &len);
	expect_refused(pem, len, "openssl pkey -in FILE -pubout");
	free(pem);
	REFUSED("-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----\n",
		"openssl rsa -RSAPublicKey_in");
	char *certificate = certificates_read("a.crt", &len);
	expect_refused(certificate, len, "openssl x509 -in FILE -noout -pubkey");
	free(certificate);
	REFUSED("-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n", "BEGIN PUBLIC KEY");
	REFUSED("-----BEGIN ", "BEGIN PUBLIC KEY");
	REFUSED("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", "damaged or incomplete");
	pem = write_key(pkey, WRITE_PUBLIC, &len);
	char two[2048];
	snprintf(two, sizeof two, "%s%s", pem, pem);
	REFUSED(two, "more than one block");
	free(pem);
	EVP_PKEY *curve = EVP_EC_gen("P-384");
	pem = write_key(curve, WRITE_PUBLIC, &len);
	expect_refused(pem, len, "use P-256");
	free(pem);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(pkey);
}

static void
test_key_file_of_other_bytes_is_a_secret(void)
{
	CU_ASSERT_EQUAL(read_keys(SECRET_32, 32), 0);
	CU_ASSERT_EQUAL(keys.list[0].secret_len, 32);
	CU_ASSERT_EQUAL(read_keys(SECRET_32 "\n", 33), 0);
	CU_ASSERT_EQUAL(keys.list[0].secret_len, 32);
	CU_ASSERT_EQUAL(read_keys(SECRET_32 "\r\n", 34), 0);
	CU_ASSERT_EQUAL(keys.list[0].secret_len, 32);
	CU_ASSERT_EQUAL(read_keys(SECRET_32 "\n\n", 34), 0);
	CU_ASSERT_EQUAL(keys.list[0].secret_len, 33); /* one line end does not count */
	CU_ASSERT_EQUAL(read_keys("0123456789abcdef\0 23456789abcdef\xff", 33), 0);
	CU_ASSERT_EQUAL(keys.list[0].secret_len, 33);
	CU_ASSERT_EQUAL(keys.list[0].alg, SL_ALG_HS256);
	expect_refused(SECRET_32, 31, "secret of 31 bytes is too short; use 32 or more");
	expect_refused(SECRET_32, 0, "secret of 0 bytes");
	REFUSED("0123456789abcdef0123456789abcde\n", "secret of 31 bytes");
}

/* Everybody may know these bytes: with them as the secret everybody could sign. */
static void
test_key_file_that_may_be_a_public_key_is_never_a_secret(void)
{
	EVP_PKEY *pkey = certificates_make_key("ecdsa");
	size_t len;
	char *pem = write_key(pkey, WRITE_PUBLIC, &len), other[4096];
	snprintf(other, sizeof other, "\n%s", pem);
	REFUSED(other, "bytes before -----BEGIN");
	snprintf(other, sizeof other, "\xef\xbb\xbf%s", pem);
	REFUSED(other, "bytes before -----BEGIN");
	REFUSED("\xef\xbb\xbf{\"keys\":[]}                         ", "byte order mark");
	char *body = strchr(pem, '\n') + 1;
	*strstr(body, "-----END") = '\0';
	REFUSED(body, "the base64 of a key");
	free(pem);
	char *der = write_key(pkey, WRITE_DER, &len);
	expect_refused(der, len, "in DER");
	free(der);
	der = write_key(pkey, WRITE_PRIVATE_DER, &len);
	expect_refused(der, len, "in DER");
	free(der);
	REFUSED("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO3tvyvQ1 me@here", "key of SSH");
	REFUSED("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHA me@here", "key of SSH");
	REFUSED("[" RFC_OKP_JWK "]", "JSON array");
	EVP_PKEY_free(pkey);
}

static void
test_key_file_in_json_is_a_set_or_one_key(void)
{
	static const char set[] = " \r\n\t{\"keys\":[" RFC_RSA_JWK ",{\"kty\":\"AKP\",\"pub\":\"\"},"
		"{\"kid\":\"b\",\"use\":\"enc\",\"kty\":\"EC\"," RFC_EC_POINT "},{\"kid\":\"c\"," RFC_OKP "," RFC_OKP_X "}]}";
	sl_log_set_level(SL_LOG_INFO);
	CU_ASSERT_EQUAL(read_keys(set, sizeof set - 1), 0);
	sl_log_set_level(SL_LOG_ERROR);
	CU_ASSERT_EQUAL_FATAL(keys.count, 2);
	CU_ASSERT_EQUAL(keys.list[0].alg, SL_ALG_RS256);
	CU_ASSERT_STRING_EQUAL(keys.list[1].kid, "c");
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, "tokens.key_skipped where=\"--token-key F: key 2 of the "
		"JWKS\" reason=\"kty is none of RSA, EC, OKP, oct\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, "key 3 of the JWKS\" reason=\"use is not sig\""));
	CU_ASSERT_EQUAL(read_keys(RFC_EC_JWK, strlen(RFC_EC_JWK)), 0);
	CU_ASSERT_EQUAL(keys.count, 1);
	REFUSED("{\"keys\":[" RFC_RSA_JWK ",{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "key 2 of the JWKS: the secret k is");
	REFUSED("{\"keys\":[" RFC_OKP_PRIVATE "]}", "key 1 of the JWKS: this is a private key");
	REFUSED("{\"keys\":[1]}", "key 1 of the JWKS: this is not a JSON object");
	REFUSED("{\"keys\":[]}", "no key of the JWKS is usable");
	REFUSED("{\"keys\":[{\"kty\":\"AKP\"}]}", "no key of the JWKS is usable");
	REFUSED("{\"keys\":{}}", "not an array");
	REFUSED("{\"kty\":\"AKP\"}", "the key is not usable");
	REFUSED("{\"kty\":\"oct\",\"kty\":\"oct\"}", "member twice");
	REFUSED("{}", "no kty");
	REFUSED("{", "not a JSON object");
}

static void
test_key_file_count_is_bounded_over_all_files(void)
{
	sl_keys_finish(&keys);
	struct sl_span one = span_of(SECRET_32);
	for (int i = 0; i < SL_KEYS_MAX; i++)
		CU_ASSERT_EQUAL(sl_keys_read(&keys, one, "--token-key F", error), 0);
	CU_ASSERT_EQUAL(sl_keys_read(&keys, one, "--token-key F", error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(text, "--token-key F: there are more than 32 keys in total; use fewer, without the old ones");
	CU_ASSERT_EQUAL(keys.count, SL_KEYS_MAX);
	sl_keys_finish(&keys);
}

static void
test_key_file_is_named_where_it_is_refused(void)
{
	const char *path = certificates_write_text("short", "0123");
	char expected[256];
	CU_ASSERT_EQUAL(sl_keys_load(&keys, "--token-key", path, error), SL_EINVAL);
	snprintf(expected, sizeof expected, "--token-key %s: an HMAC secret of 4 bytes is too short; use 32 or more, "
		"as openssl rand -base64 48 prints them", path);
	CU_ASSERT_STRING_EQUAL(text, expected);
	CU_ASSERT_EQUAL(sl_keys_load(&keys, "--token-key", "/no/such", error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(text, "--token-key /no/such: cannot read the file (No such file or "
		"directory); use the path of a file that sluice may read");
}

static void
test_key_file_with_a_secret_that_all_may_read_is_warned_of(void)
{
	const char *secret = certificates_write_text("secret", SECRET_32);
	sl_log_set_level(SL_LOG_WARNING);
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_keys_load(&keys, "--token-key", secret, error), 0);
	CU_ASSERT_STRING_EQUAL(log_lines_end(), "");
	CU_ASSERT_EQUAL(chmod(secret, 0644), 0);
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_keys_load(&keys, "--token-key", secret, error), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_end(), "tls.exposed option=--token-key"));
	const char *public = certificates_write_text("jwk", RFC_OKP_JWK);
	CU_ASSERT_EQUAL(chmod(public, 0644), 0);
	sl_keys_finish(&keys);
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_keys_load(&keys, "--token-key", public, error), 0);
	CU_ASSERT_STRING_EQUAL(log_lines_end(), "");
	sl_log_set_level(SL_LOG_ERROR);
	sl_keys_finish(&keys);
}

static void
expect_signing(const char *content, size_t len, enum sl_alg alg, const char *part)
{
	struct sl_key key;
	struct sl_buffer signature = SL_BUFFER_INIT;
	const char *path = certificates_write("signing", content, len);
	int err = sl_key_load_signing(&key, "--key", path, error);
	if (err == 0) {
		CU_ASSERT_STRING_EQUAL(part, "");
		CU_ASSERT_EQUAL(key.alg, alg);
		CU_ASSERT_EQUAL(sl_key_sign(&key, span_of("a"), &signature), 0);
	} else {
		CU_ASSERT_EQUAL(err, SL_EINVAL);
		CU_ASSERT(*part && strstr(text, part) && strncmp(text, "--key /", 7) == 0);
	}
	sl_buffer_finish(&signature);
	sl_key_finish(&key);
}

static void
test_key_file_for_signing_is_a_secret_or_private(void)
{
	static const char *const kinds[] = { "rsa", "ecdsa", "ed25519" };
	static const enum sl_alg algs[] = { SL_ALG_RS256, SL_ALG_ES256, SL_ALG_EDDSA };
	size_t len;
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY *pkey = certificates_make_key(kinds[i]);
		char *pem = write_key(pkey, WRITE_PRIVATE, &len);
		expect_signing(pem, len, algs[i], "");
		free(pem);
		pem = write_key(pkey, WRITE_PUBLIC, &len);
		expect_signing(pem, len, algs[i], "use one without a password");
		free(pem);
		EVP_PKEY_free(pkey);
	}
	expect_signing(SECRET_32, 32, SL_ALG_HS256, "");
	expect_signing(RFC_HS256_JWK, strlen(RFC_HS256_JWK), SL_ALG_HS256, "");
	expect_signing(RFC_EC_PRIVATE, strlen(RFC_EC_PRIVATE), SL_ALG_ES256, "");
	expect_signing(RFC_EC_JWK, strlen(RFC_EC_JWK), SL_ALG_ES256, "public key");
	expect_signing("{\"keys\":[]}", 11, SL_ALG_ES256, "this is a JWKS");
	expect_signing("short", 5, SL_ALG_HS256, "use 32 or more");
}

static void
test_key_file_without_memory(void)
{
	EVP_PKEY *pkey = certificates_make_key("ed25519");
	size_t len;
	char *pem = write_key(pkey, WRITE_PUBLIC, &len);
	const char *const contents[] = { SECRET_32, RFC_RSA_JWK, "{\"keys\":[" RFC_OKP_JWK "]}", pem };
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_get_alloc_funcs(&own_malloc, &own_free);
	sl_keys_finish(&keys);
	for (size_t i = 0; i < 4; i++) {
		const char *path = certificates_write_text("memory", contents[i]);
		json_set_alloc_funcs(malloc, free); /* which are the failing ones here */
		for_each_failing_allocation(failing) {
			int err = sl_keys_load(&keys, "--token-key", path, error);
			failing_alloc_off();
			/* Without memory a key in DER may not be recognised, nor a member of JSON read. */
			CU_ASSERT(err == 0 || failing_alloc_has_failed());
			CU_ASSERT_EQUAL(keys.count, err == 0);
			sl_keys_finish(&keys);
		}
		json_set_alloc_funcs(own_malloc, own_free);
	}
	free(pem);
	EVP_PKEY_free(pkey);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_key_file_in_pem_holds_a_public_key),
		UNIT_TEST(test_key_file_in_pem_of_other_content_is_refused_with_what_to_do),
		UNIT_TEST(test_key_file_of_other_bytes_is_a_secret),
		UNIT_TEST(test_key_file_that_may_be_a_public_key_is_never_a_secret),
		UNIT_TEST(test_key_file_in_json_is_a_set_or_one_key),
		UNIT_TEST(test_key_file_count_is_bounded_over_all_files),
		UNIT_TEST(test_key_file_is_named_where_it_is_refused),
		UNIT_TEST(test_key_file_with_a_secret_that_all_may_read_is_warned_of),
		UNIT_TEST(test_key_file_for_signing_is_a_secret_or_private),
		UNIT_TEST(test_key_file_without_memory),
		{ NULL, NULL },
	};
	json_object_seed(1);
	sl_log_set_level(SL_LOG_ERROR);
	certificates_make((struct certificate){ .file = "a" });
	int status = unit_main("key_file", tests);
	sl_keys_finish(&keys);
	return status;
}
