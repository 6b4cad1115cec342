#include "core/tls_pair.h"

#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

static char text[1024];
static const struct sl_tls_error error = { text, sizeof text };

static int
read_pair(struct sl_tls_pair *pair, const char *cert, const char *key)
{
	char cert_path[CERTIFICATES_PATH_MAX], key_path[CERTIFICATES_PATH_MAX];
	strcpy(cert_path, certificates_path(cert));
	strcpy(key_path, certificates_path(key));
	text[0] = '\0';
	return sl_tls_pair_read(pair, cert_path, key_path, error);
}

static void
expect_refusal(const char *cert, const char *key, const char *why)
{
	struct sl_tls_pair pair;
	CU_ASSERT_EQUAL(read_pair(&pair, cert, key), SL_EINVAL);
	if (!strstr(text, why))
		fprintf(stderr, "  %s\n", text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, why));
	sl_tls_pair_finish(&pair);
}

static void
test_tls_pair_has_the_names_of_its_san(void)
{
	struct sl_tls_pair pair;
	certificates_make((struct certificate){ "san", "ecdsa", .common_name = "cn.example",
		.san = "IP:127.0.0.1,DNS:A.example,DNS:*.b.example,DNS:not a name,email:x@c.example" });
	CU_ASSERT_EQUAL_FATAL(read_pair(&pair, "san.crt", "san.key"), 0);
	CU_ASSERT_EQUAL_FATAL(pair.names.count, 2);
	CU_ASSERT_STRING_EQUAL(pair.names.names[0], "a.example");
	CU_ASSERT_STRING_EQUAL(pair.names.names[1], "*.b.example");
	CU_ASSERT_STRING_EQUAL(pair.label, "127.0.0.1");
	CU_ASSERT_STRING_EQUAL(pair.kind, "ecdsa");
	CU_ASSERT_EQUAL(pair.expires_s - pair.begins_s, 31 * 86400);
	sl_tls_pair_finish(&pair);
	sl_tls_pair_finish(&pair);
}

static void
test_tls_pair_has_its_common_name_only_without_a_san(void)
{
	struct sl_tls_pair pair;
	certificates_make((struct certificate){ "cn", "ed25519", .common_name = "CN.example" });
	CU_ASSERT_EQUAL_FATAL(read_pair(&pair, "cn.crt", "cn.key"), 0);
	CU_ASSERT_EQUAL_FATAL(pair.names.count, 1);
	CU_ASSERT_STRING_EQUAL(pair.names.names[0], "cn.example");
	CU_ASSERT_STRING_EQUAL(pair.label, "CN.example");
	CU_ASSERT_STRING_EQUAL(pair.kind, "ed25519");
	sl_tls_pair_finish(&pair);
	certificates_make((struct certificate){ "email", "ecdsa", .common_name = "Our own \"CA\"",
		.san = "email:x@c.example" });
	CU_ASSERT_EQUAL_FATAL(read_pair(&pair, "email.crt", "email.key"), 0);
	CU_ASSERT_EQUAL(pair.names.count, 0);
	CU_ASSERT_STRING_EQUAL(pair.label, "Our own \"CA\"");
	sl_tls_pair_finish(&pair);
}

static void
test_tls_pair_may_be_one_file_with_other_text(void)
{
	struct sl_tls_pair pair;
	char both[16384];
	size_t len;
	certificates_make((struct certificate){ "one", "rsa", .san = "DNS:one.example" });
	char *cert = certificates_read("one.crt", &len), *key = certificates_read("one.key", &len);
	snprintf(both, sizeof both, "Subject: one\n%sa comment\n%s", key, cert);
	certificates_write_text("both.pem", both);
	CU_ASSERT_EQUAL_FATAL(read_pair(&pair, "both.pem", "both.pem"), 0);
	CU_ASSERT_STRING_EQUAL(pair.kind, "rsa");
	CU_ASSERT_STRING_EQUAL(pair.names.names[0], "one.example");
	sl_tls_pair_finish(&pair);
	free(cert);
	free(key);
}

