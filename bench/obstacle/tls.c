#include "bench/obstacle/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/err.h"

struct ob_tls {
	SSL_CTX *context; /* owns */
};

/* The one protocol that the obstacle understands (RFC 7301, section 3.1). */
static const unsigned char http_1_1[] = "\x08http/1.1";

/* A client that offers others alone is answered without a choice, and may go on or not. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *offered, unsigned offered_len, void *unused)
{
	unsigned char *chosen;
	int found = SSL_select_next_proto(&chosen, out_len, http_1_1, sizeof http_1_1 - 1, offered,
		offered_len);
	*out = chosen;
	return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int
create(struct ob_tls **out, const SSL_METHOD *method)
{
	struct ob_tls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return SL_ENOMEM;
	tls->context = SSL_CTX_new(method);
	if (!tls->context) {
		free(tls);
		return SL_ENOMEM;
	}
	/* What is queued may move and grow between two tries to send it. */
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	*out = tls;
	return 0;
}

/* What OpenSSL says of a file. */
static int
refuse(const char *file, char *why, size_t why_size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	bool is_readable = access(file, R_OK) == 0; /* OpenSSL says no more than "system lib" */
	snprintf(why, why_size, "%s: %s", file, reason && is_readable ? reason : strerror(errno));
	ERR_clear_error();
	return SL_EINVAL;
}

int
ob_tls_create_server(struct ob_tls **out, const char *certificate, const char *key, char *why,
	size_t why_size)
{
	struct ob_tls *tls;
	int err = create(&tls, TLS_server_method());
	if (err != 0) {
		snprintf(why, why_size, "%s", sl_strerror(err));
		return err;
	}
	if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
		err = refuse(certificate, why, why_size);
	else if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1)
		err = refuse(key, why, why_size);
	if (err != 0) {
		ob_tls_destroy(tls);
		return err;
	}
	SSL_CTX_set_alpn_select_cb(tls->context, choose_protocol, NULL);
	*out = tls;
	return 0;
}

int
ob_tls_create_client(struct ob_tls **out)
{
	int err = create(out, TLS_client_method());
	if (err == 0)
		SSL_CTX_set_alpn_protos((*out)->context, http_1_1, sizeof http_1_1 - 1);
	return err;
}

void
ob_tls_destroy(struct ob_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

int
ob_tls_end_begin(struct ob_tls_end *end, const struct ob_tls *tls, int fd)
{
	*end = (struct ob_tls_end){ .ssl = NULL };
	if (!tls)
		return 0;
	end->ssl = SSL_new(tls->context);
	if (!end->ssl || SSL_set_fd(end->ssl, fd) != 1) {
		ob_tls_end_finish(end, false);
		return SL_ENOMEM;
	}
	if (SSL_is_server(end->ssl))
		SSL_set_accept_state(end->ssl);
	else
		SSL_set_connect_state(end->ssl);
	end->is_shaking = true;
	end->waits_for_room = !SSL_is_server(end->ssl); /* who is a client speaks first */
	return 0;
}

void
ob_tls_end_finish(struct ob_tls_end *end, bool tells)
{
	if (end->ssl && tells && !end->is_shaking) {
		SSL_shutdown(end->ssl);
		ERR_clear_error();
	}
	SSL_free(end->ssl);
	*end = (struct ob_tls_end){ .ssl = NULL };
}

/* After a call that returned `result`, which was no success. */
static int
error_of(struct ob_tls_end *end, int result)
{
	int error = SSL_get_error(end->ssl, result);
	ERR_clear_error();
	end->waits_for_room = error == SSL_ERROR_WANT_WRITE;
	switch (error) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return SL_EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
	case SSL_ERROR_SYSCALL: return SL_ECLOSED;
	default: return SL_EPROTO;
	}
}

int
ob_tls_end_shake(struct ob_tls_end *end)
{
	int result = SSL_do_handshake(end->ssl);
	if (result == 1) {
		end->is_shaking = false;
		return 0;
	}
	return error_of(end, result) == SL_EAGAIN ? SL_EAGAIN : SL_EPROTO;
}

uint32_t
ob_tls_end_events(const struct ob_tls_end *end)
{
	return end->waits_for_room ? EPOLLOUT : EPOLLIN;
}

static ssize_t
outcome(ssize_t result)
{
	if (result > 0)
		return result;
	return result < 0 && (errno == EAGAIN || errno == EINTR) ? SL_EAGAIN : SL_ECLOSED;
}

/* A peer that breaks the protocol has gone, as far as the connection is concerned. */
static ssize_t
tls_outcome(struct ob_tls_end *end, int result)
{
	if (result > 0)
		return result;
	return error_of(end, result) == SL_EAGAIN ? SL_EAGAIN : SL_ECLOSED;
}

ssize_t
ob_tls_end_read(struct ob_tls_end *end, int fd, void *bytes, size_t len)
{
	if (!end->ssl)
		return outcome(recv(fd, bytes, len, 0));
	return tls_outcome(end, SSL_read(end->ssl, bytes, len < INT_MAX ? (int)len : INT_MAX));
}

ssize_t
ob_tls_end_write(struct ob_tls_end *end, int fd, const void *bytes, size_t len)
{
	if (!end->ssl)
		return outcome(send(fd, bytes, len, MSG_NOSIGNAL));
	return tls_outcome(end, SSL_write(end->ssl, bytes, len < INT_MAX ? (int)len : INT_MAX));
}
