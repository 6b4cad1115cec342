#include "core/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "config/config.h"
#include "core/tls_tickets.h"
#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char error[512];
static struct sl_tls_tickets *tickets;

/* The context of NAME.crt and NAME.key of each name. */
static int
try_context(struct sl_tls_context **out, const char *const *files)
{
	struct sl_config config = { 0 };
	char *paths[2][8], text[32];
	size_t count = 0;
	for (; files[count]; count++) {
		snprintf(text, sizeof text, "%s.crt", files[count]);
		paths[0][count] = strdup(certificates_path(text));
		snprintf(text, sizeof text, "%s.key", files[count]);
		paths[1][count] = strdup(certificates_path(text));
	}
	config.tls_cert = (struct sl_text_list){ paths[0], count };
	config.tls_key = (struct sl_text_list){ paths[1], count };
	error[0] = '\0';
	int err = sl_tls_context_create(out, &config, tickets, error, sizeof error);
	for (size_t i = 0; i < count; i++) {
		free(paths[0][i]);
		free(paths[1][i]);
	}
	return err;
}

static struct sl_tls_context *
make_context(const char *const *files)
{
	struct sl_tls_context *context = NULL;
	CU_ASSERT_EQUAL_FATAL(try_context(&context, files), 0);
	return context;
}
#define MAKE(...) make_context((const char *const[]){ __VA_ARGS__, NULL })

/* ---- a client, and what came of its handshake ---- */

struct client {
	int version;          /* the only one it speaks; 0: 1.2 and 1.3 */
	const char *name;     /* SNI */
	const char *ciphers;  /* of TLS 1.2, and those of 1.3: NULL as OpenSSL likes */
	const char *suites;
	const char *groups, *algorithms;
	const char *protocols; /* ALPN in the wire's form */
	SSL_SESSION *resume;  /* borrows */
};

struct outcome {
	bool is_done, is_resumed;
	int version;
	char cipher[64], subject[64], protocol[32], group[32];
	int alert;            /* that the client got, where it failed; -1 */
	int tickets;
	int chain;            /* certificates that came */
	bool is_named;        /* the server says that the name counted */
	SSL_SESSION *session; /* owns; of a done one */
};

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct outcome *outcome = SSL_get_app_data(ssl);
	SSL_SESSION_free(outcome->session);
	outcome->session = session;
	outcome->tickets++;
	return 1;
}

static void
note_alert(const SSL *ssl, int where, int value)
{
	struct outcome *outcome = SSL_get_app_data(ssl);
	if (where == SSL_CB_READ_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY)
		outcome->alert = value & 0xff;
}

/* The name extension in the server's answer, where it is. */
static void
note_extension(SSL *ssl, int is_client, int type, const unsigned char *bytes, int len, void *arg)
{
	struct outcome *outcome = SSL_get_app_data(ssl);
	if (type == TLSEXT_TYPE_server_name && len == 0)
		outcome->is_named = true;
}

static SSL *
new_client(const struct client *client, struct outcome *outcome)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	SSL_CTX_set_info_callback(ctx, note_alert);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_app_data(ssl, outcome);
	SSL_set_tlsext_debug_callback(ssl, note_extension);
	if (client->version) {
		SSL_set_min_proto_version(ssl, client->version);
		SSL_set_max_proto_version(ssl, client->version);
	}
	if (client->name)
		SSL_set_tlsext_host_name(ssl, client->name);
	if (client->ciphers)
		CU_ASSERT_EQUAL(SSL_set_cipher_list(ssl, client->ciphers), 1);
	if (client->suites)
		CU_ASSERT_EQUAL(SSL_set_ciphersuites(ssl, client->suites), 1);
	if (client->groups)
		CU_ASSERT_EQUAL(SSL_set1_groups_list(ssl, client->groups), 1);
	if (client->algorithms)
		CU_ASSERT_EQUAL(SSL_set1_sigalgs_list(ssl, client->algorithms), 1);
	if (client->protocols)
		SSL_set_alpn_protos(ssl, (const unsigned char *)client->protocols, (unsigned)strlen(client->protocols));
	if (client->resume)
		SSL_set_session(ssl, client->resume);
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Carries bytes both ways until nobody has more to say, and the tickets after it. */
static bool
shake_hands(SSL *client, SSL *server)
{
	BIO *near, *far;
	char byte;
	BIO_new_bio_pair(&near, 65536, &far, 65536);
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	SSL_read(client, &byte, 1); /* the tickets */
	ERR_clear_error();
	return SSL_is_init_finished(client) && SSL_is_init_finished(server);
}

