/* The floor: the least any server can do for a message, one send() of ready-made bytes to
 * each connection. It takes sockets, answers their request with a fixed head and, for each
 * POST, sends its payloads framed once to all of a channel. A message on the wire is as long
 * as Sluice's own object of the same payload, so that what is compared is the work, not the
 * bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/settings.h"
#include "util/err.h"

#define MAX_CHANNELS 20000
#define CHANNEL_FIELD "Channel: "
#define INPUT_BYTES 16384

struct channel {
	int *subscribers;
	unsigned count, room;
};

struct floor {
	int epoll, listener, publisher;
	struct channel *channels; /* by number */
	enum bench_transport transport;
	struct sl_buffer request; /* of the publisher, as far as it has come */
};

static const char websocket_head[] = "HTTP/1.1 101 Switching Protocols\r\n"
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char sse_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	"Connection: close\r\n\r\n";
static const char publish_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void
append_message(struct sl_buffer *out, enum bench_transport transport, const char *payload,
	size_t len)
{
	static const char before[] =
		"{\"id\":\"9f3a1c07-4182\",\"channel\":\"bench0\",\"time\":1790000000000000,\"data\":\"";
	size_t total = sizeof before - 1 + len + 2;
	const unsigned char head[] = { 0x81, (unsigned char)(total > 125 ? 126 : total) };
	const unsigned char length[] = { (unsigned char)(total >> 8), (unsigned char)total };
	if (transport == BENCH_WEBSOCKET) {
		sl_buffer_append(out, head, sizeof head);
		if (total > 125)
			sl_buffer_append(out, length, sizeof length);
	} else {
		sl_buffer_append_str(out, "id: 9f3a1c07-4182\ndata: ");
	}
	sl_buffer_append(out, before, sizeof before - 1);
	sl_buffer_append(out, payload, len);
	sl_buffer_append_str(out, transport == BENCH_WEBSOCKET ? "\"}" : "\"}\n\n");
}

/* The number behind `field` in the head of `len` bytes; 0 for none. */
static size_t
number_of(const char *head, size_t len, const char *field)
{
	const char *found = memmem(head, len, field, strlen(field));
	return found ? strtoul(found + strlen(field), NULL, 10) : 0;
}

static struct channel *
channel_of(struct floor *floor, const char *head, size_t len)
{
	size_t number = number_of(head, len, CHANNEL_FIELD);
	if (number >= MAX_CHANNELS)
		_exit(1);
	return &floor->channels[number];
}

/* Returns the length of the whole request at the start of the input, 0 when incomplete. */
static size_t
serve_publish(struct floor *floor, struct sl_buffer *frames)
{
	const struct sl_buffer *request = &floor->request;
	const char *body = memmem(request->bytes, request->len, "\r\n\r\n", 4);
	if (!body)
		return 0;
	body += 4;
	size_t head_len = (size_t)(body - request->bytes);
	size_t body_len = number_of(request->bytes, head_len, "Content-Length: ");
	size_t payload_len = number_of(request->bytes, head_len, "POST /publish/");
	size_t len = head_len + body_len;
	if (request->len < len || payload_len == 0)
		return 0;
	sl_buffer_clear(frames);
	for (size_t at = 0; at + payload_len <= body_len; at += payload_len)
		append_message(frames, floor->transport, body + at, payload_len);
	const struct channel *channel = channel_of(floor, request->bytes, head_len);
	for (unsigned i = 0; i < channel->count; i++)
		if (send(channel->subscribers[i], frames->bytes, frames->len, MSG_NOSIGNAL) < 0)
			_exit(1);
	send(floor->publisher, publish_answer, sizeof publish_answer - 1, MSG_NOSIGNAL);
	return len;
}

static void
read_publisher(struct floor *floor, struct sl_buffer *frames)
{
	char input[INPUT_BYTES];
	ssize_t got = recv(floor->publisher, input, sizeof input, 0);
	if (got <= 0)
		_exit(0);
	sl_buffer_append(&floor->request, input, (size_t)got);
	size_t used;
	while (floor->request.len > 0 && (used = serve_publish(floor, frames)) > 0)
		sl_buffer_consume(&floor->request, used);
}

