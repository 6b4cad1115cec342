#include "http/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/socket.h"
#include "http/exchange.h"
#include "http/front.h"
#include "live/connection.h"
#include "shard.h"
#include "transport.h"
#include "util/err.h"

#define TEST_RUNS 20

unsigned
sl_handover_get_daemon_flags(void)
{
	return MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
		MHD_ALLOW_SUSPEND_RESUME;
}

/* ---- self-test ---- */

static enum MHD_Result
keep_duplicate(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	int *kept = arg;
	(void)url, (void)method, (void)version, (void)upload, (void)upload_size;
	if (!*state) {
		*state = kept;
		return MHD_YES;
	}
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	*kept = fcntl(fd->connect_fd, F_DUPFD_CLOEXEC, 3);
	return MHD_NO;
}

static void
drop_log(void *arg, const char *format, va_list args)
{
	(void)arg, (void)format, (void)args;
}

/* What the other end reads must be what is written after libmicrohttpd has closed. */
static bool
survives(int kept, int other)
{
	char byte = 0;
	return send(kept, "s", 1, MSG_NOSIGNAL) == 1 &&
		recv(other, &byte, 1, MSG_DONTWAIT) == 1 && byte == 's' &&
		recv(other, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int
sl_handover_try(unsigned daemon_flags)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	int pair[2], kept = -1, err = SL_EIO;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return SL_EIO;
	struct MHD_Daemon *daemon = MHD_start_daemon(daemon_flags, 0, NULL, NULL,
		keep_duplicate, &kept, MHD_OPTION_EXTERNAL_LOGGER, drop_log, NULL, MHD_OPTION_END);
	if (!daemon) {
		close(pair[1]);
		goto out;
	}
	/* Takes pair[1], whatever comes of it. */
	if (MHD_add_connection(daemon, pair[1], (struct sockaddr *)&address,
			sizeof address.ss_family) != MHD_YES ||
			send(pair[0], request, sizeof request - 1, MSG_NOSIGNAL) < 0)
		goto out;
	for (int i = 0; i < TEST_RUNS; i++)
		MHD_run(daemon);
	if (kept >= 0 && survives(kept, pair[0]))
		err = 0;
out:
	if (daemon)
		MHD_stop_daemon(daemon);
	if (kept >= 0)
		close(kept);
	close(pair[0]);
	return err;
}

int
sl_handover_self_test(void)
{
	return sl_handover_try(sl_handover_get_daemon_flags());
}

/* ---- for real ---- */

/* The request's head is the first that the transport's wire bytes count. */
static void
charge_head(struct sl_exchange *exchange, const struct sl_transport *transport,
	struct sl_socket_bytes measured)
{
	struct sl_socket *socket = exchange->socket;
	struct sl_metrics *metrics = &exchange->shard->metrics;
	if (!measured.is_known) {
		measured.in = socket->parsed_in;
		measured.out = socket->charged_out;
		sl_metrics_add_class(metrics, transport->class, SL_CLASS_WIRE_ESTIMATED, 1);
	}
	sl_metrics_add_class(metrics, transport->class, SL_CLASS_WIRE_BYTES_IN,
		measured.in - socket->charged_in);
	sl_metrics_add_class(metrics, transport->class, SL_CLASS_WIRE_BYTES_OUT,
		measured.out - socket->charged_out);
	socket->charged_in = measured.in;
	socket->charged_out = measured.out;
}

static uint64_t
get_request_len(const struct sl_exchange *exchange)
{
	return sl_exchange_get_head_len(exchange) + exchange->body_bytes;
}

int
sl_handover_take(struct sl_exchange *exchange, const struct sl_transport *transport)
{
	struct sl_socket *socket = exchange->socket;
	struct sl_socket_bytes measured = sl_socket_measure(socket);
	uint64_t parsed_before = socket->parsed_in;
	socket->parsed_in += get_request_len(exchange);
	socket->is_opaque |= exchange->is_chunked;
	bool unparsed = sl_socket_has_unparsed(socket, measured);
	bool can_keep = exchange->request.keep_alive && !unparsed;
	int err = SL_EAGAIN;
	if (!can_keep && (transport->capabilities & SL_ONLY_KEPT) && !exchange->is_watched)
		goto fail;
	if (unparsed && !socket->is_opaque && (transport->capabilities & SL_NEEDS_EMPTY_PIPE)) {
		err = SL_EPROTO;
		sl_reply_set_error(&exchange->reply, 400, "pipelined",
			"bytes came before the handshake was answered (RFC 6455, section 4.1)");
		goto fail;
	}
	struct sl_connection *connection = sl_connection_create(exchange->shard, transport);
	if (!connection || sl_socket_hand_over(socket) != 0) {
		if (connection)
			sl_connection_close(connection);
		err = connection ? SL_EIO : SL_ENOMEM;
		sl_reply_set_err(&exchange->reply, err);
		goto fail;
	}
	exchange->request.keep_alive = can_keep;
	charge_head(exchange, transport, measured);
	sl_front_forget_socket(exchange);
	sl_metrics_add(&exchange->shard->metrics, SL_COUNTER_HANDOVERS, 1);
	sl_connection_open(connection, socket, &exchange->request);
	return 0;
fail:
	socket->parsed_in = parsed_before;
	return err;
}