static void
describe(SSL *client, struct outcome *out)
{
	const unsigned char *protocol;
	unsigned len;
	X509 *peer = SSL_get1_peer_certificate(client);
	out->version = SSL_version(client);
	out->is_resumed = SSL_session_reused(client);
	snprintf(out->cipher, sizeof out->cipher, "%s", SSL_get_cipher_name(client));
	snprintf(out->group, sizeof out->group, "%s",
		OBJ_nid2sn((int)SSL_get_negotiated_group(client)));
	SSL_get0_alpn_selected(client, &protocol, &len);
	snprintf(out->protocol, sizeof out->protocol, "%.*s", (int)len, (const char *)protocol);
	if (peer)
		X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, out->subject, sizeof out->subject);
	out->chain = sk_X509_num(SSL_get_peer_cert_chain(client));
	if (!out->session) /* OpenSSL tells of no new ticket where TLS 1.2 resumes */
		out->session = SSL_get1_session(client);
	X509_free(peer);
}

static struct outcome
connect_to(struct sl_tls_context *context, struct client what)
{
	struct outcome outcome = { .alert = -1 };
	SSL *client = new_client(&what, &outcome), *server = sl_tls_context_new_session(context);
	CU_ASSERT_PTR_NOT_NULL_FATAL(server);
	outcome.is_done = shake_hands(client, server);
	if (outcome.is_done)
		describe(client, &outcome);
	SSL_shutdown(client);
	SSL_free(client);
	sl_tls_context_free_session(server);
	return outcome;
}

/* Connects, and expects the certificate of that subject; NULL: no handshake. */
static void
expect_subject(struct sl_tls_context *context, struct client what, const char *subject)
{
	struct outcome outcome = connect_to(context, what);
	CU_ASSERT_EQUAL(outcome.is_done, subject != NULL);
	CU_ASSERT_STRING_EQUAL(outcome.subject, subject ? subject : "");
	SSL_SESSION_free(outcome.session);
}

/* ---- which certificate ---- */

static void
test_tls_context_the_name_asked_for_chooses_the_certificate(void)
{
	struct sl_tls_context *context = MAKE("a", "b");
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	for (int i = 0; i < 2; i++) {
		int version = versions[i];
		expect_subject(context, (struct client){ version, "a.example" }, "a");
		expect_subject(context, (struct client){ version, "b.example" }, "b");
		expect_subject(context, (struct client){ version, "B.Example" }, "b");
		expect_subject(context, (struct client){ version, "www.b.example" }, "b");
		expect_subject(context, (struct client){ version, "x.www.b.example" }, "a");
		expect_subject(context, (struct client){ version, "c.example" }, "a");
		expect_subject(context, (struct client){ version, NULL }, "a");
	}
	sl_tls_context_unref(context);
}

static void
test_tls_context_tells_whether_the_name_counted(void)
{
	struct sl_tls_context *context = MAKE("a", "b");
	struct outcome known = connect_to(context, (struct client){ 0, "b.example" });
	struct outcome unknown = connect_to(context, (struct client){ 0, "c.example" });
	CU_ASSERT_TRUE(known.is_named);
	CU_ASSERT_FALSE(unknown.is_named);
	SSL_SESSION_free(known.session);
	SSL_SESSION_free(unknown.session);
	sl_tls_context_unref(context);
}

static void
test_tls_context_what_a_client_can_verify_chooses_the_key(void)
{
	struct sl_tls_context *context = MAKE("a", "rsa");
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	for (int i = 0; i < 2; i++) {
		struct client ecdsa = { versions[i], "a.example", .algorithms = "ECDSA+SHA256" };
		struct client rsa = { versions[i], "a.example", .algorithms = "RSA-PSS+SHA256:RSA+SHA256" };
		struct client none = { versions[i], "a.example", .algorithms = "ed448" };
		expect_subject(context, ecdsa, "a");
		expect_subject(context, rsa, "rsa");
		expect_subject(context, none, NULL);
	}
	expect_subject(context, (struct client){ TLS1_2_VERSION, "a.example",
		.ciphers = "ECDHE-RSA-AES128-GCM-SHA256" }, "rsa");
	sl_tls_context_unref(context);
}