static void
test_tls_pair_that_does_not_fit_is_refused(void)
{
	char chain[16384];
	size_t len;
	certificates_make((struct certificate){ "a", "ecdsa", .san = "DNS:a.example" });
	certificates_make((struct certificate){ "b", "ecdsa", .san = "DNS:b.example" });
	certificates_make((struct certificate){ "r", "rsa", .san = "DNS:r.example" });
	expect_refusal("a.crt", "b.key", "b.key: the key does not belong to the first certificate of --tls-cert");
	expect_refusal("a.crt", "r.key", "r.key: the key does not belong to the first certificate of --tls-cert");
	char *first = certificates_read("b.crt", &len), *second = certificates_read("a.crt", &len);
	snprintf(chain, sizeof chain, "%s%s", first, second);
	certificates_write_text("reverse.crt", chain);
	expect_refusal("reverse.crt", "a.key", "reverse.crt: certificate 2 of the file belongs to --tls-key");
	free(first);
	free(second);
}

static void
test_tls_pair_of_files_that_are_none_is_refused(void)
{
	certificates_make((struct certificate){ "f", "ecdsa", .san = "DNS:f.example" });
	certificates_write_text("empty", "");
	expect_refusal("missing", "f.key", "missing: cannot read the file (No such file or directory)");
	expect_refusal("f.crt", "missing", "--tls-key /tmp/sluice-certificates-");
	expect_refusal("empty", "f.key", "empty: the file holds no certificate in PEM");
	expect_refusal("f.key", "f.key", "f.key: the file holds no certificate in PEM");
	expect_refusal("f.crt", "empty", "empty: the file holds no private key in PEM");
	expect_refusal("f.crt", "f.crt", "f.crt: the file holds no private key in PEM");
}

static void
test_tls_pair_with_an_encrypted_key_is_refused_and_nobody_is_asked(void)
{
	certificates_make((struct certificate){ "e", "ecdsa", .san = "DNS:e.example" });
	EVP_PKEY *key = certificates_make_key("ecdsa");
	BIO *bio = BIO_new(BIO_s_mem());
	char password[] = "secret", *bytes;
	CU_ASSERT_EQUAL_FATAL(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), password, 6, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &bytes);
	certificates_write("pkcs8.key", bytes, (size_t)len);
	BIO_reset(bio);
	CU_ASSERT_EQUAL_FATAL(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(),
		(unsigned char *)password, 6, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &bytes);
	certificates_write("old.key", bytes, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
	expect_refusal("e.crt", "pkcs8.key", "pkcs8.key: the key has a password, which sluice cannot ask for");
	expect_refusal("e.crt", "old.key", "old.key: the key has a password, which sluice cannot ask for");
}

static void
test_tls_pair_with_a_key_of_another_kind_is_refused(void)
{
	static const char x25519[] = "-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VuBCIEIHgHcAmUrqpAxVDZ4Cmn3YkJFqExrI0zr62wmhr5y3d1\n-----END PRIVATE KEY-----\n";
	certificates_make((struct certificate){ "x", "ecdsa", .san = "DNS:x.example" });
	certificates_write_text("x25519.key", x25519);
	expect_refusal("x.crt", "x25519.key", "x25519.key: the key does not belong to the first certificate");
}

