#include "token_command.h"

#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/secret.h"
#include "config/config.h"
#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

#define NOW 1000000

static char text[512];
static const struct sl_tls_error error = { text, sizeof text };
static struct sl_buffer made;

/* The command line of `words`; `%` in one stands for the folder of files. */
static int
make(const char *const *words)
{
	static char texts[16][CERTIFICATES_PATH_MAX + 64], name[] = "token", *argv[18] = { name };
	int argc = 1;
	for (; *words; words++, argc++) {
		const char *folder = strchr(*words, '%');
		int before = folder ? (int)(folder - *words) : (int)strlen(*words);
		snprintf(texts[argc - 1], sizeof texts[0], "%.*s%s", before, *words,
			folder ? certificates_path(folder + 1) : "");
		argv[argc] = texts[argc - 1];
	}
	argv[argc] = NULL;
	sl_buffer_clear(&made);
	text[0] = '\0';
	return sl_token_command_make(&made, argc, argv, NOW, error);
}
#define MAKE(...) make((const char *const[]){ __VA_ARGS__, NULL })

/* Whether a gateway with the key in `file` accepts what was made. */
static bool
is_accepted(const char *file, const char *issuer, const char *audience, struct sl_claims *claims)
{
	char path[CERTIFICATES_PATH_MAX], *paths[] = { path }, why[512] = "";
	struct sl_config config = { .token_key = { paths, 1 }, .token_max_age_ms = 86400000 };
	struct sl_secret *secret;
	struct sl_auth *auth;
	struct sl_auth_refusal refusal;
	snprintf(path, sizeof path, "%s", certificates_path(file));
	config.token_issuer = issuer ? strdup(issuer) : NULL;
	config.token_audience = audience ? strdup(audience) : NULL;
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&secret, NULL, why, sizeof why), 0);
	CU_ASSERT_EQUAL_FATAL(sl_auth_create(&auth, &config, secret, why, sizeof why), 0);
	bool is_good = sl_auth_verify_token(auth, (struct sl_span){ made.bytes, made.len - 1 }, NOW, claims,
		&refusal);
	free(config.token_issuer);
	free(config.token_audience);
	sl_auth_unref(auth);
	sl_secret_destroy(secret);
	return is_good;
}

static void
test_token_command_makes_what_a_gateway_accepts(void)
{
	static const char *const keys[][2] = { { "--key=%secret", "secret" }, { "--key=%rsa.key", "rsa.pub" },
		{ "--key=%ec.key", "ec.pub" }, { "--key=%ed.key", "ed.pub" }, { "--key=%jwk", "jwk.pub" } };
	for (size_t i = 0; i < 5; i++) {
		struct sl_claims claims;
		CU_ASSERT_EQUAL_FATAL(MAKE(keys[i][0], "--sub", "ann \"\xc3\xa9\"", "--subscribe", "chat.*",
			"--subscribe=a", "--publish", "chat.42", "--admin", "--ttl", "90m"), 0);
		CU_ASSERT_EQUAL(made.bytes[made.len - 1], '\n');
		CU_ASSERT_TRUE_FATAL(is_accepted(keys[i][1], NULL, NULL, &claims));
		CU_ASSERT_STRING_EQUAL(claims.subject, "ann \"\xc3\xa9\"");
		CU_ASSERT_EQUAL(claims.issued_s, NOW);
		CU_ASSERT_EQUAL(claims.expires_s, NOW + 5400 + SL_LEEWAY_S);
		CU_ASSERT_TRUE(claims.is_admin);
		CU_ASSERT_EQUAL(claims.may[SL_ACT_SUBSCRIBE].count, 2);
		CU_ASSERT_TRUE(sl_patterns_match(&claims.may[SL_ACT_PUBLISH], span_of("chat.42")));
		sl_claims_finish(&claims);
	}
}

