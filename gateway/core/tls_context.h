/* TLS context: what the TLS of a gateway's listeners is made of: certificates and policy.
 * Owner: counted; the settings hold one, each session another. Thread: any once made; it never
 * changes. Errors: SL_EINVAL with the sentence to tell in `error`, SL_ENOMEM.
 *
 * TLS 1.2 and 1.3, ciphers of forward secrecy with AEAD alone, http/1.1 by ALPN; no renegotiation,
 * no compression, no early data (a replayed publish would be a second one). A client's SNI
 * chooses among the certificates' own names, an exact one before a wildcard; of one name there may be a certificate for each kind
 * of key, and the client's signature algorithms choose. A name that no certificate covers, or none,
 * gets the first certificate. A session resumes only under certificates of the same names. */
#ifndef SL_CORE_TLS_CONTEXT_H
#define SL_CORE_TLS_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#define SL_TLS_CERTIFICATES_MAX 256

struct sl_config;
struct sl_tls_context;
struct sl_tls_tickets;
struct ssl_st;

struct sl_tls_certificate {
	const char *name; /* its first name, or what it is called instead; "" without any */
	const char *key;  /* "rsa", "ecdsa", ... */
	int64_t expires_s; /* since the epoch */
};

/* Reads the files of --tls-cert and --tls-key. Borrows `tickets`. Returns new in `*out`. */
int sl_tls_context_create(struct sl_tls_context **out, const struct sl_config *config,
	struct sl_tls_tickets *tickets, char *error, size_t error_size);

struct sl_tls_context *sl_tls_context_ref(struct sl_tls_context *context);
void sl_tls_context_unref(struct sl_tls_context *context);

/* A server's session that waits for a ClientHello. It holds a reference. Returns new, or NULL
 * without memory. */
struct ssl_st *sl_tls_context_new_session(struct sl_tls_context *context);

/* Frees it, as SSL_free() does, and gives its reference back; NULL is none. */
void sl_tls_context_free_session(struct ssl_st *session);

/* In the order of --tls-cert. Returns borrowed. */
const struct sl_tls_certificate *sl_tls_context_certificates(const struct sl_tls_context *context,
	size_t *count);

#endif
