#include "bench/load/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/server.h"
#include "bench/settings.h"
#include "util/err.h"

struct bench_tls {
	SSL_CTX *context; /* owns */
	SSL_SESSION *session; /* owns: to be resumed; NULL for none */
	char *name;       /* owns */
	bool is_address;
};

struct bench_tls_link {
	SSL *ssl;             /* owns; and through it both */
	BIO *incoming, *outgoing;
};

static bool
is_address(const char *name)
{
	struct in6_addr address;
	return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static int
set_trust(SSL_CTX *context, const struct bench_settings *settings, const struct bench_server *server)
{
	bool is_own = server->ca_path[0];
	const char *ca_file = is_own ? server->ca_path : settings->ca_file;
	if (is_own || !settings->insecure)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	/* A hundred certificates, which take some time. */
	if (!is_own && !settings->insecure)
		SSL_CTX_set_default_verify_paths(context);
	return !ca_file || SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1 ? 0 : SL_EINVAL;
}

int
bench_tls_create(struct bench_tls **out, const struct bench_settings *settings,
	const struct bench_server *server)
{
	*out = NULL;
	if (!server->tls)
		return 0;
	struct bench_tls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return SL_ENOMEM;
	tls->context = SSL_CTX_new(TLS_client_method());
	tls->name = strdup(server->name);
	tls->is_address = is_address(server->name);
	int err = tls->context && tls->name ? set_trust(tls->context, settings, server) : SL_ENOMEM;
	/* Ten thousand idle links should fit. */
	if (!err)
		SSL_CTX_set_mode(tls->context, SSL_MODE_RELEASE_BUFFERS);
	if (err) {
		bench_tls_destroy(tls);
		return err;
	}
	*out = tls;
	return 0;
}

void
bench_tls_destroy(struct bench_tls *tls)
{
	if (!tls)
		return;
	SSL_SESSION_free(tls->session);
	SSL_CTX_free(tls->context);
	free(tls->name);
	free(tls);
}

int
bench_tls_remember(struct bench_tls *tls, struct bench_tls_link *link)
{
	SSL_SESSION *session = SSL_get1_session(link->ssl);
	if (!session || !SSL_SESSION_is_resumable(session)) {
		SSL_SESSION_free(session);
		return SL_EAGAIN;
	}
	SSL_SESSION_free(tls->session);
	tls->session = session;
	return 0;
}

static bool
name_host(SSL *ssl, const struct bench_tls *tls)
{
	if (tls->is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->name) == 1;
	return SSL_set_tlsext_host_name(ssl, tls->name) == 1 && SSL_set1_host(ssl, tls->name) == 1;
}

struct bench_tls_link *
bench_tls_link_create(struct bench_tls *tls)
{
	struct bench_tls_link *link = calloc(1, sizeof *link);
	if (!link)
		return NULL;
	link->ssl = SSL_new(tls->context);
	BIO *incoming = BIO_new(BIO_s_mem()), *outgoing = BIO_new(BIO_s_mem());
	if (!link->ssl || !incoming || !outgoing || !name_host(link->ssl, tls)) {
		BIO_free(incoming);
		BIO_free(outgoing);
		bench_tls_link_destroy(link);
		return NULL;
	}
	SSL_set_bio(link->ssl, incoming, outgoing);
	link->incoming = incoming;
	link->outgoing = outgoing;
	SSL_set_connect_state(link->ssl);
	if (tls->session)
		SSL_set_session(link->ssl, tls->session);
	SSL_do_handshake(link->ssl);
	return link;
}

void
bench_tls_link_destroy(struct bench_tls_link *link)
{
	if (!link)
		return;
	/* Else OpenSSL takes the session, which others may resume, for one of a broken connection. */
	if (link->ssl)
		SSL_set_shutdown(link->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(link->ssl);
	free(link);
}

static int
error_of(struct bench_tls_link *link, int result)
{
	int error = SSL_get_error(link->ssl, result);
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return SL_EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return SL_ECLOSED;
	default: return SL_EPROTO;
	}
}

int
bench_tls_link_feed(struct bench_tls_link *link, const char *bytes, size_t len)
{
	if (len > INT_MAX || BIO_write(link->incoming, bytes, (int)len) != (int)len)
		return SL_ENOMEM;
	if (SSL_is_init_finished(link->ssl))
		return 0;
	int result = SSL_do_handshake(link->ssl);
	int err = result == 1 ? 0 : error_of(link, result);
	return err == SL_EAGAIN ? 0 : err;
}

int
bench_tls_link_read(struct bench_tls_link *link, char *out, size_t size)
{
	if (!SSL_is_init_finished(link->ssl))
		return SL_EAGAIN;
	int got = SSL_read(link->ssl, out, size > INT_MAX ? INT_MAX : (int)size);
	return got > 0 ? got : error_of(link, got);
}

int
bench_tls_link_write(struct bench_tls_link *link, const char *bytes, size_t len)
{
	if (!SSL_is_init_finished(link->ssl))
		return SL_EAGAIN;
	int put = SSL_write(link->ssl, bytes, (int)len);
	return put == (int)len ? 0 : error_of(link, put);
}

size_t
bench_tls_link_take(struct bench_tls_link *link, char *out, size_t size)
{
	int got = BIO_read(link->outgoing, out, (int)size);
	return got > 0 ? (size_t)got : 0;
}

bool
bench_tls_link_is_open(const struct bench_tls_link *link)
{
	return SSL_is_init_finished(link->ssl);
}

bool
bench_tls_link_is_resumed(const struct bench_tls_link *link)
{
	return SSL_session_reused(link->ssl) == 1;
}