static void
test_token_command_names_what_it_is_told_to(void)
{
	struct sl_claims claims;
	CU_ASSERT_EQUAL_FATAL(MAKE("--key=%secret", "--sub=ann", "--iss=i", "--aud=a"), 0);
	CU_ASSERT_FALSE(is_accepted("secret", NULL, NULL, &claims)); /* for the audience */
	CU_ASSERT_FALSE(is_accepted("secret", "j", "a", &claims));
	CU_ASSERT_TRUE_FATAL(is_accepted("secret", "i", "a", &claims));
	CU_ASSERT_FALSE(claims.is_admin);
	CU_ASSERT_EQUAL(claims.may[SL_ACT_SUBSCRIBE].count + claims.may[SL_ACT_PUBLISH].count, 0);
	CU_ASSERT_EQUAL(claims.expires_s, NOW + 3600 + SL_LEEWAY_S);
	sl_claims_finish(&claims);
	CU_ASSERT_EQUAL_FATAL(MAKE("--key=%jwk", "--sub=ann", "--kid=other"), 0);
	CU_ASSERT_FALSE(is_accepted("jwk.pub", NULL, NULL, &claims)); /* whose key is named otherwise */
	CU_ASSERT_EQUAL_FATAL(MAKE("--key=%jwk", "--sub=ann", "--kid=one", "--alg=EdDSA"), 0);
	CU_ASSERT_TRUE_FATAL(is_accepted("jwk.pub", NULL, NULL, &claims));
	sl_claims_finish(&claims);
}

