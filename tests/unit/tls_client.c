#include "tests/unit/tls_client.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config.h"
#include "core/tls_context.h"
#include "core/tls_tickets.h"

static struct sl_tls_tickets *tickets;
static SSL_CTX *client_ctx; /* of all clients */
static char server_name[] = "localhost";

static void
require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "tls client: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	abort();
}

/* ---- the server's certificate ---- */

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	require(x509 && X509_set_version(x509, 2), "certificate");
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
	X509_set_pubkey(x509, key);
	X509_NAME *name = X509_get_subject_name(x509);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	require(names && X509_add_ext(x509, names, -1), "names");
	X509_EXTENSION_free(names);
	require(X509_sign(x509, key, EVP_sha256()) > 0, "signature");
	return x509;
}

struct sl_tls_context *
tls_context_make(void)
{
	char cert_path[] = "/tmp/sluice-test-cert-XXXXXX", key_path[] = "/tmp/sluice-test-key-XXXXXX";
	char *cert_paths[] = { cert_path }, *key_paths[] = { key_path };
	struct sl_config config = { .tls_cert = { cert_paths, 1 }, .tls_key = { key_paths, 1 } };
	struct sl_tls_context *context = NULL;
	char error[512] = "";
	if (!tickets)
		tickets = sl_tls_tickets_create();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = make_certificate(key);
	FILE *cert_file = fdopen(mkstemp(cert_path), "w"), *key_file = fdopen(mkstemp(key_path), "w");
	require(cert_file && key_file && PEM_write_X509(cert_file, x509) &&
		PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL), "files");
	require(fclose(cert_file) == 0 && fclose(key_file) == 0, "files");
	require(sl_tls_context_create(&context, &config, tickets, error, sizeof error) == 0, error);
	unlink(cert_path);
	unlink(key_path);
	X509_free(x509);
	EVP_PKEY_free(key);
	return context;
}

void
tls_context_forget(void)
{
	SSL_CTX_free(client_ctx);
	client_ctx = NULL;
	sl_tls_tickets_destroy(tickets);
	tickets = NULL;
}

/* ---- the client ---- */

static void
on_state(const SSL *ssl, int where, int result)
{
	struct tls_client *client = SSL_get_app_data(ssl);
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (result & 0xff) != SSL_AD_CLOSE_NOTIFY)
		client->alert = result & 0xff;
}

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_client *client = SSL_get_app_data(ssl);
	SSL_SESSION_free(client->session);
	client->session = session;
	return 1;
}

/* A line of a key log: label, client random, secret (SSLKEYLOGFILE's format). */
static void
on_secret(const SSL *ssl, const char *line)
{
	struct tls_client *client = SSL_get_app_data(ssl);
	const char *hex = strrchr(line, ' ');
	if (strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) != 0 || strlen(hex) != 65)
		return;
	for (size_t i = 0; i < sizeof client->secret; i++) {
		unsigned byte;
		require(sscanf(hex + 1 + 2 * i, "%2x", &byte) == 1, "secret");
		client->secret[i] = (uint8_t)byte;
	}
}

/* HKDF-Expand-Label with an empty context (RFC 8446, section 7.1). */
static void
expand(const struct tls_client *client, const char *label, uint8_t *out, size_t len)
{
	uint8_t text[64];
	size_t label_len = strlen(label);
	EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	text[0] = 0;
	text[1] = (uint8_t)len;
	text[2] = (uint8_t)(6 + label_len);
	memcpy(text + 3, "tls13 ", 6);
	memcpy(text + 9, label, label_len);
	text[9 + label_len] = 0;
	require(EVP_PKEY_derive_init(kdf) > 0 &&
		EVP_PKEY_CTX_set_hkdf_mode(kdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) > 0 &&
		EVP_PKEY_CTX_set_hkdf_md(kdf, EVP_sha256()) > 0 &&
		EVP_PKEY_CTX_set1_hkdf_key(kdf, client->secret, sizeof client->secret) > 0 &&
		EVP_PKEY_CTX_add1_hkdf_info(kdf, text, (int)(10 + label_len)) > 0 &&
		EVP_PKEY_derive(kdf, out, &len) > 0, "key");
	EVP_PKEY_CTX_free(kdf);
}

void
tls_client_seal(struct tls_client *client, uint8_t type, const void *bytes, size_t len)
{
	uint8_t key[16], nonce[12], head[5] = { 23, 3, 3, (uint8_t)((len + 17) >> 8), (uint8_t)(len + 17) };
	uint8_t inner[1024], sealed[1024], tag[16];
	int sealed_len = 0, rest;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	require(strcmp(SSL_get_cipher(client->ssl), "TLS_AES_128_GCM_SHA256") == 0 && len < 1000, "cipher");
	expand(client, "key", key, sizeof key);
	expand(client, "iv", nonce, sizeof nonce);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(client->sealed >> 8 * i);
	client->sealed++;
	memcpy(inner, bytes, len);
	inner[len] = type;
	require(EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce) &&
		EVP_EncryptUpdate(cipher, NULL, &rest, head, sizeof head) &&
		EVP_EncryptUpdate(cipher, sealed, &sealed_len, inner, (int)len + 1) &&
		EVP_EncryptFinal_ex(cipher, sealed + sealed_len, &rest) &&
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag), "record");
	EVP_CIPHER_CTX_free(cipher);
	sl_buffer_append(&client->out, head, sizeof head);
	sl_buffer_append(&client->out, sealed, (size_t)sealed_len);
	sl_buffer_append(&client->out, tag, sizeof tag);
}