static void
test_tls_context_sends_the_chain_of_the_file_and_nothing_of_its_own(void)
{
	size_t len;
	char chain[16384];
	char *leaf = certificates_read("a.crt", &len), *issuer = certificates_read("b.crt", &len);
	snprintf(chain, sizeof chain, "%s%s", leaf, issuer);
	certificates_write_text("chain.crt", chain);
	free(issuer);
	free(leaf);
	char *key = certificates_read("a.key", &len);
	certificates_write_text("chain.key", key);
	free(key);
	struct sl_tls_context *context = MAKE("chain");
	struct outcome outcome = connect_to(context, (struct client){ 0 });
	CU_ASSERT_EQUAL(outcome.chain, 2);
	SSL_SESSION_free(outcome.session);
	sl_tls_context_unref(context);
}

/* ---- the policy ---- */

static void
expect_cipher(struct sl_tls_context *context, struct client what, const char *cipher)
{
	struct outcome outcome = connect_to(context, what);
	CU_ASSERT_EQUAL(outcome.is_done, cipher != NULL);
	CU_ASSERT_STRING_EQUAL(outcome.cipher, cipher ? cipher : "");
	SSL_SESSION_free(outcome.session);
}

static void
test_tls_context_prefers_aes_128_unless_the_client_begins_with_chacha(void)
{
	struct sl_tls_context *context = MAKE("a", "rsa");
	expect_cipher(context, (struct client){ TLS1_3_VERSION }, "TLS_AES_128_GCM_SHA256");
	expect_cipher(context, (struct client){ TLS1_3_VERSION,
		.suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256" }, "TLS_AES_256_GCM_SHA384");
	expect_cipher(context, (struct client){ TLS1_3_VERSION,
		.suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256" }, "TLS_CHACHA20_POLY1305_SHA256");
	expect_cipher(context, (struct client){ TLS1_2_VERSION }, "ECDHE-ECDSA-AES128-GCM-SHA256");
	expect_cipher(context, (struct client){ TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:"
		"ECDHE-ECDSA-AES128-GCM-SHA256" }, "ECDHE-ECDSA-CHACHA20-POLY1305");
	expect_cipher(context, (struct client){ TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES256-GCM-SHA384" },
		"ECDHE-RSA-AES256-GCM-SHA384");
	sl_tls_context_unref(context);
}

static void
test_tls_context_takes_no_old_version_and_no_weak_cipher(void)
{
	struct sl_tls_context *context = MAKE("a", "rsa");
	static const char *const refused[] = { "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256",
		"ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-CCM" };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		expect_cipher(context, (struct client){ TLS1_2_VERSION, .ciphers = refused[i] }, NULL);
	expect_cipher(context, (struct client){ TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" }, NULL);
	expect_cipher(context, (struct client){ TLS1_VERSION, .ciphers = "ALL:@SECLEVEL=0" }, NULL);
	sl_tls_context_unref(context);
}

static void
expect_group(struct sl_tls_context *context, const char *offered, const char *chosen)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	for (int i = 0; i < 2; i++) {
		struct outcome outcome = connect_to(context, (struct client){ versions[i], .groups = offered });
		CU_ASSERT_EQUAL(outcome.is_done, chosen != NULL);
		CU_ASSERT_STRING_EQUAL(outcome.group, chosen ? chosen : "");
		SSL_SESSION_free(outcome.session);
	}
}

static void
test_tls_context_agrees_on_x25519_p256_or_p384(void)
{
	struct sl_tls_context *context = MAKE("rsa");
	expect_group(context, "X25519:P-256:P-384", "X25519");
	expect_group(context, "P-256:P-384", "prime256v1");
	expect_group(context, "P-384", "secp384r1");
	expect_group(context, "X448", NULL);
	sl_tls_context_unref(context);
}

static void
test_tls_context_speaks_http_1_1_and_no_other_protocol(void)
{
	struct sl_tls_context *context = MAKE("a");
	struct outcome both = connect_to(context, (struct client){ 0, .protocols = "\x02h2\x08http/1.1" });
	CU_ASSERT_STRING_EQUAL(both.protocol, "http/1.1");
	struct outcome none = connect_to(context, (struct client){ 0 });
	CU_ASSERT_TRUE(none.is_done);
	CU_ASSERT_STRING_EQUAL(none.protocol, "");
	struct outcome other = connect_to(context, (struct client){ 0, .protocols = "\x02h2" });
	CU_ASSERT_FALSE(other.is_done);
	CU_ASSERT_EQUAL(other.alert, SSL_AD_NO_APPLICATION_PROTOCOL);
	SSL_SESSION_free(both.session);
	SSL_SESSION_free(none.session);
	sl_tls_context_unref(context);
}

static void
test_tls_context_refuses_to_renegotiate(void)
{
	struct sl_tls_context *context = MAKE("a");
	struct outcome outcome = { .alert = -1 };
	char byte;
	SSL *client = new_client(&(struct client){ TLS1_2_VERSION }, &outcome);
	SSL *server = sl_tls_context_new_session(context);
	CU_ASSERT_TRUE_FATAL(shake_hands(client, server));
	CU_ASSERT_EQUAL(SSL_renegotiate(client), 1);
	SSL_do_handshake(client);
	SSL_read(server, &byte, 1);
	SSL_read(client, &byte, 1);
	CU_ASSERT_EQUAL(outcome.alert, SSL_AD_NO_RENEGOTIATION);
	CU_ASSERT_TRUE(SSL_is_init_finished(server));
	SSL_SESSION_free(outcome.session);
	SSL_free(client);
	sl_tls_context_free_session(server);
	sl_tls_context_unref(context);
}

/* ---- resuming ---- */

/* Connects to one, then with what it got to the other. */
static struct outcome
resume(struct sl_tls_context *one, struct sl_tls_context *other, int version, const char *first,
	const char *second)
{
	struct outcome outcome = connect_to(one, (struct client){ version, first });
	CU_ASSERT_EQUAL_FATAL(outcome.tickets, 1);
	CU_ASSERT_FALSE(outcome.is_resumed);
	struct outcome again = connect_to(other, (struct client){ version, second, .resume = outcome.session });
	CU_ASSERT_TRUE(again.is_done);
	SSL_SESSION_free(outcome.session);
	return again;
}

static bool
resumes(struct sl_tls_context *one, struct sl_tls_context *other, int version, const char *first,
	const char *second)
{
	struct outcome again = resume(one, other, version, first, second);
	SSL_SESSION_free(again.session);
	return again.is_resumed;
}

static const int both_versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void
test_tls_context_resumes_by_one_ticket(void)
{
	struct sl_tls_context *context = MAKE("a", "b");
	struct outcome again = resume(context, context, TLS1_3_VERSION, "b.example", "b.example");
	CU_ASSERT_TRUE(again.is_resumed);
	CU_ASSERT_EQUAL(again.tickets, 1); /* for the next time: a client uses each once */
	CU_ASSERT_EQUAL(SSL_SESSION_get_max_early_data(again.session), 0);
	CU_ASSERT_EQUAL(SSL_SESSION_get_ticket_lifetime_hint(again.session), SL_TLS_TICKET_LIFE_S);
	SSL_SESSION_free(again.session);
	again = resume(context, context, TLS1_2_VERSION, "b.example", "b.example");
	CU_ASSERT_TRUE(again.is_resumed);
	CU_ASSERT_EQUAL(again.tickets, 0); /* the one it has is good again */
	SSL_SESSION_free(again.session);
	sl_tls_context_unref(context);
}

static void
test_tls_context_resumes_under_certificates_of_the_same_names_alone(void)
{
	struct sl_tls_context *context = MAKE("a", "b");
	for (int i = 0; i < 2; i++) {
		int version = both_versions[i];
		CU_ASSERT_FALSE(resumes(context, context, version, "a.example", "b.example"));
		CU_ASSERT_FALSE(resumes(context, context, version, "b.example", "a.example"));
		CU_ASSERT_FALSE(resumes(context, context, version, "b.example", "c.example"));
		CU_ASSERT_FALSE(resumes(context, context, version, "b.example", NULL));
		CU_ASSERT_TRUE(resumes(context, context, version, NULL, NULL));
	}
	/* In TLS 1.3 another name of the certificate will do (RFC 8446, section 4.6.1). */
	CU_ASSERT_TRUE(resumes(context, context, TLS1_3_VERSION, "x.b.example", "b.example"));
	sl_tls_context_unref(context);
}

static void
test_tls_context_sessions_outlive_their_certificate(void)
{
	struct sl_tls_context *old = MAKE("a", "b"), *renewed = MAKE("a2", "b");
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_TRUE(resumes(old, renewed, both_versions[i], "a.example", "a.example"));
		CU_ASSERT_TRUE(resumes(old, renewed, both_versions[i], "b.example", "b.example"));
	}
	expect_subject(renewed, (struct client){ 0, "a.example" }, "a2");
	sl_tls_context_unref(old);
	sl_tls_context_unref(renewed);
}

static bool
has_ticket_of(const SSL_SESSION *one, const SSL_SESSION *other)
{
	const unsigned char *bytes[2];
	size_t len[2];
	SSL_SESSION_get0_ticket(one, &bytes[0], &len[0]);
	SSL_SESSION_get0_ticket(other, &bytes[1], &len[1]);
	return len[0] == len[1] && len[0] > 0 && memcmp(bytes[0], bytes[1], len[0]) == 0;
}

static void
test_tls_context_a_ticket_of_an_old_key_is_exchanged(void)
{
	struct sl_tls_context *context = MAKE("a");
	struct outcome first = connect_to(context, (struct client){ TLS1_2_VERSION });
	struct outcome same = connect_to(context, (struct client){ TLS1_2_VERSION, .resume = first.session });
	CU_ASSERT_TRUE(same.is_resumed);
	CU_ASSERT_TRUE(has_ticket_of(same.session, first.session));
	SSL_SESSION_free(same.session);
	set_monotonic_ms += UINT64_C(1000) * SL_TLS_TICKET_ROTATE_S;
	struct outcome second = connect_to(context, (struct client){ TLS1_2_VERSION, .resume = first.session });
	CU_ASSERT_TRUE(second.is_resumed);
	CU_ASSERT_FALSE(has_ticket_of(second.session, first.session));
	set_monotonic_ms += UINT64_C(2000) * SL_TLS_TICKET_ROTATE_S;
	struct outcome third = connect_to(context, (struct client){ TLS1_2_VERSION, .resume = first.session });
	CU_ASSERT_TRUE(third.is_done);
	CU_ASSERT_FALSE(third.is_resumed);
	struct outcome fourth = connect_to(context, (struct client){ TLS1_2_VERSION, .resume = second.session });
	CU_ASSERT_TRUE(fourth.is_resumed);
	SSL_SESSION_free(first.session);
	SSL_SESSION_free(second.session);
	SSL_SESSION_free(third.session);
	SSL_SESSION_free(fourth.session);
	sl_tls_context_unref(context);
}

/* ---- lives ---- */

static void
test_tls_context_lives_as_long_as_its_sessions(void)
{
	struct sl_tls_context *context = MAKE("a", "b");
	struct outcome outcome = { .alert = -1 };
	SSL *client = new_client(&(struct client){ 0, "b.example" }, &outcome);
	SSL *server = sl_tls_context_new_session(context);
	CU_ASSERT_PTR_EQUAL(sl_tls_context_ref(context), context);
	sl_tls_context_unref(context);
	sl_tls_context_unref(context); /* a reload, in the middle of a handshake */
	CU_ASSERT_TRUE(shake_hands(client, server));
	describe(client, &outcome);
	CU_ASSERT_STRING_EQUAL(outcome.subject, "b");
	SSL_SESSION_free(outcome.session);
	SSL_free(client);
	sl_tls_context_free_session(server);
	sl_tls_context_free_session(NULL);
	sl_tls_context_unref(NULL);
}

static void
test_tls_context_tells_of_each_certificate(void)
{
	struct sl_tls_context *context = MAKE("a", "rsa");
	size_t count;
	const struct sl_tls_certificate *certificates = sl_tls_context_certificates(context, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_STRING_EQUAL(certificates[0].name, "a.example");
	CU_ASSERT_STRING_EQUAL(certificates[0].key, "ecdsa");
	CU_ASSERT_STRING_EQUAL(certificates[1].key, "rsa");
	CU_ASSERT_TRUE(certificates[0].expires_s > 0);
	sl_tls_context_unref(context);
}

static void
test_tls_context_a_certificate_that_nobody_gets_is_warned_of(void)
{
	log_lines_begin();
	struct sl_tls_context *context = MAKE("a", "a2");
	const char *said = log_lines_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "warning tls.unused file=\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(said, "/a2.crt\""));
	expect_subject(context, (struct client){ 0, "a.example" }, "a");
	sl_tls_context_unref(context);
}

/* ---- faults ---- */

static void
expect_refusal(const char *const *files, const char *why)
{
	struct sl_tls_context *context = NULL;
	CU_ASSERT_EQUAL(try_context(&context, files), SL_EINVAL);
	CU_ASSERT_PTR_NULL(context);
	if (!strstr(error, why))
		fprintf(stderr, "  %s\n", error);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, why));
}

static void
test_tls_context_of_certificates_that_cannot_be_is_refused(void)
{
	struct sl_tls_context *context = NULL;
	char *path[] = { (char[]){ "x" } };
	struct sl_config config = { .tls_cert = { path, 1 } };
	expect_refusal((const char *const[]){ "a", "missing", NULL }, "missing.crt: cannot read the file");
	expect_refusal((const char *const[]){ NULL }, "--tls-cert: there are 0 certificates");
	CU_ASSERT_EQUAL(sl_tls_context_create(&context, &config, tickets, error, sizeof error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error, "--tls-cert: certificates: 1, keys (--tls-key): 0; use one "
		"key for each certificate, in the same order");
	CU_ASSERT_EQUAL(ERR_peek_error(), 0); /* and leaves nothing for whoever asks next */
}

static void
test_tls_context_with_a_key_that_is_too_short_is_refused(void)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	const struct certificate what = { "short", "rsa", .san = "DNS:short.example" };
	X509 *x509 = certificates_sign(&what, key);
	FILE *cert = fopen(certificates_path("short.crt"), "w");
	FILE *secret = fopen(certificates_path("short.key"), "w");
	PEM_write_X509(cert, x509);
	PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
	fchmod(fileno(secret), 0600);
	fclose(cert);
	fclose(secret);
	X509_free(x509);
	EVP_PKEY_free(key);
	expect_refusal((const char *const[]){ "short", NULL }, "short.crt: OpenSSL refuses the certificate (ee key too small)");
}

static void
test_tls_context_without_memory_is_an_error(void)
{
	char cert[CERTIFICATES_PATH_MAX], key[CERTIFICATES_PATH_MAX];
	strcpy(cert, certificates_path("a.crt"));
	strcpy(key, certificates_path("a.key"));
	char *paths[2] = { cert, key };
	const struct sl_config config = { .tls_cert = { &paths[0], 1 }, .tls_key = { &paths[1], 1 } };
	for_each_failing_allocation(failing) {
		struct sl_tls_context *context = NULL;
		failing_expect(sl_tls_context_create(&context, &config, tickets, error, sizeof error));
		sl_tls_context_unref(context);
	}
}

static void
make_certificates(void)
{
	certificates_make((struct certificate){ "a", "ecdsa", .san = "DNS:a.example" });
	certificates_make((struct certificate){ "a2", "ecdsa", .san = "DNS:a.example" });
	certificates_make((struct certificate){ "rsa", "rsa", .san = "DNS:a.example" });
	certificates_make((struct certificate){ "b", "ecdsa", .san = "DNS:b.example,DNS:*.b.example" });
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_context_the_name_asked_for_chooses_the_certificate),
		UNIT_TEST(test_tls_context_tells_whether_the_name_counted),
		UNIT_TEST(test_tls_context_what_a_client_can_verify_chooses_the_key),
		UNIT_TEST(test_tls_context_sends_the_chain_of_the_file_and_nothing_of_its_own),
		UNIT_TEST(test_tls_context_prefers_aes_128_unless_the_client_begins_with_chacha),
		UNIT_TEST(test_tls_context_takes_no_old_version_and_no_weak_cipher),
		UNIT_TEST(test_tls_context_agrees_on_x25519_p256_or_p384),
		UNIT_TEST(test_tls_context_speaks_http_1_1_and_no_other_protocol),
		UNIT_TEST(test_tls_context_refuses_to_renegotiate),
		UNIT_TEST(test_tls_context_resumes_by_one_ticket),
		UNIT_TEST(test_tls_context_resumes_under_certificates_of_the_same_names_alone),
		UNIT_TEST(test_tls_context_sessions_outlive_their_certificate),
		UNIT_TEST(test_tls_context_a_ticket_of_an_old_key_is_exchanged),
		UNIT_TEST(test_tls_context_lives_as_long_as_its_sessions),
		UNIT_TEST(test_tls_context_tells_of_each_certificate),
		UNIT_TEST(test_tls_context_a_certificate_that_nobody_gets_is_warned_of),
		UNIT_TEST(test_tls_context_of_certificates_that_cannot_be_is_refused),
		UNIT_TEST(test_tls_context_with_a_key_that_is_too_short_is_refused),
		UNIT_TEST(test_tls_context_without_memory_is_an_error),
		{ NULL, NULL },
	};
	make_certificates();
	tickets = sl_tls_tickets_create();
	int status = unit_main("tls_context", tests);
	sl_tls_tickets_destroy(tickets);
	return status;
}
