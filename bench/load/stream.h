/* One TCP connection of the generator, plain or under TLS, with every byte counted.
 * Owner: the struct is the caller's; close ends the connection and frees what it holds.
 * Thread: one at a time. Errors: SL_EIO (errno says why), SL_ENOMEM, SL_EAGAIN, SL_ECLOSED,
 * SL_EPROTO (TLS). */
#ifndef SL_BENCH_STREAM_H
#define SL_BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/server/server.h"
#include "util/buffer.h"

struct bench_tls;
struct bench_tls_link;

struct bench_stream {
	int fd;                          /* -1: closed */
	struct bench_tls_link *tls;      /* owns; NULL: plain */
	struct sl_buffer unsent;         /* what the socket did not take yet */
	struct sl_buffer early;          /* cleartext that waits for the handshake */
	uint64_t wire_in, wire_out;      /* bytes of the TCP stream */
	uint64_t clear_in, clear_out;    /* the same without TLS */
	unsigned flights;                /* times it spoke after it had listened, the first included */
	bool speaking;
};

/* Segments and the bytes of their headers since the connection began, as far as the kernel
 * tells (TCP_INFO: linux/tcp.h). */
struct bench_segments {
	uint64_t in, out;
	unsigned header_bytes; /* IP and TCP of one segment, with the options in use */
};

/* Begins to connect; `tls` is NULL for plain. Bytes may be sent at once. */
int bench_stream_open(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls *tls);

/* The same with a link that was created before, NULL for plain; takes it, also when it fails. */
int bench_stream_open_link(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls_link *link);

/* The same to where publish_burst goes. */
int bench_stream_open_publishing(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls *tls);

/* Closes with a reset, so that many short connections do not use up the ports. */
void bench_stream_close(struct bench_stream *stream);

/* Sends `bytes`, or keeps what the socket does not take; flush sends it later. */
int bench_stream_send(struct bench_stream *stream, const char *bytes, size_t len);
int bench_stream_flush(struct bench_stream *stream);

/* Something waits for the socket to become writable. */
bool bench_stream_wants_write(const struct bench_stream *stream);

/* Reads once; returns how many bytes came, up to `size`. Errors: SL_EAGAIN, SL_ECLOSED,
 * SL_EPROTO, SL_ENOMEM. */
int bench_stream_recv(struct bench_stream *stream, char *out, size_t size);

/* More may be had without the socket becoming readable: to be read until SL_EAGAIN. */
bool bench_stream_reads_on(const struct bench_stream *stream);

/* All zero where the kernel does not tell. */
struct bench_segments bench_stream_segments(const struct bench_stream *stream);

#endif
