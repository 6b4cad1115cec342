#include "bench/load/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/schedule.h"
#include "bench/peer.h"
#include "util/err.h"

#define WAIT_MS 30000
#define PAYLOAD_MAX 4096
#define INPUT_BYTES 65536

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
send_all(struct bench_talk *talk)
{
	size_t at = 0;
	int err = sl_buffer_status(&talk->out);
	while (!err && at < talk->out.len) {
		ssize_t sent = send(talk->fd, talk->out.bytes + at, talk->out.len - at, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			err = SL_EIO;
		at += sent > 0 ? (size_t)sent : 0;
	}
	sl_buffer_clear(&talk->out);
	return err;
}

int
bench_talk_open(struct bench_talk *talk, uint16_t port, const char *channel, bool spins)
{
	struct bench_server server = { .peer = &bench_peer_sluice };
	*talk = (struct bench_talk){ .fd = connect_to(port), .spins = spins };
	if (talk->fd < 0)
		return SL_EIO;
	talk->is_open = true;
	snprintf(server.host, sizeof server.host, "127.0.0.1:%u", port);
	bench_peer_sluice.subscribe(&talk->out, &server, BENCH_WEBSOCKET, channel, "");
	int err = send_all(talk);
	while (!err && !talk->was_opened)
		err = bench_talk_read(talk, WAIT_MS);
	if (err)
		bench_talk_close(talk);
	return err;
}

void
bench_talk_close(struct bench_talk *talk)
{
	if (!talk->is_open)
		return;
	close(talk->fd);
	sl_buffer_finish(&talk->out);
	talk->is_open = false;
}

int
bench_talk_publish(struct bench_talk *talk, const char *channel, uint32_t seq, size_t len)
{
	char payload[PAYLOAD_MAX];
	if (len > sizeof payload)
		return SL_ETOOBIG;
	bench_payload_fill(seq, payload, len);
	bench_peer_sluice.publish_burst(&talk->out, NULL, channel, payload, len, 1);
	return send_all(talk);
}

static void
keep_error(struct bench_talk *talk, const char *bytes, size_t len)
{
	static const char begin[] = "{\"type\":\"error\"";
	const char *found = talk->said[0] ? NULL : memmem(bytes, len, begin, sizeof begin - 1);
	const char *end = found ? memchr(found, '}', (size_t)(bytes + len - found)) : NULL;
	if (end) /* the next frame's head is no text */
		snprintf(talk->said, sizeof talk->said, "%.*s", (int)(end + 1 - found), found);
}

static void
take(struct bench_talk *talk, const char *bytes, size_t len)
{
	struct bench_token ack, error, open;
	bench_token_init(&ack, "\"type\":\"ack\"");
	bench_token_init(&error, "\"type\":\"error\"");
	talk->acks += bench_token_count(&ack, &talk->matched_ack, bytes, len);
	unsigned errors = bench_token_count(&error, &talk->matched_error, bytes, len);
	talk->errors += errors;
	if (errors)
		keep_error(talk, bytes, len);
	if (!talk->was_opened) {
		bench_token_init(&open, "\"type\":\"open\"");
		talk->was_opened = bench_token_count(&open, &talk->matched_open, bytes, len) > 0;
	}
	bench_counter_feed(&talk->heard, bytes, len);
}

int
bench_talk_read(struct bench_talk *talk, int limit_ms)
{
	static _Thread_local char input[INPUT_BYTES];
	uint64_t until_ns = bench_now_ns() + (uint64_t)limit_ms * 1000000u;
	for (;;) {
		ssize_t got = recv(talk->fd, input, sizeof input, MSG_DONTWAIT);
		if (got > 0) {
			take(talk, input, (size_t)got);
			return talk->errors ? SL_EBACKEND : 0;
		}
		if (got == 0)
			return SL_ECLOSED;
		if (errno != EAGAIN && errno != EINTR)
			return SL_EIO;
		if (bench_now_ns() >= until_ns)
			return SL_EAGAIN;
		if (!talk->spins)
			talk->wakeups += poll(&(struct pollfd){ .fd = talk->fd, .events = POLLIN }, 1, limit_ms) > 0;
	}
}

int
bench_talk_await_acks(struct bench_talk *talk, uint64_t acks)
{
	int err = 0;
	while (!err && talk->acks < acks)
		err = bench_talk_read(talk, WAIT_MS);
	return err;
}

int
bench_talk_await_message(struct bench_talk *talk, uint32_t seq)
{
	int err = 0;
	while (!err && talk->heard.next <= seq)
		err = bench_talk_read(talk, WAIT_MS);
	return err;
}
