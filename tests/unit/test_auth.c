#include "auth/auth.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "auth/secret.h"
#include "config/config.h"
#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/jose.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

#define NOW 1000000

static char error[512];
static struct sl_secret *secret;

/* What the command line makes of `options`; `%` in one stands for the folder of files. */
static int
create(struct sl_auth **out, const char *const *options)
{
	static char texts[8][CERTIFICATES_PATH_MAX + 32], name[] = "sluice", *argv[9] = { name };
	struct sl_config config;
	int argc = 1;
	for (; *options; options++, argc++) {
		const char *folder = strchr(*options, '%');
		int before = folder ? (int)(folder - *options) : (int)strlen(*options);
		snprintf(texts[argc - 1], sizeof texts[0], "%.*s%s", before, *options,
			folder ? certificates_path(folder + 1) : "");
		argv[argc] = texts[argc - 1];
	}
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, argc, argv), 0);
	error[0] = '\0';
	int err = sl_auth_create(out, &config, secret, error, sizeof error);
	sl_config_finish(&config);
	return err;
}
#define CREATE(out, ...) create(out, (const char *const[]){ __VA_ARGS__ NULL })

static char *
sign(const char *members)
{
	char payload[512];
	struct sl_key key;
	CU_ASSERT_EQUAL_FATAL(sl_key_init_secret(&key, SECRET_32, 32), 0);
	snprintf(payload, sizeof payload, "{\"sub\":\"ann\",\"iat\":1000000,\"exp\":1000060%s}", members);
	char *token = sign_raw(&key, "{\"alg\":\"HS256\"}", payload);
	sl_key_finish(&key);
	return token;
}

static bool
verify(const struct sl_auth *auth, const char *members, int64_t now_s, const char **code)
{
	char *token = sign(members);
	struct sl_claims claims;
	struct sl_auth_refusal refusal = { "", "" };
	bool is_good = sl_auth_verify_token(auth, span_of(token), now_s, &claims, &refusal);
	if (is_good)
		sl_claims_finish(&claims);
	*code = refusal.code;
	free(token);
	return is_good;
}

static void
expect_refused(int err, const char *sentence)
{
	CU_ASSERT_EQUAL(err, SL_EINVAL);
	if (strncmp(error, sentence, strlen(sentence)) != 0)
		fprintf(stderr, "\"%s\" instead of \"%s\"\n", error, sentence);
	CU_ASSERT_EQUAL(strncmp(error, sentence, strlen(sentence)), 0);
}

static void
test_auth_without_a_key_there_is_none(void)
{
	struct sl_auth *auth;
	CU_ASSERT_EQUAL(CREATE(&auth, ), 0);
	CU_ASSERT_PTR_NULL(auth);
	CU_ASSERT_EQUAL(CREATE(&auth, "--allow-anonymous", "--token-max-age=5",), 0);
	CU_ASSERT_PTR_NULL(auth);
	CU_ASSERT_EQUAL(sl_auth_count_keys(NULL), 0);
	sl_auth_unref(NULL);
}

/* Who gives one of them believes that tokens are asked for. */
static void
test_auth_options_that_need_a_key_are_refused_without(void)
{
	struct sl_auth *auth;
	expect_refused(CREATE(&auth, "--anonymous-subscribe=a",), "--anonymous-subscribe: without a token key everybody may do everything");
	expect_refused(CREATE(&auth, "--anonymous-publish=a",), "--anonymous-publish: without a token key everybody may do everything");
	expect_refused(CREATE(&auth, "--token-issuer=a",), "--token-issuer: without a token key everybody may do everything");
	expect_refused(CREATE(&auth, "--token-audience=a",), "--token-audience: without a token key everybody may do everything");
	expect_refused(CREATE(&auth, "--token-cookie=a",), "--token-cookie: without a token key everybody may do everything");
}

