/* The floor of opening: the least any server can do for a connection, accept4, epoll_ctl, one
 * recv and one send of a ready answer; to a long-poll, which is held, no answer. Of the request
 * it looks at one letter. Its listener has the options that accepted sockets inherit. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/settings.h"
#include "util/err.h"

#define EVENTS_A_TURN 128
#define REQUEST_BYTES 4096
#define NOTSENT_LOWAT_BYTES 65536
#define LETTER_AT 5 /* "GET /ws", "GET /sse", "GET /poll" */

/* The accept key is that of BENCH_UPGRADE; what follows a head is as long as Sluice's own first
 * words, so that what is compared is the work, not the bytes. */
static const char websocket_answer[] = "HTTP/1.1 101 Switching Protocols\r\n"
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	"\x81\x7d" "{\"type\":\"open\",\"transport\":\"websocket\",\"cursor\":\"9f3a1c07-0\","
	"\"heartbeat\":15,\"channels\":[\"bench0\"],\"time\":1790000000000000}";
static const char sse_answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	"Cache-Control: no-cache\r\nConnection: close\r\n\r\n"
	"event: sluice\nid: 9f3a1c07-0\ndata: {\"type\":\"open\",\"transport\":\"sse\","
	"\"cursor\":\"9f3a1c07-0\",\"heartbeat\":15,\"channels\":[\"bench0\"]}\n\n";

static void
accept_all(int epoll, int listener)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			_exit(1);
	}
	if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		_exit(1);
}

static void
answer(int fd)
{
	char request[REQUEST_BYTES];
	ssize_t got = recv(fd, request, sizeof request, 0);
	if (got <= LETTER_AT)
		close(fd);
	else if (request[LETTER_AT] == 'w')
		send(fd, websocket_answer, sizeof websocket_answer - 1, MSG_NOSIGNAL);
	else if (request[LETTER_AT] == 's')
		send(fd, sse_answer, sizeof sse_answer - 1, MSG_NOSIGNAL);
}

static void
floor_open_serve(const void *argument)
{
	int listener = *(const int *)argument, epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS_A_TURN] = { { .events = EPOLLIN, .data.fd = listener } };
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, events) != 0)
		_exit(1);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS_A_TURN, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				answer(events[i].data.fd);
		}
	}
}

static const char *
floor_open_missing(const struct bench_settings *settings)
{
	return NULL;
}

static int
floor_open_start(struct bench_server *server, const struct bench_settings *settings)
{
	int on = 1, lowat = NOTSENT_LOWAT_BYTES, listener = bench_listen(&server->port), err = SL_EIO;
	if (listener < 0)
		return SL_EIO;
	if (setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0
		&& setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat) == 0
		&& fcntl(listener, F_SETFL, O_NONBLOCK) == 0)
		err = bench_process_fork(&server->process, floor_open_serve, &listener,
			settings->server_core);
	close(listener);
	return err;
}

/* The request is as long as one to Sluice. */
static void
floor_open_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	static const char *const location[BENCH_TRANSPORT_COUNT] = {
		[BENCH_WEBSOCKET] = "/ws?", [BENCH_SSE] = "/sse?",
		[BENCH_LONGPOLL] = "/poll?wait=25&since=9f3a1c07-0&",
	};
	sl_buffer_printf(out, "GET %schannels=%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", location[transport],
		channel, server->host, transport == BENCH_WEBSOCKET ? BENCH_UPGRADE : "");
}

const struct bench_peer bench_peer_floor_open = {
	.name = "floor-open",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_SSE) | BENCH_HAS(BENCH_LONGPOLL),
	.only_opens = true,
	.missing = floor_open_missing,
	.start = floor_open_start,
	.subscribe = floor_open_subscribe,
	.opened = {
		[BENCH_WEBSOCKET] = "\r\n\r\n",
		[BENCH_SSE] = "\r\n\r\n",
	},
};
