#include "bench/peers/pushpin_origin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 8192
#define CHANNEL_MAX 64

/* Reads one request; zurl sends it at once. Returns its length, 0 at the end or on nonsense. */
static size_t
read_request(int fd, char request[REQUEST_BYTES])
{
	size_t len = 0;
	for (;;) {
		ssize_t got = recv(fd, request + len, REQUEST_BYTES - 1 - len, 0);
		if (got <= 0)
			return 0;
		len += (size_t)got;
		request[len] = '\0';
		const char *end = strstr(request, "\r\n\r\n");
		const char *field = strcasestr(request, "\r\nContent-Length:");
		size_t body_len = end && field && field < end ? strtoul(field + 17, NULL, 10) : 0;
		if (end && (size_t)(end + 4 - request) + body_len <= len)
			return len;
	}
}

static void
read_channel(const char *request, char channel[CHANNEL_MAX])
{
	const char *at = strstr(request, "channel=");
	size_t len = at ? strcspn(at + 8, " &") : 0;
	if (len == 0 || len >= CHANNEL_MAX)
		exit(1);
	*(char *)mempcpy(channel, at + 8, len) = '\0';
}

/* A request of an event stream, whose first event makes Pushpin send the head at once; or of a
 * WebSocket in the form of events over HTTP (https://pushpin.org/docs/protocols/websocket-over-http/),
 * which is subscribed as it opens, and then told so. */
static void
answer_request(int fd, const char *request)
{
	static const char first_event[] = "event: stream-open\ndata: -\n\n";
	char channel[CHANNEL_MAX], subscribe[128] = "", events[192] = "", answer[768];
	read_channel(request, channel);
	int len;
	if (strncmp(request, "GET ", 4) == 0) {
		len = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
			"Content-Type: text/event-stream\r\nGrip-Hold: stream\r\nGrip-Channel: %s\r\n"
			"Grip-Keep-Alive: :\\n\\n; format=cstring; timeout=20\r\n\r\n%s",
			strlen(first_event), channel, first_event);
	} else {
		if (strstr(request, "\r\n\r\nOPEN\r\n")) {
			int subscribe_len = snprintf(subscribe, sizeof subscribe,
				"c:{\"type\":\"subscribe\",\"channel\":\"%s\"}", channel);
			snprintf(events, sizeof events, "OPEN\r\nTEXT %x\r\n%s\r\nTEXT A\r\nsubscribed\r\n",
				(unsigned)subscribe_len, subscribe);
		}
		len = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
			"Content-Type: application/websocket-events\r\n"
			"Sec-WebSocket-Extensions: grip; message-prefix=\"\"\r\n\r\n%s", strlen(events), events);
	}
	send(fd, answer, (size_t)len, MSG_NOSIGNAL);
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		exit(1);
}

void
bench_pushpin_origin_serve(int listener)
{
	char request[REQUEST_BYTES];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listener);
	for (;;) {
		struct epoll_event event;
		if (epoll_wait(epoll, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == listener)
			watch(epoll, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		else if (read_request(event.data.fd, request) > 0)
			answer_request(event.data.fd, request);
		else
			close(event.data.fd);
	}
}