static void
subscribe(struct channel *channel, int fd)
{
	if (channel->count == channel->room) {
		channel->room = 2 * channel->room + 1;
		channel->subscribers = reallocarray(channel->subscribers, channel->room, sizeof(int));
		if (!channel->subscribers)
			_exit(1);
	}
	channel->subscribers[channel->count++] = fd;
}

/* The request of a subscriber comes in one piece from this bench. */
static void
read_subscriber(struct floor *floor, int fd)
{
	char request[INPUT_BYTES];
	ssize_t got = recv(fd, request, sizeof request, 0);
	epoll_ctl(floor->epoll, EPOLL_CTL_DEL, fd, NULL);
	if (got < 8) {
		close(fd);
		return;
	}
	bool websocket = memcmp(request, "GET /ws", 7) == 0;
	floor->transport = websocket ? BENCH_WEBSOCKET : BENCH_SSE;
	subscribe(channel_of(floor, request, (size_t)got), fd);
	const char *head = websocket ? websocket_head : sse_head;
	send(fd, head, strlen(head), MSG_NOSIGNAL);
}

static void
watch(struct floor *floor, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (fd < 0 || epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		_exit(1);
}

static void
floor_serve(const void *argument)
{
	int listener = *(const int *)argument;
	struct floor floor = { .epoll = epoll_create1(EPOLL_CLOEXEC), .listener = listener,
		.publisher = -1, .channels = calloc(MAX_CHANNELS, sizeof *floor.channels) };
	struct sl_buffer frames = SL_BUFFER_INIT;
	if (!floor.channels)
		_exit(1);
	watch(&floor, listener);
	for (;;) {
		struct epoll_event event;
		if (epoll_wait(floor.epoll, &event, 1, -1) != 1)
			continue;
		int fd = event.data.fd;
		char first;
		if (fd == listener) {
			watch(&floor, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
			continue;
		}
		if (fd != floor.publisher && recv(fd, &first, 1, MSG_PEEK) == 1 && first == 'P')
			floor.publisher = fd;
		if (fd == floor.publisher)
			read_publisher(&floor, &frames);
		else
			read_subscriber(&floor, fd);
	}
}

static const char *
floor_missing(const struct bench_settings *settings)
{
	return NULL;
}

static int
floor_start(struct bench_server *server, const struct bench_settings *settings)
{
	int listener = bench_listen(&server->port);
	if (listener < 0)
		return SL_EIO;
	int err = bench_process_fork(&server->process, floor_serve, &listener, settings->server_core);
	close(listener);
	return err;
}

/* A channel of many is called NAME.NUMBER, one that all share NAME. */
static const char *
number_in(const char *channel)
{
	const char *dot = strrchr(channel, '.');
	return dot ? dot + 1 : "0";
}

static void
floor_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	sl_buffer_append_str(out, transport == BENCH_WEBSOCKET ? "GET /ws" : "GET /sse");
	sl_buffer_printf(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n" CHANNEL_FIELD "%s\r\n\r\n",
		number_in(channel));
}

static unsigned
floor_publish_burst(struct sl_buffer *out, const struct bench_server *server,
	const char *channel, const char *payloads, size_t len, unsigned count)
{
	sl_buffer_printf(out, "POST /publish/%zu HTTP/1.1\r\nHost: 127.0.0.1\r\n" CHANNEL_FIELD "%s\r\n"
		"Content-Length: %zu\r\n\r\n", len, number_in(channel), count * len);
	sl_buffer_append(out, payloads, count * len);
	return 1;
}

static void
floor_publish(struct sl_buffer *out, const struct bench_server *server, const char *channel,
	const char *payload, size_t len)
{
	floor_publish_burst(out, server, channel, payload, len, 1);
}

const struct bench_peer bench_peer_floor = {
	.name = "floor",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_SSE),
	.missing = floor_missing,
	.start = floor_start,
	.subscribe = floor_subscribe,
	.opened = {
		[BENCH_WEBSOCKET] = "\r\n\r\n",
		[BENCH_SSE] = "\r\n\r\n",
	},
	.publish = floor_publish,
	.publish_burst = floor_publish_burst,
};
