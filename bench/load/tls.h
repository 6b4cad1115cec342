/* A client's end of TLS without sockets: bytes of records go in and out by hand, so that they
 * can be counted apart from what they carry.
 * Owner: whoever created it; a link is destroyed before its bench_tls. Thread: a bench_tls is
 * shared (but for remember, which comes before), a link has one at a time. Errors: SL_ENOMEM, SL_EINVAL (the CA file), SL_EAGAIN,
 * SL_ECLOSED, SL_EPROTO (the handshake or a record, or a certificate that is not trusted). */
#ifndef SL_BENCH_TLS_H
#define SL_BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>

/* What a record of TLS 1.3 with AES-GCM or ChaCha20-Poly1305 adds to what it carries: 5 of a header, 1
 * of the type, 16 of the tag (RFC 8446, section 5.2). */
#define BENCH_TLS_RECORD_BYTES 22

struct bench_server;
struct bench_settings;
struct bench_tls;
struct bench_tls_link;

/* Returns new in `*out`: what links to `server` share; NULL where it speaks no TLS. */
int bench_tls_create(struct bench_tls **out, const struct bench_settings *settings,
	const struct bench_server *server);
void bench_tls_destroy(struct bench_tls *tls);

/* Links that are created from now on resume the session of `link`, all of them the same.
 * Errors: SL_EAGAIN (its ticket has not come yet: feed more). */
int bench_tls_remember(struct bench_tls *tls, struct bench_tls_link *link);

/* Returns new, its first record waiting to be taken; NULL when memory ran out. */
struct bench_tls_link *bench_tls_link_create(struct bench_tls *tls);
void bench_tls_link_destroy(struct bench_tls_link *link);

/* Bytes of records that came. Errors: SL_ENOMEM, SL_EPROTO. */
int bench_tls_link_feed(struct bench_tls_link *link, const char *bytes, size_t len);

/* Up to `size` bytes of what the records carried; returns how many.
 * Errors: SL_EAGAIN (feed more), SL_ECLOSED, SL_EPROTO. */
int bench_tls_link_read(struct bench_tls_link *link, char *out, size_t size);

/* Makes records of `bytes`. Errors: SL_EAGAIN (the handshake is not done), SL_EPROTO. */
int bench_tls_link_write(struct bench_tls_link *link, const char *bytes, size_t len);

/* Takes up to `size` bytes of records to be sent; returns how many. */
size_t bench_tls_link_take(struct bench_tls_link *link, char *out, size_t size);

bool bench_tls_link_is_open(const struct bench_tls_link *link);

/* The handshake resumed a session. */
bool bench_tls_link_is_resumed(const struct bench_tls_link *link);

#endif
