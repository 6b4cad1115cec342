/* The generator's end of TLS, and the certificate that the bench makes, against OpenSSL's server in
 * this process: bytes go from one to the other by hand. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load/tls.h"
#include "bench/server/certificate.h"
#include "bench/server/server.h"
#include "bench/settings.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define TURNS 10

static char folder[] = "/tmp/sluice-tls-XXXXXX", key_path[64];
static struct bench_server server = { .tls = true, .name = "127.0.0.1" };
static const struct bench_settings settings;
static SSL_CTX *context;

/* A server's end, and the link that talks to it. */
struct pair {
	SSL *ssl;
	BIO *in, *out;
	struct bench_tls_link *link;
	size_t to_link; /* bytes */
};

static struct pair
pair_of(struct bench_tls *tls)
{
	struct pair pair = { .ssl = SSL_new(context), .in = BIO_new(BIO_s_mem()),
		.out = BIO_new(BIO_s_mem()), .link = bench_tls_link_create(tls) };
	CU_ASSERT_PTR_NOT_NULL_FATAL(pair.link);
	SSL_set_bio(pair.ssl, pair.in, pair.out);
	SSL_set_accept_state(pair.ssl);
	return pair;
}

static void
end(struct pair *pair)
{
	SSL_free(pair->ssl);
	bench_tls_link_destroy(pair->link);
}

/* Carries what both have to say; returns what the link says of it. */
static int
carry(struct pair *pair)
{
	char bytes[16384];
	int err = 0;
	for (int i = 0; i < TURNS && !err; i++) {
		size_t len = bench_tls_link_take(pair->link, bytes, sizeof bytes);
		BIO_write(pair->in, bytes, (int)len);
		SSL_do_handshake(pair->ssl);
		int got = BIO_read(pair->out, bytes, sizeof bytes);
		pair->to_link += got > 0 ? (size_t)got : 0;
		if (got > 0)
			err = bench_tls_link_feed(pair->link, bytes, (size_t)got);
	}
	return err;
}

static void
test_link_trusts_the_certificate_that_was_made(void)
{
	struct bench_tls *tls;
	CU_ASSERT_EQUAL_FATAL(bench_tls_create(&tls, &settings, &server), 0);
	struct pair pair = pair_of(tls);
	CU_ASSERT_EQUAL(carry(&pair), 0);
	CU_ASSERT(bench_tls_link_is_open(pair.link));
	CU_ASSERT(!bench_tls_link_is_resumed(pair.link));
	end(&pair);
	bench_tls_destroy(tls);
}

static void
test_certificate_of_another_address_is_refused(void)
{
	struct bench_server other = server;
	struct bench_tls *tls;
	strcpy(other.name, "127.0.0.2");
	CU_ASSERT_EQUAL_FATAL(bench_tls_create(&tls, &settings, &other), 0);
	struct pair pair = pair_of(tls);
	CU_ASSERT_EQUAL(carry(&pair), SL_EPROTO);
	end(&pair);
	bench_tls_destroy(tls);
}

static void
test_remembered_session_is_resumed_by_each_link(void)
{
	char byte;
	struct bench_tls *tls;
	CU_ASSERT_EQUAL_FATAL(bench_tls_create(&tls, &settings, &server), 0);
	struct pair first = pair_of(tls);
	CU_ASSERT_EQUAL(bench_tls_remember(tls, first.link), SL_EAGAIN);
	CU_ASSERT_EQUAL(carry(&first), 0);
	/* The ticket comes behind the handshake; it is found by reading. */
	CU_ASSERT_EQUAL(bench_tls_link_read(first.link, &byte, 1), SL_EAGAIN);
	CU_ASSERT_EQUAL_FATAL(bench_tls_remember(tls, first.link), 0);
	for (int i = 0; i < 2; i++) {
		struct pair again = pair_of(tls);
		CU_ASSERT_EQUAL(carry(&again), 0);
		CU_ASSERT(bench_tls_link_is_resumed(again.link));
		CU_ASSERT(SSL_session_reused(again.ssl));
		CU_ASSERT(again.to_link < first.to_link);
		end(&again);
	}
	end(&first);
	bench_tls_destroy(tls);
}

static void
test_record_is_longer_by_what_the_scenarios_reckon_with(void)
{
	char bytes[256], got[256];
	struct bench_tls *tls;
	CU_ASSERT_EQUAL_FATAL(bench_tls_create(&tls, &settings, &server), 0);
	struct pair pair = pair_of(tls);
	CU_ASSERT_EQUAL_FATAL(carry(&pair), 0);
	CU_ASSERT_EQUAL(bench_tls_link_write(pair.link, "0123456789", 10), 0);
	size_t len = bench_tls_link_take(pair.link, bytes, sizeof bytes);
	CU_ASSERT_EQUAL(len, 10 + BENCH_TLS_RECORD_BYTES);
	BIO_write(pair.in, bytes, (int)len);
	CU_ASSERT_EQUAL(SSL_read(pair.ssl, got, sizeof got), 10);
	end(&pair);
	bench_tls_destroy(tls);
}

static void
test_server_in_the_clear_has_no_tls(void)
{
	static const struct bench_server plain = { .name = "127.0.0.1" };
	struct bench_tls *tls = (struct bench_tls *)&tls;
	CU_ASSERT_EQUAL(bench_tls_create(&tls, &settings, &plain), 0);
	CU_ASSERT_PTR_NULL(tls);
}

static bool
make_server(void)
{
	if (!mkdtemp(folder))
		return false;
	snprintf(server.ca_path, sizeof server.ca_path, "%s/certificate.pem", folder);
	snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
	context = SSL_CTX_new(TLS_server_method());
	return bench_certificate_write(server.ca_path, key_path, "127.0.0.1") == 0
		&& SSL_CTX_use_certificate_file(context, server.ca_path, SSL_FILETYPE_PEM) == 1
		&& SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) == 1
		&& SSL_CTX_check_private_key(context) == 1;
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_link_trusts_the_certificate_that_was_made),
		UNIT_TEST(test_certificate_of_another_address_is_refused),
		UNIT_TEST(test_remembered_session_is_resumed_by_each_link),
		UNIT_TEST(test_record_is_longer_by_what_the_scenarios_reckon_with),
		UNIT_TEST(test_server_in_the_clear_has_no_tls),
		{ NULL, NULL },
	};
	int status = make_server() ? unit_main("bench tls", tests) : 1;
	SSL_CTX_free(context);
	unlink(server.ca_path);
	unlink(key_path);
	rmdir(folder);
	return status;
}