static void
test_auth_verifies_with_the_keys_of_all_files(void)
{
	struct sl_auth *auth;
	const char *code;
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%jwk", "--token-key=%secret",), 0);
	CU_ASSERT_EQUAL(sl_auth_count_keys(auth), 2);
	struct sl_auth *again = sl_auth_ref(auth);
	sl_auth_unref(auth);
	CU_ASSERT_TRUE(verify(again, "", NOW, &code));
	CU_ASSERT_TRUE(verify(again, "", NOW + 89, &code));
	CU_ASSERT_FALSE(verify(again, "", NOW + 90, &code));
	CU_ASSERT_STRING_EQUAL(code, "token_expired");
	CU_ASSERT_FALSE(verify(again, ",\"aud\":\"x\"", NOW, &code));
	CU_ASSERT_STRING_EQUAL(code, "unauthorized");
	sl_auth_unref(again);
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%jwk",), 0);
	CU_ASSERT_FALSE(verify(auth, "", NOW, &code));
	CU_ASSERT_STRING_EQUAL(code, "unauthorized");
	sl_auth_unref(auth);
}

static void
test_auth_takes_its_rules_from_the_options(void)
{
	struct sl_auth *auth;
	const char *code;
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%secret", "--token-issuer=i", "--token-audience=a",
		"--token-max-age=60",), 0);
	CU_ASSERT_TRUE(verify(auth, ",\"iss\":\"i\",\"aud\":\"a\"", NOW, &code));
	CU_ASSERT_FALSE(verify(auth, ",\"aud\":\"a\"", NOW, &code));
	CU_ASSERT_FALSE(verify(auth, ",\"iss\":\"i\"", NOW, &code));
	sl_auth_unref(auth);
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%secret", "--token-max-age=59",), 0);
	CU_ASSERT_FALSE(verify(auth, "", NOW, &code));
	sl_auth_unref(auth);
}

static void
test_auth_knows_what_needs_no_token(void)
{
	struct sl_auth *auth;
	const struct sl_span news = { "news.1", 6 }, chat = { "chat", 4 };
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%secret", "--anonymous-subscribe=news.*",
		"--anonymous-subscribe=chat", "--anonymous-publish=chat",), 0);
	CU_ASSERT_TRUE(sl_patterns_match(sl_auth_get_anonymous(auth, SL_ACT_SUBSCRIBE), news));
	CU_ASSERT_TRUE(sl_patterns_match(sl_auth_get_anonymous(auth, SL_ACT_SUBSCRIBE), chat));
	CU_ASSERT_TRUE(sl_patterns_match(sl_auth_get_anonymous(auth, SL_ACT_PUBLISH), chat));
	CU_ASSERT_FALSE(sl_patterns_match(sl_auth_get_anonymous(auth, SL_ACT_PUBLISH), news));
	sl_auth_unref(auth);
	expect_refused(CREATE(&auth, "--token-key=%secret", "--anonymous-publish=a*",),
		"--anonymous-publish: \"a*\" is not a pattern; use the name of a channel, prefix.* or *");
	CU_ASSERT_PTR_NULL(auth);
	expect_refused(CREATE(&auth, "--client-publish=a*",), /* keys or not */
		"--client-publish: \"a*\" is not a pattern; use the name of a channel, prefix.* or *");
	expect_refused(CREATE(&auth, "--socketio-channel=a.*",), "--socketio-channel: \"a.*\" is not the name of a channel; use "
		"1 to 255 bytes of UTF-8 without control characters, without * and without a ~ at the start");
	expect_refused(CREATE(&auth, "--socketio-channel=~a",), "--socketio-channel: \"~a\" is not the name of a channel; use "
		"1 to 255 bytes of UTF-8 without control characters, without * and without a ~ at the start");
	CU_ASSERT_EQUAL(CREATE(&auth, "--socketio-channel=a, \"b\"",), 0);
	CU_ASSERT_EQUAL(CREATE(&auth, "--client-publish=a.*",), 0);
	CU_ASSERT_PTR_NULL(auth);
}

