/* TLS of the obstacle: towards clients, as a proxy that intercepts it speaks it, and towards the
 * gateway.
 * Owner: main has the two struct ob_tls, a connection its ends, which end first. Thread: one.
 * Errors: SL_ENOMEM, SL_EINVAL (the files), SL_EAGAIN, SL_ECLOSED, SL_EPROTO. */
#ifndef SL_BENCH_OBSTACLE_TLS_H
#define SL_BENCH_OBSTACLE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ob_tls;
struct ssl_st;

/* One end of a connection; zero: cleartext. */
struct ob_tls_end {
	struct ssl_st *ssl;    /* owns */
	bool is_shaking;       /* the handshake is not over */
	bool waits_for_room;   /* to send of it; else for what comes */
};

/* Returns new in `*out`: for ends that are servers, with the certificate (its chain behind it) and
 * the key of two PEM files. Errors: SL_EINVAL, `why` says what is wrong. */
int ob_tls_create_server(struct ob_tls **out, const char *certificate, const char *key, char *why,
	size_t why_size);

/* Returns new in `*out`: for ends that are clients. They take any certificate. */
int ob_tls_create_client(struct ob_tls **out);

/* NULL is allowed. */
void ob_tls_destroy(struct ob_tls *tls);

/* Begins on a socket; `tls` NULL: cleartext. Errors: SL_ENOMEM. */
int ob_tls_end_begin(struct ob_tls_end *end, const struct ob_tls *tls, int fd);

/* Ends it; `tells` the peer so (close_notify), where that can be sent at once. */
void ob_tls_end_finish(struct ob_tls_end *end, bool tells);

/* Goes on with the handshake. Errors: SL_EAGAIN (wait for ob_tls_end_events()), SL_EPROTO. */
int ob_tls_end_shake(struct ob_tls_end *end);

/* What the handshake waits for, EPOLLIN or EPOLLOUT. */
uint32_t ob_tls_end_events(const struct ob_tls_end *end);

/* As recv() and send() on `fd`, through TLS where the end has it. Return the number of bytes (> 0),
 * SL_EAGAIN or SL_ECLOSED. A read returns at most what one record holds. */
ssize_t ob_tls_end_read(struct ob_tls_end *end, int fd, void *bytes, size_t len);
ssize_t ob_tls_end_write(struct ob_tls_end *end, int fd, const void *bytes, size_t len);

#endif
