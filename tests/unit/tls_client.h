/* A client of TLS for tests: it holds its bytes back, cuts and counts them as the test wants.
 * Owner: the test's structs. Thread: main. Errors: abort, what a test stands on cannot be made. */
#ifndef SL_TESTS_TLS_CLIENT_H
#define SL_TESTS_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"

struct sl_tls_context;
struct ssl_session_st;
struct ssl_st;

/* A server's context with one certificate, for localhost; returns new. */
struct sl_tls_context *tls_context_make(void);
/* After all contexts and clients. */
void tls_context_forget(void);

struct tls_client {
	int fd;                  /* borrows; does not block */
	struct ssl_st *ssl;
	struct ssl_session_st *session; /* the last ticket that came, or NULL */
	struct sl_buffer out;    /* records that are not sent yet */
	struct sl_buffer got;    /* what was read, decrypted */
	uint64_t sent, received; /* bytes of the wire */
	bool is_established;
	bool has_ended;          /* close_notify came */
	bool has_fin;            /* the other side has shut, or reset */
	bool is_reset;
	uint8_t secret[32];      /* client_application_traffic_secret_0 (RFC 8446, section 7.1) */
	uint64_t sealed;         /* records so far */
	int alert;               /* the last that came but close_notify, as TLS numbers them; -1: none */
};

/* `version` is that of TLS, 0x0303 or 0x0304; `session` may be NULL. */
void tls_client_open(struct tls_client *client, int fd, int version,
	struct ssl_session_st *session);
void tls_client_close(struct tls_client *client); /* not the descriptor */

/* Has the handshake go on as far as what is here allows; what it says is in `out`. */
void tls_client_advance(struct tls_client *client);

/* Appends records to `out`. */
void tls_client_write(struct tls_client *client, const void *bytes, size_t len);
void tls_client_update_keys(struct tls_client *client, bool asks_too);
/* A record of TLS 1.3 with AES-128-GCM, of any inner type and of no bytes too, which OpenSSL does not write;
 * from then on only such. */
void tls_client_seal(struct tls_client *client, uint8_t type, const void *bytes, size_t len);
void tls_client_say_end(struct tls_client *client);

/* Sends the first `len` bytes of `out`, or all with tls_client_flush(). */
void tls_client_send(struct tls_client *client, size_t len);
void tls_client_flush(struct tls_client *client);

/* Reads at most `max` bytes of the wire, and decrypts them. Returns how many. */
size_t tls_client_read(struct tls_client *client, size_t max);

/* Everything that was decrypted, as a string that holds until the next call; forgets it. */
const char *tls_client_take(struct tls_client *client);

#endif