static void
test_auth_refuses_files_by_option_and_name(void)
{
	struct sl_auth *auth;
	char sentence[256];
	expect_refused(CREATE(&auth, "--token-key=%secret", "--token-key=/no/such",),
		"--token-key /no/such: cannot read the file");
	snprintf(sentence, sizeof sentence, "--token-key %s: an HMAC secret of 5 bytes is too short",
		certificates_path("short"));
	expect_refused(CREATE(&auth, "--token-key=%short",), sentence);
	CU_ASSERT_PTR_NULL(auth);
	expect_refused(CREATE(&auth, "--token-key=%secret", "--token-cookie=a b",),
		"--token-cookie: \"a b\" is not the name of a cookie");
	expect_refused(CREATE(&auth, "--token-key=%secret", "--allow-anonymous",), "--allow-anonymous: "
		"--token-key is there already, which allows every address");
}

static void
test_auth_key_of_tickets_is_derived(void)
{
	struct sl_auth *auth;
	uint8_t expected[SL_DERIVED_KEY_LEN];
	CU_ASSERT_EQUAL_FATAL(CREATE(&auth, "--token-key=%secret",), 0);
	CU_ASSERT_EQUAL(sl_secret_derive(secret, "ticket", expected), 0);
	CU_ASSERT_EQUAL(memcmp(sl_auth_get_ticket_key(auth), expected, sizeof expected), 0);
	sl_auth_unref(auth);
}

static void
test_auth_without_memory(void)
{
	struct sl_text_list anonymous = { (char *[]){ (char[]){ "a" } }, 1 };
	struct sl_config config = { .token_key = { (char *[]){ NULL }, 1 }, .token_max_age_ms = 60000,
		.anonymous_subscribe = anonymous, .token_issuer = (char[]){ "i" }, .token_audience = (char[]){ "a" } };
	char path[CERTIFICATES_PATH_MAX];
	snprintf(path, sizeof path, "%s", certificates_path("secret"));
	config.token_key.texts[0] = path;
	for_each_failing_allocation(failing) {
		struct sl_auth *auth;
		int err = sl_auth_create(&auth, &config, secret, error, sizeof error);
		failing_expect(err);
		if (err != 0)
			CU_ASSERT_STRING_EQUAL(error, "--token-key: out of memory");
		sl_auth_unref(auth);
	}
	struct sl_auth *auth;
	CU_ASSERT_EQUAL_FATAL(sl_auth_create(&auth, &config, secret, error, sizeof error), 0);
	char *token = sign(",\"iss\":\"i\",\"aud\":\"a\",\"sluice\":{\"publish\":[\"a\"]}");
	for_each_failing_allocation(failing) {
		struct sl_claims claims;
		struct sl_auth_refusal refusal;
		bool is_good = sl_auth_verify_token(auth, span_of(token), NOW, &claims, &refusal);
		failing_alloc_off();
		CU_ASSERT_EQUAL(is_good, !failing_alloc_has_failed());
		if (is_good)
			sl_claims_finish(&claims);
		else
			CU_ASSERT_STRING_EQUAL(refusal.code, "internal");
	}
	free(token);
	sl_auth_unref(auth);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_auth_without_a_key_there_is_none),
		UNIT_TEST(test_auth_options_that_need_a_key_are_refused_without),
		UNIT_TEST(test_auth_verifies_with_the_keys_of_all_files),
		UNIT_TEST(test_auth_takes_its_rules_from_the_options),
		UNIT_TEST(test_auth_knows_what_needs_no_token),
		UNIT_TEST(test_auth_refuses_files_by_option_and_name),
		UNIT_TEST(test_auth_key_of_tickets_is_derived),
		UNIT_TEST(test_auth_without_memory),
		{ NULL, NULL },
	};
	sl_log_set_level(SL_LOG_ERROR);
	certificates_write_text("secret", SECRET_32 "\n");
	certificates_write_text("jwk", RFC_OKP_JWK);
	certificates_write_text("short", "short");
	if (sl_secret_create(&secret, NULL, error, sizeof error) != 0)
		return 2;
	int status = unit_main("auth", tests);
	sl_secret_destroy(secret);
	return status;
}
