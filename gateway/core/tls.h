/* TLS: a socket whose bytes travel in records (RFC 8446, RFC 5246).
 * Owner: the socket has what is here from sl_tls_start() on, until it is finished. Thread: its shard's.
 * Errors: as each call says; the socket's own calls as ever.
 *
 * OpenSSL never sees the descriptor: what was received lies in the shard's buffer, where it reads from, and what it
 * writes is gathered there and sent in one call. It gets no more input than it asks for, so that what is
 * left is known exactly. */
#ifndef SL_CORE_TLS_H
#define SL_CORE_TLS_H

#include <stddef.h>

struct sl_socket;
struct sl_tls_context;
struct sl_tls_shard;

#define SL_TLS_KEY_UPDATES 64 /* without a byte of data between them (RFC 8446, section 4.6.3) */
#define SL_TLS_IDLE_BYTES 65536 /* of the wire without a byte of data, or of a handshake */

enum sl_tls_step {
	SL_TLS_WAIT,       /* for the socket to be readable; there may be bytes to push */
	SL_TLS_DONE,       /* the socket reads and writes; something may be here to read */
	SL_TLS_FAILED,     /* an alert may be on its way: the link is to end */
	SL_TLS_PLAIN_HTTP, /* no TLS: sl_tls_stop() has the bytes */
};

/* Makes a cleartext socket the server of a handshake; its session holds a reference of `context`. Errors:
 * SL_ENOMEM, it is in the clear as before. */
int sl_tls_start(struct sl_socket *socket, struct sl_tls_shard *shard,
	struct sl_tls_context *context);

/* Bytes that were read from the socket before; before the first step. Errors: SL_ENOMEM. */
int sl_tls_feed(struct sl_socket *socket, const char *bytes, size_t len);

/* Reads once, and goes on with the handshake. Until it is DONE the socket neither reads nor writes
 * but by pushing. Its bytes are counted here, to class `http`. */
enum sl_tls_step sl_tls_shake_hands(struct sl_socket *socket);

/* After SL_TLS_PLAIN_HTTP: the socket is in the clear again. Copies the bytes that were read, SL_TLS_INPUT
 * at most; returns how many. */
size_t sl_tls_stop(struct sl_socket *socket, char *bytes);

/* Why the handshake failed, without a full stop; NULL where the client left before it said anything. */
const char *sl_tls_get_failure(const struct sl_socket *socket);

#endif
