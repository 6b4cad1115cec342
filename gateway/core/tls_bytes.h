/* TLS bytes: the ciphertext of one TLS socket on its way between the kernel and OpenSSL.
 * Owner: core/tls.c, whose struct this is. Thread: the shard's. Errors: as each call says. */
#ifndef SL_CORE_TLS_BYTES_H
#define SL_CORE_TLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/socket.h"
#include "util/buffer.h"
#include "util/metrics.h"

struct sl_tls_shard;
struct ssl_st; /* OpenSSL's */

#define SL_TLS_UNSENT_BYTES 65536 /* committed and not with the kernel */

struct sl_tls {
	struct sl_socket_secure secure; /* first: the socket points to it */
	const struct sl_socket_ops *below;
	struct sl_tls_shard *shard;
	struct ssl_st *ssl;      /* owns */
	struct sl_buffer unread; /* ciphertext that was received and not asked for */
	struct sl_buffer unsent; /* ciphertext that the kernel had no room for */
	uint32_t pinned;         /* of both, as counted in the shard's sum */
	uint32_t idle_bytes;     /* received since the last byte of data */
	uint16_t key_updates;    /* the same */
	bool has_begun;          /* the client's first byte was that of a record */
	bool is_established;
	bool is_broken;          /* nothing more is said or understood */
	bool has_shut;           /* close_notify is written */
	const char *failure;     /* static */
};

/* Call it for each call to OpenSSL; returns what is to be called. */
struct ssl_st *sl_tls_bytes_take_up(struct sl_tls *tls);

/* Puts what is here before OpenSSL: what was left, or what one call receives. Returns how much, which is 0
 * when OpenSSL has all of it already, or what reading says. */
ssize_t sl_tls_bytes_fill(struct sl_socket *socket, struct sl_tls *tls);

/* What OpenSSL did not ask for is kept. Errors: SL_ENOMEM. */
int sl_tls_bytes_keep(struct sl_tls *tls);

/* Sends what is unsent: 0, or what writing says. */
int sl_tls_bytes_push(struct sl_socket *socket, struct sl_tls *tls);

/* Sends what OpenSSL has written, behind what is unsent, and keeps what the kernel does not take. 0: all of
 * it is there. Errors: SL_EAGAIN, SL_ECLOSED, SL_EIO. */
int sl_tls_bytes_send(struct sl_socket *socket, struct sl_tls *tls);

/* `unread` or `unsent` has changed. */
void sl_tls_bytes_pin(struct sl_tls *tls);

/* Bytes of a handshake were carried. */
void sl_tls_bytes_count_handshake(struct sl_tls *tls, enum sl_counter counter,
	enum sl_class_counter wire, size_t len);

#endif
