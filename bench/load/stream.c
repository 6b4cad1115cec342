#include "bench/load/stream.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/tls.h"
#include "util/err.h"

#define RECORD_BYTES 16384
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define TIMESTAMPS_OPTION 12 /* RFC 7323, section 3, padded */

static int
open_at(struct bench_stream *stream, const struct sockaddr *address, socklen_t address_len,
	struct bench_tls_link *link)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int on = 1;
	*stream = (struct bench_stream){
		.fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.tls = link,
	};
	if (stream->fd < 0) {
		bench_stream_close(stream);
		return SL_EIO;
	}
	setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	int err = 0;
	if (connect(stream->fd, address, address_len) != 0 && errno != EINPROGRESS)
		err = SL_EIO;
	if (!err && link)
		err = bench_stream_flush(stream);
	if (err)
		bench_stream_close(stream);
	return err;
}

int
bench_stream_open(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls *tls)
{
	struct bench_tls_link *link = tls ? bench_tls_link_create(tls) : NULL;
	stream->fd = -1;
	return tls && !link ? SL_ENOMEM : bench_stream_open_link(stream, server, link);
}

int
bench_stream_open_link(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls_link *link)
{
	return open_at(stream, (const struct sockaddr *)&server->address, server->address_len, link);
}

int
bench_stream_open_publishing(struct bench_stream *stream, const struct bench_server *server,
	struct bench_tls *tls)
{
	if (server->publish_port == 0)
		return bench_stream_open(stream, server, tls);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(server->publish_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	return open_at(stream, (const struct sockaddr *)&address, sizeof address, NULL);
}

void
bench_stream_close(struct bench_stream *stream)
{
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	bench_tls_link_destroy(stream->tls);
	stream->tls = NULL;
	sl_buffer_finish(&stream->unsent);
	sl_buffer_finish(&stream->early);
}

/* Returns how many bytes the socket took. */
static int
send_raw(struct bench_stream *stream, const char *bytes, size_t len)
{
	ssize_t sent = send(stream->fd, bytes, len, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR || errno == EINPROGRESS ? 0 : SL_ECLOSED;
	stream->wire_out += (uint64_t)sent;
	stream->flights += !stream->speaking;
	stream->speaking = true;
	return (int)sent;
}

static int
send_or_keep(struct bench_stream *stream, const char *bytes, size_t len)
{
	int sent = stream->unsent.len ? 0 : send_raw(stream, bytes, len);
	if (sent < 0)
		return sent;
	if ((size_t)sent < len)
		sl_buffer_append(&stream->unsent, bytes + sent, len - (size_t)sent);
	return sl_buffer_status(&stream->unsent);
}

static int
send_records(struct bench_stream *stream)
{
	char records[RECORD_BYTES];
	size_t len;
	int err = 0;
	while (!err && (len = bench_tls_link_take(stream->tls, records, sizeof records)) > 0)
		err = send_or_keep(stream, records, len);
	return err;
}

static int
flush_early(struct bench_stream *stream)
{
	if (stream->early.len == 0 || !bench_tls_link_is_open(stream->tls))
		return 0;
	int err = bench_tls_link_write(stream->tls, stream->early.bytes, stream->early.len);
	sl_buffer_clear(&stream->early);
	return err;
}

int
bench_stream_flush(struct bench_stream *stream)
{
	int err = 0;
	if (stream->unsent.len) {
		int sent = send_raw(stream, stream->unsent.bytes, stream->unsent.len);
		if (sent < 0)
			return sent;
		sl_buffer_consume(&stream->unsent, (size_t)sent);
	}
	if (stream->tls) {
		err = flush_early(stream);
		if (!err)
			err = send_records(stream);
	}
	return err;
}

int
bench_stream_send(struct bench_stream *stream, const char *bytes, size_t len)
{
	stream->clear_out += len;
	if (!stream->tls)
		return send_or_keep(stream, bytes, len);
	if (!bench_tls_link_is_open(stream->tls)) {
		sl_buffer_append(&stream->early, bytes, len);
		return sl_buffer_status(&stream->early);
	}
	int err = bench_tls_link_write(stream->tls, bytes, len);
	return err ? err : send_records(stream);
}

bool
bench_stream_wants_write(const struct bench_stream *stream)
{
	return stream->unsent.len > 0;
}

static int
recv_raw(struct bench_stream *stream, char *out, size_t size)
{
	ssize_t got = recv(stream->fd, out, size, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? SL_EAGAIN : SL_ECLOSED;
	stream->wire_in += (uint64_t)got;
	stream->speaking = false;
	return got > 0 ? (int)got : SL_ECLOSED;
}

static int
recv_tls(struct bench_stream *stream, char *out, size_t size)
{
	char records[RECORD_BYTES];
	int got = bench_tls_link_read(stream->tls, out, size);
	while (got == SL_EAGAIN) {
		int raw = recv_raw(stream, records, sizeof records);
		if (raw < 0)
			return raw;
		int err = bench_tls_link_feed(stream->tls, records, (size_t)raw);
		if (!err)
			err = bench_stream_flush(stream);
		if (err)
			return err;
		got = bench_tls_link_read(stream->tls, out, size);
	}
	return got;
}

int
bench_stream_recv(struct bench_stream *stream, char *out, size_t size)
{
	int got = stream->tls ? recv_tls(stream, out, size) : recv_raw(stream, out, size);
	if (got > 0)
		stream->clear_in += (uint64_t)got;
	return got;
}

bool
bench_stream_reads_on(const struct bench_stream *stream)
{
	return stream->tls != NULL;
}

struct bench_segments
bench_stream_segments(const struct bench_stream *stream)
{
	struct tcp_info told;
	struct sockaddr_storage address;
	socklen_t len = sizeof told, address_len = sizeof address;
	if (getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &told, &len) != 0
		|| getsockname(stream->fd, (struct sockaddr *)&address, &address_len) != 0
		|| len < offsetof(struct tcp_info, tcpi_segs_in) + sizeof told.tcpi_segs_in)
		return (struct bench_segments){ 0 };
	return (struct bench_segments){
		.in = told.tcpi_segs_in, .out = told.tcpi_segs_out,
		.header_bytes = TCP_HEADER
			+ (address.ss_family == AF_INET6 ? IPV6_HEADER : IPV4_HEADER)
			+ (told.tcpi_options & TCPI_OPT_TIMESTAMPS ? TIMESTAMPS_OPTION : 0),
	};
}