/* What OpenSSL has written is moved to `out`. */
static void
collect(struct tls_client *client)
{
	BIO *bio = SSL_get_wbio(client->ssl);
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	if (len > 0)
		sl_buffer_append(&client->out, bytes, (size_t)len);
	(void)BIO_reset(bio);
}

static SSL_CTX *
get_ctx(void)
{
	if (client_ctx)
		return client_ctx;
	client_ctx = SSL_CTX_new(TLS_client_method());
	require(client_ctx != NULL, "client");
	SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_keylog_callback(client_ctx, on_secret);
	SSL_CTX_sess_set_new_cb(client_ctx, on_session);
	return client_ctx;
}

void
tls_client_open(struct tls_client *client, int fd, int version, SSL_SESSION *session)
{
	*client = (struct tls_client){ .fd = fd, .alert = -1, .ssl = SSL_new(get_ctx()) };
	require(client->ssl && SSL_set_min_proto_version(client->ssl, version) &&
		SSL_set_max_proto_version(client->ssl, version), "client");
	SSL_set_app_data(client->ssl, client);
	SSL_set_info_callback(client->ssl, on_state);
	SSL_set_bio(client->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(client->ssl), -1);
	SSL_set_tlsext_host_name(client->ssl, server_name);
	if (session)
		SSL_set_session(client->ssl, session);
	SSL_set_connect_state(client->ssl);
}

void
tls_client_close(struct tls_client *client)
{
	/* Else its session would be taken for broken. */
	SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client->ssl);
	SSL_SESSION_free(client->session);
	sl_buffer_finish(&client->out);
	sl_buffer_finish(&client->got);
	*client = (struct tls_client){ .fd = -1 };
}

void
tls_client_advance(struct tls_client *client)
{
	ERR_clear_error();
	if (!client->is_established)
		client->is_established = SSL_do_handshake(client->ssl) == 1;
	collect(client);
}

void
tls_client_write(struct tls_client *client, const void *bytes, size_t len)
{
	ERR_clear_error();
	require(SSL_write(client->ssl, bytes, (int)len) == (int)len, "write");
	collect(client);
}

void
tls_client_update_keys(struct tls_client *client, bool asks_too)
{
	ERR_clear_error();
	require(SSL_key_update(client->ssl,
		asks_too ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1, "key update");
	require(SSL_do_handshake(client->ssl) == 1, "key update");
	collect(client);
}

void
tls_client_say_end(struct tls_client *client)
{
	SSL_shutdown(client->ssl);
	collect(client);
}

void
tls_client_send(struct tls_client *client, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(client->fd, client->out.bytes, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EPIPE)
			return;
		require(sent > 0, "send");
		client->sent += (uint64_t)sent;
		sl_buffer_consume(&client->out, (size_t)sent);
		len -= (size_t)sent;
	}
}

void
tls_client_flush(struct tls_client *client)
{
	tls_client_send(client, client->out.len);
}

static void
decrypt(struct tls_client *client)
{
	char bytes[16384];
	int got;
	tls_client_advance(client);
	if (!client->is_established)
		return;
	ERR_clear_error();
	while ((got = SSL_read(client->ssl, bytes, sizeof bytes)) > 0)
		sl_buffer_append(&client->got, bytes, (size_t)got);
	if (SSL_get_error(client->ssl, got) == SSL_ERROR_ZERO_RETURN)
		client->has_ended = true;
	collect(client);
}

size_t
tls_client_read(struct tls_client *client, size_t max)
{
	char bytes[16384];
	size_t total = 0;
	while (total < max && !client->has_fin) {
		size_t most = max - total < sizeof bytes ? max - total : sizeof bytes;
		ssize_t got = recv(client->fd, bytes, most, MSG_DONTWAIT);
		if (got < 0 && errno == EAGAIN)
			break;
		if (got <= 0) {
			client->has_fin = true;
			client->is_reset = got < 0;
			break;
		}
		client->received += (uint64_t)got;
		total += (size_t)got;
		require(BIO_write(SSL_get_rbio(client->ssl), bytes, (int)got) == got, "input");
		decrypt(client);
	}
	return total;
}

const char *
tls_client_take(struct tls_client *client)
{
	static char text[1 << 20];
	size_t len = client->got.len < sizeof text ? client->got.len : sizeof text - 1;
	if (len)
		memcpy(text, client->got.bytes, len);
	text[len] = '\0';
	sl_buffer_clear(&client->got);
	return text;
}
