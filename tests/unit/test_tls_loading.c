#include "tls_loading.h"

#include "config/config.h"
#include "core/listener.h"
#include "core/tls_context.h"
#include "core/tls_tickets.h"
#include "tests/unit/certificates.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char error[512];
static struct sl_tls_tickets *tickets;

/* Parses the options; `%` in one stands for the folder of the certificates. */
static void
parse(struct sl_config *config, const char *const *options)
{
	static char texts[8][CERTIFICATES_PATH_MAX + 32];
	static char name[] = "sluice", *argv[9] = { name };
	int argc = 1;
	for (; *options; options++, argc++) {
		const char *folder = strchr(*options, '%');
		int before = folder ? (int)(folder - *options) : (int)strlen(*options);
		snprintf(texts[argc - 1], sizeof texts[0], "%.*s%s", before, *options,
			folder ? certificates_path(folder + 1) : "");
		argv[argc] = texts[argc - 1];
	}
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(config, argc, argv), 0);
}

static int
load(struct sl_tls_context **out, bool has_listener, const char *const *options)
{
	struct sl_config config;
	parse(&config, options);
	error[0] = '\0';
	log_lines_begin();
	int err = sl_tls_loading_create(out, &config, tickets, has_listener, error, sizeof error);
	log_lines_end();
	sl_config_finish(&config);
	return err;
}
#define LOAD(out, has_listener, ...) \
	load(out, has_listener, (const char *const[]){ __VA_ARGS__ NULL })

#define CERT "--tls-cert=%a.crt",
#define KEY "--tls-key=%a.key",
#define KEYS "--tls-ticket-keys=%keys",

static void
test_tls_loading_without_tls_there_is_no_context(void)
{
	struct sl_tls_context *context;
	CU_ASSERT_EQUAL(LOAD(&context, false, ), 0);
	CU_ASSERT_PTR_NULL(context);
}

static void
test_tls_loading_reads_what_the_options_name_and_tells_of_it(void)
{
	struct sl_tls_context *context;
	size_t count;
	CU_ASSERT_EQUAL_FATAL(LOAD(&context, true, CERT KEY), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, "info tls.certificate name=\"a.example\" key=ecdsa "
		"expires_in_s=25"));
	CU_ASSERT_STRING_EQUAL(sl_tls_context_certificates(context, &count)->name, "a.example");
	sl_tls_context_unref(context);
}

static void
expect_refusal(int err, struct sl_tls_context **context, const char *why)
{
	CU_ASSERT_EQUAL(err, SL_EINVAL);
	CU_ASSERT_PTR_NULL(*context);
	if (!strstr(error, why))
		fprintf(stderr, "  %s\n", error);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, why));
}

static void
test_tls_loading_listeners_and_certificates_need_each_other(void)
{
	struct sl_tls_context *context;
	expect_refusal(LOAD(&context, true, ), &context, "--tls-listen: TLS needs a certificate and its key");
	expect_refusal(LOAD(&context, true, KEY), &context, "--tls-listen: TLS needs a certificate");
	expect_refusal(LOAD(&context, true, CERT), &context, "--tls-cert: certificates: 1, keys (--tls-key): 0");
	expect_refusal(LOAD(&context, false, CERT KEY), &context, "--tls-cert: no listener speaks TLS");
	expect_refusal(LOAD(&context, false, KEY), &context, "--tls-key: no listener speaks TLS");
	expect_refusal(LOAD(&context, false, KEYS), &context, "--tls-ticket-keys: no listener speaks TLS");
	CU_ASSERT_FALSE(sl_tls_loading_is_wanted(NULL, 0));
	struct sl_listener listeners[2] = { { .is_secure = false }, { .is_secure = true } };
	CU_ASSERT_FALSE(sl_tls_loading_is_wanted(listeners, 1));
	CU_ASSERT_TRUE(sl_tls_loading_is_wanted(listeners, 2));
}

/* The name of the key that seals at the moment. */
static unsigned
sealing_key(void)
{
	unsigned char name[SL_TLS_TICKET_NAME_LEN], iv[SL_TLS_TICKET_IV_LEN];
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(kind);
	CU_ASSERT_TRUE(sl_tls_tickets_seal(tickets, name, iv, cipher, mac));
	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
	EVP_CIPHER_CTX_free(cipher);
	return (unsigned)name[0] << 24 | (unsigned)name[1] << 16 | (unsigned)name[2] << 8 | name[3];
}

static void
test_tls_loading_takes_ticket_keys_and_certificates_together_or_not_at_all(void)
{
	struct sl_tls_context *context;
	unsigned own = sealing_key();
	CU_ASSERT_EQUAL_FATAL(LOAD(&context, true, CERT KEY KEYS), 0);
	sl_tls_context_unref(context);
	CU_ASSERT_EQUAL(sealing_key(), 0x77777777);
	expect_refusal(LOAD(&context, true, CERT KEY "--tls-ticket-keys=%a.key",), &context,
		"--tls-ticket-keys /tmp/");
	CU_ASSERT_EQUAL(sealing_key(), 0x77777777);
	expect_refusal(LOAD(&context, true, CERT "--tls-key=%b.key",), &context, "does not belong");
	CU_ASSERT_EQUAL(sealing_key(), 0x77777777);
	CU_ASSERT_EQUAL_FATAL(LOAD(&context, true, CERT KEY), 0);
	sl_tls_context_unref(context);
	CU_ASSERT_EQUAL(sealing_key(), own);
}

static int
check(const char *const *options)
{
	struct sl_config config;
	parse(&config, options);
	log_lines_begin();
	int err = sl_tls_loading_check(&config);
	log_lines_end();
	sl_config_finish(&config);
	return err;
}
#define CHECK(...) check((const char *const[]){ "--check-config", __VA_ARGS__ NULL })

static void
test_tls_loading_a_check_reads_all_and_does_not_ask_for_a_listener(void)
{
	CU_ASSERT_EQUAL(CHECK( ), 0);
	CU_ASSERT_EQUAL(CHECK(CERT KEY KEYS), 0);
	CU_ASSERT_EQUAL(CHECK("--tls-listen=127.0.0.1:8443", CERT KEY), 0);
	CU_ASSERT_EQUAL(CHECK("--tls-listen=127.0.0.1:8443",), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, "sluice: --tls-listen: TLS needs a certificate"));
	CU_ASSERT_EQUAL(CHECK(CERT "--tls-key=%b.key",), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(log_lines_text, "sluice: --tls-key /tmp/"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_loading_without_tls_there_is_no_context),
		UNIT_TEST(test_tls_loading_reads_what_the_options_name_and_tells_of_it),
		UNIT_TEST(test_tls_loading_listeners_and_certificates_need_each_other),
		UNIT_TEST(test_tls_loading_takes_ticket_keys_and_certificates_together_or_not_at_all),
		UNIT_TEST(test_tls_loading_a_check_reads_all_and_does_not_ask_for_a_listener),
		{ NULL, NULL },
	};
	char digits[161] = "";
	memset(digits, '7', 160);
	certificates_make((struct certificate){ "a", "ecdsa", .san = "DNS:a.example" });
	certificates_make((struct certificate){ "b", "ecdsa", .san = "DNS:b.example" });
	certificates_write_text("keys", digits);
	tickets = sl_tls_tickets_create();
	int status = unit_main("tls_loading", tests);
	sl_tls_tickets_destroy(tickets);
	return status;
}
