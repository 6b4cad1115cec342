/* TLS pair: a certificate, the chain behind it and its private key, read from files in PEM.
 * Owner: the caller's struct. Thread: main's reads, any may look. Errors: SL_EINVAL with the
 * sentence to tell, SL_ENOMEM.
 *
 * A file is taken whole or refused: one that somebody is writing just now does not pass for one
 * that is complete, but where it ends at the end of a certificate. */
#ifndef SL_CORE_TLS_PAIR_H
#define SL_CORE_TLS_PAIR_H

#include <stdint.h>

#include "core/tls_file.h"
#include "core/tls_names.h"

struct evp_pkey_st;
struct stack_st_X509;
struct x509_st;

struct sl_tls_pair {
	struct x509_st *leaf; /* owns, as all here */
	struct stack_st_X509 *chain;
	struct evp_pkey_st *key;
	struct sl_tls_names names; /* of its SAN; without a SAN, that of its common name */
	char *label;               /* what people call it: its first name, also if that is no DNS name */
	const char *kind;          /* of its key: "rsa", "rsa-pss", "ecdsa", "ed25519", "ed448" */
	int64_t begins_s, expires_s; /* since the epoch */
};

/* Reads both files. A certificate that is not valid now is taken, with a warning in the log. Finish
 * it also after an error. */
int sl_tls_pair_read(struct sl_tls_pair *out, const char *cert_path, const char *key_path,
	struct sl_tls_error error);

void sl_tls_pair_finish(struct sl_tls_pair *pair);

#endif