static void
test_token_command_takes_times_with_units(void)
{
	static const struct {
		const char *ttl;
		int64_t seconds;
	} rows[] = { { "--ttl=1", 1 }, { "--ttl=90s", 90 }, { "--ttl=2m", 120 }, { "--ttl=24h", 86400 },
		{ "--ttl=1d", 86400 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_claims claims;
		CU_ASSERT_EQUAL_FATAL(MAKE("--key=%secret", "--sub=ann", rows[i].ttl), 0);
		CU_ASSERT_TRUE_FATAL(is_accepted("secret", NULL, NULL, &claims));
		CU_ASSERT_EQUAL(claims.expires_s, NOW + rows[i].seconds + SL_LEEWAY_S);
		sl_claims_finish(&claims);
	}
	CU_ASSERT_EQUAL(MAKE("--key=%secret", "--sub=ann", "--ttl=3650d"), 0);
}

static void
expect_refused(int err, const char *part)
{
	if (err != SL_EINVAL || !strstr(text, part))
		fprintf(stderr, "%d \"%s\" lacks %s\n", err, text, part);
	CU_ASSERT_EQUAL(err, SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
	CU_ASSERT_PTR_NULL(strstr(text, SECRET_32));
}
#define REFUSED(part, ...) expect_refused(MAKE(__VA_ARGS__), part)

static void
test_token_command_refusals_are_sentences(void)
{
	REFUSED("--key: the option is missing; use --key FILE", "--sub=ann");
	REFUSED("--sub: the option is missing; use --sub NAME", "--key=%secret");
	REFUSED("--sub: \"\" is empty", "--key=%secret", "--sub=");
	REFUSED("--subscribe: \"a*\" is not a pattern", "--key=%secret", "--sub=a", "--subscribe=a*");
	REFUSED("--publish: \"~a\" is not a pattern", "--key=%secret", "--sub=a", "--publish=~a");
	static const char *const ttls[] = { "--ttl=", "--ttl=0", "--ttl=h", "--ttl=1w", "--ttl=-1h", "--ttl=1.5h",
		"--ttl=3651d", "--ttl=99999999999999999999s", "--ttl=1hh", "--ttl= 1h", NULL };
	for (size_t i = 0; ttls[i]; i++)
		REFUSED("is not a time; use 1s to 3650d", "--key=%secret", "--sub=a", ttls[i]);
	REFUSED("--alg: \"none\" is not the algorithm of the key; use HS256", "--key=%secret", "--sub=a",
		"--alg=none");
	REFUSED("cannot read the file (No such file", "--key=/no/such", "--sub=a");
	REFUSED("use one without a password", "--key=%ec.pub", "--sub=a");
	REFUSED("public key, since it has no d", "--key=%jwk.pub", "--sub=a");
	REFUSED("--frobnicate: there is no such option", "--frobnicate");
	REFUSED("--sub: the value is missing; use --sub VALUE", "--key=%secret", "--sub");
	REFUSED("argument \"stray\" belongs to no option", "--key=%secret", "--sub=a", "stray");
	REFUSED("refuse this token: the token's sub has a control character", "--key=%secret", "--sub=a\nb");
	REFUSED("refuse this token: the token's payload is not valid", "--key=%secret", "--sub=\xff");
	REFUSED("refuse this token: no key verifies", "--key=%torn", "--sub=a"); /* d is not of x */
}

static void
test_token_command_prints_help(void)
{
	CU_ASSERT_EQUAL_FATAL(MAKE("--help"), 0);
	CU_ASSERT_EQUAL(strncmp(made.bytes, "Usage: sluice token ", 20), 0);
	CU_ASSERT_EQUAL(made.bytes[made.len - 1], '\n');
}

static void
test_token_command_without_memory(void)
{
	char key[CERTIFICATES_PATH_MAX + 8], *argv[] = { (char[]){ "token" }, key, (char[]){ "--sub=ann" },
		(char[]){ "--publish=a" }, (char[]){ "--kid=k" }, (char[]){ "--iss=i" }, NULL };
	snprintf(key, sizeof key, "--key=%s", certificates_path("secret"));
	for_each_failing_allocation(failing) {
		struct sl_buffer out = SL_BUFFER_INIT;
		int err = sl_token_command_make(&out, 6, argv, NOW, error);
		failing_alloc_off();
		CU_ASSERT_EQUAL(err == 0, !failing_alloc_has_failed());
		sl_buffer_finish(&out);
	}
}

/* NAME.pub of NAME.key. */
static void
write_public(const char *name)
{
	char file[64], *bytes;
	snprintf(file, sizeof file, "%s.key", name);
	FILE *from = fopen(certificates_path(file), "r");
	EVP_PKEY *pkey = from ? PEM_read_PrivateKey(from, NULL, NULL, NULL) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	if (!pkey || PEM_write_bio_PUBKEY(bio, pkey) != 1)
		abort();
	snprintf(file, sizeof file, "%s.pub", name);
	long len = BIO_get_mem_data(bio, &bytes);
	certificates_write(file, bytes, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	fclose(from);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_token_command_makes_what_a_gateway_accepts),
		UNIT_TEST(test_token_command_names_what_it_is_told_to),
		UNIT_TEST(test_token_command_takes_times_with_units),
		UNIT_TEST(test_token_command_refusals_are_sentences),
		UNIT_TEST(test_token_command_prints_help),
		UNIT_TEST(test_token_command_without_memory),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	certificates_make((struct certificate){ .file = "rsa", .kind = "rsa" });
	certificates_make((struct certificate){ .file = "ec" });
	certificates_make((struct certificate){ .file = "ed", .kind = "ed25519" });
	write_public("rsa");
	write_public("ec");
	write_public("ed");
	certificates_write_text("secret", SECRET_32 "\n");
	certificates_write_text("jwk", "{\"kid\":\"one\"," RFC_OKP "," RFC_OKP_X
		",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}");
	certificates_write_text("jwk.pub", "{\"kid\":\"one\"," RFC_OKP "," RFC_OKP_X "}");
	certificates_write_text("torn", "{\"kty\":\"EC\"," RFC_EC_POINT
		",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LM\"}");
	int status = unit_main("token_command", tests);
	sl_buffer_finish(&made);
	return status;
}