/* Whatever part of the file has been written: it is refused, or ends where a certificate does. */
static void
test_tls_pair_that_is_half_written_is_refused_at_every_byte(void)
{
	char chain[16384];
	size_t first_len, second_len;
	certificates_make((struct certificate){ "leaf", "ecdsa", .san = "DNS:leaf.example" });
	certificates_make((struct certificate){ "issuer", "ecdsa", .san = "DNS:issuer.example" });
	char *first = certificates_read("leaf.crt", &first_len);
	char *second = certificates_read("issuer.crt", &second_len);
	size_t len = (size_t)snprintf(chain, sizeof chain, "%s%s", first, second);
	for (size_t cut = 0; cut <= len; cut++) {
		struct sl_tls_pair pair;
		certificates_write("cut.crt", chain, cut);
		int err = read_pair(&pair, "cut.crt", "leaf.key");
		bool is_whole = cut + 1 >= first_len && (cut <= first_len || cut + 1 >= len);
		CU_ASSERT_EQUAL(err, is_whole ? 0 : SL_EINVAL);
		if (err != 0)
			CU_ASSERT_PTR_NOT_NULL(strstr(text, "cut.crt: "));
		if (err == 0)
			CU_ASSERT_EQUAL(sk_X509_num(pair.chain), cut + 1 >= len);
		sl_tls_pair_finish(&pair);
	}
	free(first);
	free(second);
}

static void
test_tls_pair_with_a_half_written_key_is_refused_at_every_byte(void)
{
	size_t len;
	certificates_make((struct certificate){ "half", "ecdsa", .san = "DNS:half.example" });
	char *key = certificates_read("half.key", &len);
	for (size_t cut = 0; cut <= len; cut++) {
		struct sl_tls_pair pair;
		certificates_write("cut.key", key, cut);
		int err = read_pair(&pair, "half.crt", "cut.key");
		CU_ASSERT_EQUAL(err, cut + 1 >= len ? 0 : SL_EINVAL);
		sl_tls_pair_finish(&pair);
	}
	free(key);
}

static bool
warns(const char *file, const char *line)
{
	char cert[64], key[64];
	struct sl_tls_pair pair;
	snprintf(cert, sizeof cert, "%s.crt", file);
	snprintf(key, sizeof key, "%s.key", file);
	log_lines_begin();
	CU_ASSERT_EQUAL(read_pair(&pair, cert, key), 0);
	const char *said = log_lines_end();
	sl_tls_pair_finish(&pair);
	return strstr(said, line) != NULL;
}

static void
test_tls_pair_that_is_not_valid_now_is_warned_of(void)
{
	certificates_make((struct certificate){ "past", "ecdsa", .san = "DNS:past.example", .ends_s = -3600 });
	certificates_make((struct certificate){ "future", "ecdsa", .san = "DNS:future.example",
		.begins_s = 3600 });
	certificates_make((struct certificate){ "now", "ecdsa", .san = "DNS:now.example" });
	CU_ASSERT_TRUE(warns("past", "warning tls.expired file="));
	CU_ASSERT_TRUE(warns("future", "warning tls.not_valid_yet file="));
	CU_ASSERT_FALSE(warns("now", "warning"));
}

static void
test_tls_pair_without_memory_is_an_error(void)
{
	certificates_make((struct certificate){ "m", "ecdsa", .san = "DNS:m.example,DNS:n.example" });
	for_each_failing_allocation(failing) {
		struct sl_tls_pair pair;
		failing_expect(read_pair(&pair, "m.crt", "m.key"));
		sl_tls_pair_finish(&pair);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_pair_has_the_names_of_its_san),
		UNIT_TEST(test_tls_pair_has_its_common_name_only_without_a_san),
		UNIT_TEST(test_tls_pair_may_be_one_file_with_other_text),
		UNIT_TEST(test_tls_pair_that_does_not_fit_is_refused),
		UNIT_TEST(test_tls_pair_of_files_that_are_none_is_refused),
		UNIT_TEST(test_tls_pair_with_an_encrypted_key_is_refused_and_nobody_is_asked),
		UNIT_TEST(test_tls_pair_with_a_key_of_another_kind_is_refused),
		UNIT_TEST(test_tls_pair_that_is_half_written_is_refused_at_every_byte),
		UNIT_TEST(test_tls_pair_with_a_half_written_key_is_refused_at_every_byte),
		UNIT_TEST(test_tls_pair_that_is_not_valid_now_is_warned_of),
		UNIT_TEST(test_tls_pair_without_memory_is_an_error),
		{ NULL, NULL },
	};
	return unit_main("tls_pair", tests);
}
